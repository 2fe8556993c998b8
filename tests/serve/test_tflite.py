"""A `.tflite` model behind every way of asking: its answers are those of its definition."""

import json
import math

import numpy as np
import pytest

from tests.serve.asking import Asker
from tests.support.tflite_builder import FLOAT32, NONE, OPS, Builder, options

pytest.importorskip("ai_edge_litert.interpreter")
WEIGHTS = ((0.5, -0.25, 1.0, 0.125), (-0.5, 0.75, 0.25, 0.5))
BIASES = (-0.5, 0.25)
ROWS = ([1, 2, 3, 4], [0, 0, 0, 0], [4, -4, 1, 0])


def classifier():
    """A dense layer of two columns and SOFTMAX, in floats."""
    net = Builder()
    source = net.tensor([1, 4], FLOAT32)
    weights = net.tensor([2, 4], FLOAT32, data=np.array(WEIGHTS, np.float32))
    biases = net.tensor([2], FLOAT32, data=np.array(BIASES, np.float32))
    raw, out = net.tensor([1, 2], FLOAT32), net.tensor([1, 2], FLOAT32)
    dense = options("FullyConnectedOptions", fusedActivationFunction=NONE)
    net.op(OPS.FULLY_CONNECTED, [source, weights, biases], [raw], *dense)
    net.op(OPS.SOFTMAX, [raw], [out], *options("SoftmaxOptions", beta=1.0))
    return net.bytes(source, out)


def probability(row):
    """Of the second class, by the definition."""
    sums = [math.fsum(w * x for w, x in zip(weights, row, strict=True)) for weights in WEIGHTS]
    first, second = (math.exp(total + bias) for total, bias in zip(sums, BIASES, strict=True))
    return second / (first + second)


@pytest.fixture
def asker(tmp_path):
    (tmp_path / "dense.tflite").write_bytes(classifier())
    return Asker(tmp_path)


def test_tflite_model_answers_the_guides_request(asker):
    assert asker.json("GET", "/health") == (200, {"status": "ok", "model": "dense.tflite"})
    verdicts = set()
    for row in ROWS:
        status, reply = asker.json("POST", "/predict", {"features": row})
        assert status == 200 and abs(reply["confidence"] - probability(row)) <= 1e-4
        assert reply["anomaly"] is (probability(row) > 0.5)
        verdicts.add(reply["anomaly"])
    assert verdicts == {True, False}
    assert asker.json("POST", "/predict", {"features": [1, 2, 3]})[0] in (422, 500)


def test_tflite_model_answers_batches_and_the_open_protocol(asker):
    status, reply = asker.json("POST", "/v1/models/dense/predict", {"instances": list(ROWS)})
    assert status == 200
    confidences = [verdict["confidence"] for verdict in reply["predictions"]]
    assert np.allclose(confidences, [probability(row) for row in ROWS], atol=1e-4)
    name = asker.json("GET", "/v2/models/dense")[1]["inputs"][0]["name"]
    values = {"name": name, "datatype": "FP32", "shape": [1, 4], "data": ROWS[0]}
    status, reply = asker.json("POST", "/v2/models/dense/infer", json.dumps({"inputs": [values]}).encode())
    assert status == 200
    assert np.allclose(reply["outputs"][0]["data"], [1 - probability(ROWS[0]), probability(ROWS[0])], atol=1e-6)
