"""The open inference protocol, by its own words and by Triton's client; and its binary tensors."""

import json
import struct

import numpy as np
import pytest
from onnx import TensorProto

from tests.serve import models
from tests.serve.asking import Asker

ROW = {"name": "features", "datatype": "FP32", "shape": [1, 4], "data": [1, 2, 3, 4]}


def test_server_and_models_tell_their_metadata(asker):
    status, reply = asker.json("GET", "/v2")
    assert status == 200 and reply["name"] == "kittiwake" and reply["extensions"] == ["binary_tensor_data"]
    assert asker.json("GET", "/v2/health/live") == (200, {"live": True})
    assert asker.json("GET", "/v2/health/ready") == (200, {"ready": True})
    _, reply = asker.json("GET", "/v2/models/maps")
    (version,) = reply["versions"]
    assert reply["inputs"] == [{"name": "features", "datatype": "FP32", "shape": [-1, 4]}]
    assert asker.json("GET", "/v2/models/maps/ready") == (200, {"name": "maps", "ready": True})
    assert asker.json("GET", f"/v2/models/maps/versions/{version}/ready")[0] == 200
    assert asker.json("GET", "/v2/models/maps/versions/1")[0] == 404
    assert asker.json("GET", "/v2/models/nobody") == (404, {"error": "there is no model 'nobody'"})


def test_server_is_not_ready_while_a_model_is_not(folder):
    models.put(folder / "broken.onnx", b"no model")
    asker = Asker(folder)
    assert asker.json("GET", "/v2/health/ready") == (503, {"ready": False})
    status, reply = asker.json("GET", "/v2/models/broken/ready")
    assert status == 503 and "broken.onnx cannot be loaded" in reply["error"]


def test_infer_gives_outputs_id_and_version(asker):
    status, reply = asker.json("POST", "/v2/models/anomaly_detector/infer", {"id": "7", "inputs": [ROW]})
    assert status == 200 and reply["id"] == "7" and reply["model_name"] == "anomaly_detector"
    assert reply["outputs"][0] == {"name": "label", "datatype": "INT64", "shape": [1], "data": [1]}
    assert reply["outputs"][1]["shape"] == [1, 2] and round(reply["outputs"][1]["data"][1], 4) == 0.9975
    body = {"inputs": [dict(ROW, data=[[1, 2, 3, 4]])], "outputs": [{"name": "probabilities"}]}
    _, only = asker.json("POST", f"/v2/models/anomaly_detector/versions/{reply['model_version']}/infer", body)
    assert only["outputs"] == [reply["outputs"][1]]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "inputs are wanted as a list of tensors"),
        ({"inputs": [1]}, "an input is wanted as an object"),
        ({"inputs": [{"name": "features"}]}, "an input has no name or no datatype"),
        ({"inputs": [dict(ROW, shape=[True, 4])]}, "input 'features' has no shape"),
        ({"inputs": [dict(ROW, name="x")]}, "the model has no input 'x'; it has features"),
        ({"inputs": [ROW, ROW]}, "input 'features' comes twice"),
        ({"inputs": [dict(ROW, datatype="FP64")]}, "input 'features' is FP64; the model takes FP32"),
        ({"inputs": [dict(ROW, shape=[4])]}, "input 'features' has shape [4]; the model takes [-1, 4]"),
        ({"inputs": [dict(ROW, data=[1, 2])]}, "input 'features' has 2 values; its shape [1, 4] has 4"),
        ({"inputs": [dict(ROW, data=[[1, 2], [3, 4]])]}, "input 'features' has data of shape [2, 2]"),
        ({"inputs": [dict(ROW, shape=[0, 4], data=[])]}, "an input is empty"),
        ({"inputs": []}, "input 'features' is missing"),
        ({"inputs": [{k: v for k, v in ROW.items() if k != "data"}]}, "input 'features' has no data"),
        ({"inputs": [dict(ROW, parameters={"binary_data_size": -1})]}, "binary_data_size is no size"),
        ({"inputs": [dict(ROW, parameters={"binary_data_size": 16})]}, "input 'features' has 16 bytes; 0 are there"),
        ({"inputs": [ROW], "outputs": [{"name": "x"}]}, "the model has no output 'x'; it has label, probabilities"),
    ],
)
def test_infer_that_cannot_be_names_what_is_wrong(asker, body, error):
    status, reply = asker.json("POST", "/v2/models/anomaly_detector/infer", body)
    assert status == 400 and list(reply) == ["error"] and reply["error"].startswith(error)


def binary_request(raw, shape=(1, 4), size=None):
    header = json.dumps(
        {
            "inputs": [
                {
                    "name": "features",
                    "datatype": "FP32",
                    "shape": list(shape),
                    "parameters": {"binary_data_size": len(raw) if size is None else size},
                }
            ],
            "parameters": {"binary_data_output": True},
        }
    ).encode()
    return header + raw, {"Inference-Header-Content-Length": len(header)}


def test_infer_takes_and_gives_tensors_as_bytes(asker):
    body, headers = binary_request(struct.pack("<4f", 1, 2, 3, 4))
    status, given, raw = asker.ask("POST", "/v2/models/anomaly_detector/infer", body, headers)
    assert status == 200 and given[b"content-type"] == b"application/octet-stream"
    length = int(given[b"inference-header-content-length"])
    outputs = json.loads(raw[:length])["outputs"]
    assert [each["parameters"]["binary_data_size"] for each in outputs] == [8, 8]
    label, *probabilities = struct.unpack("<q2f", raw[length:])
    assert label == 1 and round(probabilities[1], 4) == 0.9975


@pytest.mark.parametrize(
    ("raw", "shape", "size", "error"),
    [
        (bytes(15), (1, 4), 15, "input 'features' has 15 bytes; its shape [1, 4] takes 16"),
        (bytes(15), (1, 4), 16, "input 'features' has 16 bytes; 15 are there"),
        (bytes(17), (1, 4), 16, "17 bytes follow the JSON; the inputs take 16"),
        (struct.pack("<4f", 1, 2, 3, float("nan")), (1, 4), 16, "input 'features' has a value that is no finite"),
        (bytes(16), (10**12, 4), 16, "input 'features' has 16 bytes; its shape [1000000000000, 4] takes"),
    ],
)
def test_infer_with_bytes_that_do_not_fit_names_what_is_wrong(asker, raw, shape, size, error):
    body, headers = binary_request(raw, shape, size)
    status, reply = asker.json("POST", "/v2/models/anomaly_detector/infer", body, headers)
    assert status == 400 and reply["error"].startswith(error)


@pytest.mark.parametrize("length", ["x", "-1", "99999", "1" * 5000])
def test_infer_with_a_header_length_that_is_none_is_refused(asker, length):
    headers = {"Inference-Header-Content-Length": length}
    assert asker.json("POST", "/v2/models/maps/infer", b"{}", headers)[0] == 400


def test_texts_come_and_go_as_bytes(tmp_path):
    models.put(tmp_path / "same.onnx", models.typed(TensorProto.STRING, 2))
    asker = Asker(tmp_path)
    raw = b"\2\0\0\0\xc3\xa9" + b"\0\0\0\0"
    tensor = {"name": "x", "datatype": "BYTES", "shape": [1, 2], "parameters": {"binary_data_size": len(raw)}}
    header = json.dumps({"inputs": [tensor], "outputs": [{"name": "y", "parameters": {"binary_data": True}}]}).encode()
    headers = {"Inference-Header-Content-Length": len(header)}
    status, _, reply = asker.ask("POST", "/v2/models/same/infer", header + raw, headers)
    assert status == 200 and reply.endswith(raw)
    for cut in range(1, 6):
        part = raw[:cut]
        short = header.replace(b'"binary_data_size": 10', b'"binary_data_size": %d' % cut)
        headers = {"Inference-Header-Content-Length": len(short)}
        assert asker.ask("POST", "/v2/models/same/infer", short + part, headers)[0] == 400


def test_values_of_every_type_survive_as_bytes(tmp_path):
    for datatype, dtype in (
        (TensorProto.INT16, np.int16),
        (TensorProto.DOUBLE, np.float64),
        (TensorProto.BOOL, np.bool_),
    ):
        models.put(tmp_path / "same.onnx", models.typed(datatype))
        asker = Asker(tmp_path)
        raw = np.array([0, 1, 1], dtype).tobytes()
        name = {np.int16: "INT16", np.float64: "FP64", np.bool_: "BOOL"}[dtype]
        tensor = {"name": "x", "datatype": name, "shape": [1, 3], "parameters": {"binary_data_size": len(raw)}}
        header = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
        headers = {"Inference-Header-Content-Length": len(header)}
        status, _, reply = asker.ask("POST", "/v2/models/same/infer", header + raw, headers)
        assert status == 200 and reply.endswith(raw)
