"""Models are taken up as files change; what cannot be loaded leaves its predecessor, and says so once."""

import os

import pytest

from kittiwake.errors import UsageError
from kittiwake.serve.store import MODELS_LIMIT, ModelStore
from tests.serve import models
from tests.serve.asking import Asker


def test_model_replaced_by_rename_is_taken_up(folder):
    asker = Asker(folder, default="anomaly_detector")
    store = asker.app.store
    before = store.models["anomaly_detector"].version
    models.put(folder / "anomaly_detector.onnx", models.classifier(bias=-3.0))
    assert asker.json("GET", "/v2/models/anomaly_detector")[1]["versions"] == [before]
    store.scan()
    assert asker.json("GET", "/v2/models/anomaly_detector")[1]["versions"] != [before]
    assert store.loads["anomaly_detector"].done == 2 and store.loads["maps"].done == 1


@pytest.mark.parametrize("content", [b"", b"no model", models.classifier()[:-40]])
def test_model_that_cannot_be_loaded_leaves_the_former_in_place_and_says_so(folder, content, caplog):
    asker = Asker(folder, default="anomaly_detector")
    row = {"features": [1, 2, 3, 4]}
    before = asker.json("POST", "/predict", row)[1]["confidence"]
    models.put(folder / "anomaly_detector.onnx", content)
    for _ in range(3):
        asker.app.store.scan()
    assert asker.json("POST", "/predict", row)[1]["confidence"] == before
    assert asker.json("GET", "/health")[0] == 200
    problem = asker.json("GET", "/v1/models/anomaly_detector")[1]["problem"]
    assert problem.startswith("anomaly_detector.onnx cannot be loaded") and "the former model stays" in problem
    assert len([record for record in caplog.records if "anomaly_detector.onnx cannot" in record.message]) == 1
    figures = asker.ask("GET", "/metrics")[2].decode()
    assert 'kittiwake_serve_model_stale{model="anomaly_detector"} 1.0' in figures
    models.put(folder / "anomaly_detector.onnx", models.classifier(bias=-3.0))
    asker.app.store.scan()
    assert "problem" not in asker.json("GET", "/v1/models/anomaly_detector")[1]
    assert asker.json("POST", "/predict", row)[1]["confidence"] != before


def test_card_that_changes_is_taken_up(folder):
    asker = Asker(folder, default="anomaly_detector")
    before = asker.app.store.models["anomaly_detector"].version
    (folder / "anomaly_detector.toml").write_text("[model]\nthreshold = 0.999\n")
    asker.app.store.scan()
    assert asker.app.store.models["anomaly_detector"].version != before
    assert asker.json("POST", "/predict", {"features": [1, 2, 3, 4]})[1]["anomaly"] is False


def test_model_that_is_removed_is_gone_and_others_stay(folder):
    asker = Asker(folder, default="anomaly_detector")
    (folder / "maps.onnx").unlink()
    asker.app.store.scan()
    assert asker.json("GET", "/v2/models/maps")[0] == 404
    assert asker.json("GET", "/health")[0] == 200


def test_folder_that_cannot_be_read_leaves_all_in_place(folder):
    asker = Asker(folder, default="anomaly_detector")
    os.rename(folder, folder.with_name("away"))
    asker.app.store.scan()
    assert asker.json("GET", "/health")[0] == 200


def test_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(UsageError):
        ModelStore(tmp_path / "nothing")


def test_two_files_of_one_name_and_too_many_models_are_told(tmp_path, caplog):
    models.put(tmp_path / "a.onnx", models.classifier())
    (tmp_path / "a.tflite").write_bytes(b"another")
    store = ModelStore(tmp_path)
    store.scan()
    assert "a.onnx and a.tflite have one name" in caplog.text and store.models["a"].file == "a.onnx"
    for number in range(MODELS_LIMIT):
        (tmp_path / f"b{number}.onnx").write_bytes(b"")
    store.scan()
    assert f"more than {MODELS_LIMIT} models" in caplog.text and len(store.loads) == MODELS_LIMIT
