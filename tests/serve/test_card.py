"""A card says what features are and what an answer means; drift is held against it."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kittiwake.errors import ConfigError
from kittiwake.serve import card
from tests.serve import models
from tests.serve.asking import Asker

CARD = """
[model]
description = "Bearings of line 1"
threshold = 0.75
labels = ["normal", "worn"]

[[features]]
name = "mean"
unit = "mm/s"
offset = 10.0
scale = 2.0
mean = 10.0
stdev = 2.0
low = 4.0
high = 16.0
""" + "".join(f'\n[[features]]\nname = "f{number}"\n' for number in (1, 2, 3))


@pytest.fixture
def carded(tmp_path):
    models.put(tmp_path / "worn.onnx", models.classifier())
    (tmp_path / "worn.toml").write_text(CARD)
    return Asker(tmp_path)


def families(asker):
    return {family.name: family for family in text_string_to_metric_families(asker.ask("GET", "/metrics")[2].decode())}


def test_card_scales_features_and_sets_threshold_and_labels(carded):
    # (12 - 10) / 2 = 1: the score is 0, the probability one half.
    status, reply = carded.json("POST", "/v1/models/worn/predict", {"instances": [[12, 0, 0, 0], [18, 0, 0, 0]]})
    assert status == 200
    # The second row: (18 - 10) / 2 = 4, 1 / (1 + exp(-3)) = 0.9526.
    assert [each["anomaly"] for each in reply["predictions"]] == [False, True]
    assert reply["predictions"][0]["confidence"] == 0.5 and reply["predictions"][1]["label"] == "worn"
    assert round(reply["predictions"][1]["confidence"], 4) == 0.9526
    _, reply = carded.json("POST", "/predict", {"features": [12.5, 0, 0, 0]})
    assert (reply["anomaly"], reply["confidence"]) == (False, 0.5622)  # 1 / (1 + exp(-0.25)): below the threshold
    assert carded.json("GET", "/v1/models/worn")[1]["features"][0] == {"name": "mean", "unit": "mm/s"}


def test_card_with_another_number_of_features_refuses_the_row(carded):
    status, reply = carded.json("POST", "/predict", {"features": [1, 2, 3]})
    assert (status, reply["detail"]) == (500, "there are 3 features; the model's card has 4")
    status, reply = carded.json("POST", "/v1/models/worn/predict", {"instances": [[1, 2, 3]]})
    assert (status, reply["detail"]) == (422, "input 'instances': there are 3 features; the model's card has 4")


def test_drift_tells_values_beyond_training_and_the_shift_of_the_mean(carded):
    for value in (3.0, 17.0, 10.0, 14.0):
        carded.json("POST", "/predict", {"features": [value, 0, 0, 0]})
    told = families(carded)
    beyond = {s.labels["input"]: s.value for s in told["kittiwake_serve_input_beyond_training"].samples}
    shift = {s.labels["input"]: s.value for s in told["kittiwake_serve_input_shift_ratio"].samples}
    assert beyond == {"mean": 2, "f1": 0, "f2": 0, "f3": 0}
    assert shift == {"mean": 0.5}  # the mean is 11, one away from 10, half of the standard deviation


def test_drift_is_of_the_newest_rows(carded):
    for _ in range(3):
        carded.json("POST", "/v1/models/worn/predict", {"instances": [[10, 0, 0, 0]] * 600})
    carded.json("POST", "/v1/models/worn/predict", {"instances": [[14, 0, 0, 0]] * 1024})
    shift = families(carded)["kittiwake_serve_input_shift_ratio"].samples[0].value
    assert shift == 2.0


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[model]\nthreshold = 2", "line 2: model.threshold"),
        ("[[features]]\nunit = 'V'", "features[0].name: is missing"),
        ("[[features]]\nname = 'a'\nscale = 0.0", "the scale is 0"),
        ("[model]\ntreshold = 0.5", "did you mean threshold?"),
    ],
)
def test_card_with_a_fault_names_line_and_setting(tmp_path, text, problem):
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        card.read(tmp_path / "a.toml")
    assert problem in str(caught.value)


def test_model_with_a_faulty_card_does_not_answer_and_says_so(tmp_path):
    models.put(tmp_path / "worn.onnx", models.classifier())
    (tmp_path / "worn.toml").write_text("[model]\noutput = 'scores'\n")
    status, reply = Asker(tmp_path).json("GET", "/health")
    assert status == 503 and "the model has no output 'scores'; it has label, probabilities" in reply["detail"]
