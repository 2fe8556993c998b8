"""Small models, made here: a linear classifier whose probabilities anyone can work out."""

import os

import numpy as np
import onnx
from onnx import TensorProto, helper

FEATURES = 4


def classifier(weights=(0.5, -0.25, 1.0, 0.125), bias=-0.5, form="tensor", batch=None):
    """The bytes of a logistic regression.

    `form` is where the probabilities are: "tensor", "maps" (a list of maps, as converters write them), or "column".
    """
    count = len(weights)
    given = helper.make_tensor_value_info("features", TensorProto.FLOAT, [batch, count])
    if form == "column":
        names = [helper.make_tensor("w", TensorProto.FLOAT, [count, 1], weights)]
        names.append(helper.make_tensor("b", TensorProto.FLOAT, [1], [bias]))
        nodes = [
            helper.make_node("MatMul", ["features", "w"], ["product"]),
            helper.make_node("Add", ["product", "b"], ["sum"]),
            helper.make_node("Sigmoid", ["sum"], ["probability"]),
        ]
        outputs = [helper.make_tensor_value_info("probability", TensorProto.FLOAT, [batch, 1])]
        return _bytes(nodes, [given], outputs, names)
    linear = helper.make_node(
        "LinearClassifier",
        ["features"],
        ["label", "raw"],
        domain="ai.onnx.ml",
        coefficients=[-w for w in weights] + list(weights),
        intercepts=[-bias, bias],
        classlabels_ints=[0, 1],
        post_transform="NONE",
    )
    nodes = [linear, helper.make_node("Softmax", ["raw"], ["probabilities"], axis=1)]
    outputs = [helper.make_tensor_value_info("label", TensorProto.INT64, [batch])]
    if form == "maps":
        nodes.append(
            helper.make_node("ZipMap", ["probabilities"], ["maps"], domain="ai.onnx.ml", classlabels_int64s=[0, 1])
        )
        maps = helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, None))
        outputs.append(helper.make_value_info("maps", helper.make_sequence_type_proto(maps)))
    else:
        outputs.append(helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [batch, 2]))
    return _bytes(nodes, [given], outputs, [])


def constant(value, size=FEATURES):
    """A model whose one output is `value` in every column, and whose other one says so too: no mixture goes unseen."""
    given = helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, size])
    names = [
        helper.make_tensor("zeros", TensorProto.FLOAT, [size, 2], [0.0] * 2 * size),
        helper.make_tensor("value", TensorProto.FLOAT, [2], [value, value]),
    ]
    nodes = [
        helper.make_node("MatMul", ["features", "zeros"], ["nothing"]),
        helper.make_node("Add", ["nothing", "value"], ["probabilities"]),
    ]
    outputs = [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])]
    return _bytes(nodes, [given], outputs, names)


def typed(datatype, size=3):
    """A model that gives back what it gets, of any type."""
    given = helper.make_tensor_value_info("x", datatype, [None, size])
    got = helper.make_tensor_value_info("y", datatype, [None, size])
    return _bytes([helper.make_node("Identity", ["x"], ["y"])], [given], [got], [])


def slow(size=FEATURES, turns=100, width=256):
    """A model that takes a second or so: many products of square matrices."""
    given = helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, size])
    side = np.eye(width, dtype=np.float32).reshape(-1)
    names = [
        helper.make_tensor("widen", TensorProto.FLOAT, [size, width], [1.0] * size * width),
        helper.make_tensor("square", TensorProto.FLOAT, [width, width], side),
        helper.make_tensor("narrow", TensorProto.FLOAT, [width, 2], [0.0] * 2 * width),
        helper.make_tensor("rows", TensorProto.INT64, [2], [2048, 1]),
        helper.make_tensor("first", TensorProto.INT64, [1], [0]),
        helper.make_tensor("last", TensorProto.INT64, [1], [1]),
    ]
    nodes = [
        helper.make_node("MatMul", ["features", "widen"], ["wide"]),
        helper.make_node("Tile", ["wide", "rows"], ["x0"]),
    ]
    for turn in range(turns):
        nodes.append(helper.make_node("MatMul", [f"x{turn}", "square"], [f"y{turn}"]))
        nodes.append(helper.make_node("Tanh", [f"y{turn}"], [f"x{turn + 1}"]))
    nodes.append(helper.make_node("Slice", [f"x{turns}", "first", "last"], ["one"]))
    nodes.append(helper.make_node("MatMul", ["one", "narrow"], ["probabilities"]))
    outputs = [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])]
    return _bytes(nodes, [given], outputs, names)


def _bytes(nodes, inputs, outputs, names):
    graph = helper.make_graph(nodes, "test", inputs, outputs, names)
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)], ir_version=8
    )
    onnx.checker.check_model(model)
    return model.SerializeToString()


def put(path, content):
    """Write a file under another name and rename it, as a careful operator does."""
    part = path.with_suffix(path.suffix + ".part")
    part.write_bytes(content)
    os.replace(part, path)
    return path
