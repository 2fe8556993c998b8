"""Run by an interpreter that has onnx and onnxruntime: a float model, samples, and what the runtime says of them.

python onnx_model.py FOLDER
"""

import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

folder = sys.argv[1]
chance = np.random.default_rng(2)


def weights(name, *shape):
    return numpy_helper.from_array(chance.normal(scale=0.3, size=shape).astype("float32"), name)


node = helper.make_node
graph = helper.make_graph(
    [
        node("Conv", ["x", "w1", "b1"], ["c1"], pads=[1, 1, 1, 1]),
        node("Relu", ["c1"], ["r1"]),
        node("MaxPool", ["r1"], ["p1"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Conv", ["p1", "w2", "b2"], ["c2"], pads=[1, 1, 1, 1]),
        node("Relu", ["c2"], ["r2"]),
        node("GlobalAveragePool", ["r2"], ["g"]),
        node("Flatten", ["g"], ["f"]),
        node("Gemm", ["f", "w3", "b3"], ["y"]),
    ],
    "net",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 12, 10])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4])],
    [
        weights("w1", 8, 3, 3, 3),
        weights("b1", 8),
        weights("w2", 16, 8, 3, 3),
        weights("b2", 16),
        weights("w3", 16, 4),
        weights("b3", 4),
    ],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, f"{folder}/net.onnx")
samples = chance.normal(size=(120, 3, 12, 10)).astype("float32") * chance.uniform(0.2, 3, (120, 3, 1, 1)).astype(
    "float32"
)
(outputs,) = onnxruntime.InferenceSession(f"{folder}/net.onnx").run(None, {"x": samples})
np.save(f"{folder}/x.npy", samples)
np.save(f"{folder}/labels.npy", outputs.argmax(axis=1))
