"""Models by name: batches, named inputs, and 422 that names what is wrong."""

import pytest
from onnx import TensorProto

from tests.serve import models
from tests.serve.asking import Asker

ROWS = [[1, 2, 3, 4], [0, 0, 0, 0]]


def test_models_are_listed_with_their_tensors(asker):
    status, reply = asker.json("GET", "/v1/models")
    assert status == 200
    assert [each["name"] for each in reply["models"]] == ["anomaly_detector", "column", "maps"]
    assert reply["models"][0]["inputs"] == [{"name": "features", "datatype": "FP32", "shape": [-1, 4]}]
    assert reply["models"][0]["outputs"][1] == {"name": "probabilities", "datatype": "FP32", "shape": [-1, 2]}


def test_batch_by_rows_and_by_name_gives_the_same(asker):
    path = "/v1/models/anomaly_detector/predict"
    by_rows = asker.json("POST", path, {"instances": ROWS})
    by_name = asker.json("POST", path, {"inputs": {"features": ROWS}})
    assert by_rows[0] == by_name[0] == 200
    for key in ("model", "version", "predictions", "outputs"):
        assert by_rows[1][key] == by_name[1][key]
    assert by_rows[1]["outputs"]["label"] == [1, 0]
    assert [each["anomaly"] for each in by_rows[1]["predictions"]] == [True, False]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "either instances (rows of features) or inputs (by name) is wanted, and nothing else"),
        ({"instances": ROWS, "inputs": {}}, "either instances"),
        ({"instances": [1, 2]}, "input 'instances' is wanted as rows of features"),
        ({"instances": [[]]}, "input 'instances' is wanted as rows of features"),
        ({"instances": [[1, 2], [1]]}, "input 'instances' is no tensor: its lists differ in length"),
        ({"instances": [[1, 2, 3, "4"]]}, "input 'instances' is FP64; it has a text"),
        ({"instances": [[1, 2, 3]]}, "input 'features' has shape [1, 3]; the model takes [-1, 4]"),
        ({"inputs": []}, "inputs are wanted by name"),
        ({"inputs": {"other": ROWS}}, "the model has no input 'other'; it has features"),
        ({"inputs": {}}, "input 'features' is missing"),
        ({"inputs": {"features": 3}}, "input 'features' has shape []; the model takes [-1, 4]"),
        ({"inputs": {"features": [[1, 2, 3, True]]}}, "input 'features' is FP32; it has a boolean"),
        ({"inputs": {"features": [[1, 2, 3, 1e300]]}}, "input 'features' has a value beyond FP32"),
        ({"inputs": {"features": [[[[[[[[[[1]]]]]]]]]]}}, "input 'features' nests deeper than 8 levels"),
    ],
)
def test_request_that_cannot_be_names_what_is_wrong(asker, body, detail):
    status, reply = asker.json("POST", "/v1/models/anomaly_detector/predict", body)
    assert status == 422 and reply["detail"].startswith(detail)


@pytest.mark.parametrize(
    ("datatype", "name", "good", "bad"),
    [
        (TensorProto.INT8, "INT8", [-128, 0, 127], [-129, 128, 0.5, True, "1", None]),
        (TensorProto.UINT8, "UINT8", [0, 1, 255], [-1, 256, 1.0]),
        (TensorProto.INT64, "INT64", [-(1 << 63), 0, (1 << 63) - 1], [1 << 63, 10**30]),
        (TensorProto.UINT64, "UINT64", [0, 1, (1 << 64) - 1], [-1, 1 << 64]),
        (TensorProto.BOOL, "BOOL", [True, False, True], [1, 0.0, "true"]),
        (TensorProto.STRING, "BYTES", ["", "é", "a\nb"], [1, None, False]),
        (TensorProto.FLOAT16, "FP16", [0.5, 1, 65504.0], [65536.0, "x"]),
        (TensorProto.DOUBLE, "FP64", [0.1, 1, 1e300], [True, "x"]),
    ],
)
def test_types_of_inputs_are_checked_exactly(tmp_path, datatype, name, good, bad):
    models.put(tmp_path / "same.onnx", models.typed(datatype))
    asker = Asker(tmp_path)
    path = "/v1/models/same/predict"
    status, reply = asker.json("POST", path, {"inputs": {"x": [good]}})
    assert (status, reply["outputs"]["y"]) == (200, [good])
    for value in bad:
        status, reply = asker.json("POST", path, {"inputs": {"x": [[value, *good[1:]]]}})
        assert status == 422 and f"{name}" in reply["detail"], (value, reply)


def test_model_that_is_none_is_not_found(asker):
    assert asker.json("POST", "/v1/models/nobody/predict", {"instances": ROWS})[0] == 404
    assert asker.json("GET", "/v1/models/nobody") == (404, {"detail": "there is no model 'nobody'"})
    assert asker.json("GET", "/v3") == (404, {"detail": "there is nothing here"})
    status, headers, _ = asker.ask("GET", "/predict")
    assert status == 405 and headers[b"allow"] == b"POST"
