"""The guide's contract to the letter: POST /predict and GET /health, and nothing else in their replies."""

import math
import random

import numpy as np
import onnxruntime
import pytest

from tests.serve import models
from tests.serve.asking import Asker

# Row -> probability of the second class, worked out by hand: w·x + b with w = (0.5, -0.25, 1, 0.125) and b = -0.5 is
# half the difference of the two scores, so the probability is 1 / (1 + exp(-2 (w·x + b))).
BY_HAND = (
    ([1, 2, 3, 4], 1 / (1 + math.exp(-6.0))),
    ([0, 0, 0, 0], 1 / (1 + math.exp(1.0))),
    ([1, 0, 0, 0], 0.5),
    ([0.0, 0.0, 0.5004, 0.0], 1 / (1 + math.exp(-0.0008))),
)


@pytest.mark.parametrize(("features", "probability"), BY_HAND)
def test_predict_answers_with_the_three_fields_of_the_guide(asker, features, probability):
    status, reply = asker.json("POST", "/predict", {"features": features})
    assert status == 200
    assert list(reply) == ["anomaly", "confidence", "latency_ms"]
    assert reply["anomaly"] is (probability > 0.5)
    assert reply["confidence"] == round(probability, 4)
    assert isinstance(reply["latency_ms"], float) and 0 <= reply["latency_ms"] == round(reply["latency_ms"], 2)


@pytest.mark.parametrize("name", ["anomaly_detector", "maps"])
def test_predict_takes_probabilities_in_either_form_of_a_classifier(folder, name):
    asker = Asker(folder, default=name)
    for features, probability in BY_HAND:
        status, reply = asker.json("POST", "/predict", {"features": features})
        assert (status, reply["anomaly"], reply["confidence"]) == (200, probability > 0.5, round(probability, 4))


def test_predict_takes_a_single_column_for_the_second_class(folder):
    status, reply = Asker(folder, default="column").json("POST", "/predict", {"features": [1, 2, 3, 4]})
    assert (status, reply["anomaly"], reply["confidence"]) == (200, True, round(1 / (1 + math.exp(-3.0)), 4))


def test_health_names_the_models_file(asker):
    assert asker.json("GET", "/health") == (200, {"status": "ok", "model": "anomaly_detector.onnx"})
    assert asker.json("GET", "/healthz") == (200, {"status": "ok", "model": "anomaly_detector.onnx"})


def test_only_model_is_the_default_and_of_several_none_is(folder):
    status, reply = Asker(folder).json("GET", "/health")
    assert status == 503 and "anomaly_detector, column, maps" in reply["detail"]
    (folder / "maps.onnx").unlink()
    (folder / "column.onnx").unlink()
    assert Asker(folder).json("GET", "/health")[0] == 200


@pytest.mark.parametrize("features", [[1, 2, 3], [1, 2, 3, 4, 5]])
def test_predict_with_a_row_that_the_model_refuses_is_an_error_of_inference(asker, features):
    status, reply = asker.json("POST", "/predict", {"features": features})
    assert status == 500 and list(reply) == ["detail"] and "features" in reply["detail"]


def test_predict_whose_model_gives_no_number_is_an_error_of_inference(tmp_path):
    models.put(tmp_path / "one.onnx", models.constant(float("nan")))
    status, reply = Asker(tmp_path).json("POST", "/predict", {"features": [1, 2, 3, 4]})
    assert status == 500 and reply["detail"] == "the model's probability is no finite number"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "the body is no JSON"),
        (b"[1]", "the body is no JSON object"),
        (b"{}", "features: a list of numbers is wanted"),
        (b'{"features": []}', "features: a list of numbers is wanted"),
        (b'{"features": {"a": 1}}', "features: a list of numbers is wanted"),
        (b'{"features": [1, "2", 3, 4]}', "features[1]: a number is wanted"),
        (b'{"features": [1, 2, true, 4]}', "features[2]: a number is wanted"),
        (b'{"features": [1, 2, 3, null]}', "features[3]: a number is wanted"),
        (b'{"features": [[1, 2, 3, 4]]}', "features[0]: a number is wanted"),
        (b'{"features": [NaN, 2, 3, 4]}', "NaN is no JSON"),
        (b'{"features": [-Infinity, 2, 3, 4]}', "-Infinity is no JSON"),
        (b'{"features": [1e999, 2, 3, 4]}', "features: a number is too large"),
        (b'{"features": [1' + b"0" * 400 + b", 2, 3, 4]}", "features: a number is too large"),
        (b'{"features": [1' + b"0" * 5000 + b", 2, 3, 4]}", "the body is no JSON"),
        (b'{"features": ' + b"[" * 100_000 + b"}", "the body nests too deep"),
        (b'{"features": "\xff"}', "the body is no JSON"),
    ],
)
def test_predict_with_a_body_that_cannot_be_names_what_is_wrong(asker, body, detail):
    status, reply = asker.json("POST", "/predict", body)
    assert status == 422 and list(reply) == ["detail"] and reply["detail"].startswith(detail)


def test_predict_equals_onnxruntime_called_directly_bit_for_bit(asker, folder):
    chance = random.Random(19)
    rows = [[chance.gauss(0, 10 ** chance.randint(-3, 3)) for _ in range(models.FEATURES)] for _ in range(500)]
    session = onnxruntime.InferenceSession((folder / "anomaly_detector.onnx").read_bytes())
    different = 0
    for row in rows:
        (probability,) = session.run(["probabilities"], {"features": np.array([row], np.float32)})[0][:, 1]
        _, reply = asker.json("POST", "/v1/models/anomaly_detector/predict", {"instances": [row]})
        different += np.float32(reply["outputs"]["probabilities"][0][1]).tobytes() != probability.tobytes()
        _, reply = asker.json("POST", "/predict", {"features": row})
        different += reply["confidence"] != round(float(probability), 4)
        different += reply["anomaly"] is not bool(probability > 0.5)
    assert different == 0


def test_predict_of_another_bias_differs(folder):
    models.put(folder / "other.onnx", models.classifier(bias=-0.501))
    first, other = Asker(folder, default="anomaly_detector"), Asker(folder, default="other")
    row = {"features": [1, 0, 0, 0.5]}
    assert first.json("POST", "/predict", row)[1]["confidence"] != other.json("POST", "/predict", row)[1]["confidence"]
