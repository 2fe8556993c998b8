"""Ends of models: several inputs and outputs, and ends in floats. TFLite Micro's bytes in each layout."""

import random
import struct

import numpy as np
import pytest

pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")

from kittiwake.model import compiler
from kittiwake.model.read.refusal import ModelRefused
from kittiwake.model.run import check
from kittiwake.reference import network
from tests.parity import models
from tests.parity.boards import ThisProcess
from tests.support import network_tally
from tests.support.hil import SOAK
from tests.support.tflite_builder import FLOAT32, OPS, UINT8, options
from tests.support.tflite_ends import random_ends
from tests.support.tflite_net import Net

NETWORKS = 1000 if SOAK else 60


def test_random_ends_equal_tflite_micro(unix, micro):
    kinds, several = set(), 0
    for seed in range(NETWORKS):
        content = random_ends(seed)
        compiled = compiler.compile_model(content)
        inputs, outputs = compiled.program.inputs, compiled.program.outputs
        data = check.inputs_of(inputs, compiled.graph, 6, seed)
        expected, _ = micro.run(content, data)
        assert models.run(unix, "viper", compiled.plan, data) == expected, seed
        if seed % 5 == 0:
            isa = ("viper", "thumb2", "dsp")[seed // 5 % 3]
            plan = compiler.compile_model(content, isa).plan
            assert models.run(ThisProcess(), "plain", plan, data) == expected, (seed, isa)
        network_tally.add("unix", "viper", "graphs", len(data))
        kinds |= {(what, end.tensor.type) for what, ends in (("in", inputs), ("out", outputs)) for end in ends}
        several += len(inputs) > 1 and len(outputs) > 1
    assert kinds >= {("in", "int8"), ("in", "float32"), ("out", "int8"), ("out", "float32"), ("out", "uint8")}
    assert several > NETWORKS // 5


def quantising(scale: float, zero: int, count: int) -> bytes:
    net = Net(random.Random(1))
    x = net.tensor((1, count), FLOAT32)
    y = net.tensor((1, count), quant=(scale, zero))
    net.op(OPS.QUANTIZE, [x], [y], *options("QuantizeOptions"))
    return net.bytes(x, y)


@pytest.mark.parametrize(("scale", "zero"), [(0.1, -128), (1 / 255, 127), (0.0470588, 3), (3e-5, -1), (1e30, 0)])
def test_floats_about_every_tie_equal_tflite_micro(unix, micro, scale, zero):
    """Where a step begins, and its neighbours of a bit less and a bit more; both signs; zeros; the largest."""
    scale = float(np.float32(scale))
    ties = np.array([(k + 0.5) * scale for k in range(-260, 260)], np.float32)
    bits = ties.view(np.uint32)
    near = np.concatenate(
        [(bits.astype(np.int64) + shift).astype(np.uint32).view(np.float32) for shift in range(-3, 4)]
    )
    rows = np.concatenate([near, np.array([0.0, -0.0, 1e-45, -1e-45, 1e3 * scale, -1e3 * scale], np.float32)])
    content = quantising(scale, zero, len(rows))
    plan = compiler.compile_model(content).plan
    expected, _ = micro.run(content, [rows.tobytes()])
    assert models.run(unix, "viper", plan, [rows.tobytes()]) == expected
    assert models.run(ThisProcess(), "plain", plan, [rows.tobytes()]) == expected
    assert len(set(expected[0])) == 256


def test_floats_of_every_size_equal_the_reference(unix):
    """Bits drawn by chance, most of them far outside, and quotients about ties, a hair too little or too much."""
    chance = random.Random(9)
    for _ in range(20):
        scale, zero = float(np.float32(2 ** chance.uniform(-20, 20))), chance.randint(-128, 127)
        drawn = np.array([chance.getrandbits(32) for _ in range(150)], np.uint32).view(np.float32)
        near = [
            np.float32(chance.randint(-300, 300) / 2 * scale * (1 + chance.uniform(-2e-7, 2e-7))) for _ in range(150)
        ]
        values = [float(x) for x in [*drawn, *near] if np.isfinite(x)]
        plan = compiler.compile_model(quantising(scale, zero, len(values))).plan
        expected = bytes(network.quantised(value, scale, zero) & 0xFF for value in values)
        row = struct.pack(f"<{len(values)}f", *values)
        assert models.run(unix, "viper", plan, [row]) == [expected], (scale, zero)


def test_infinities_and_nans_saturate_by_their_sign(unix):
    # In C++ what becomes of them is undefined, so TFLite Micro is no reference.
    words = [0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC00000, 0x7F7FFFFF, 0xFF7FFFFF]
    plan = compiler.compile_model(quantising(0.5, 7, len(words))).plan
    data = [struct.pack(f"<{len(words)}I", *words)]
    for board, kernel in ((unix, "viper"), (ThisProcess(), "plain")):
        assert models.run(board, kernel, plan, data) == [bytes([127, 128] * 3)]


def dense_network(is_float: bool) -> tuple[bytes, list[int]]:
    """A dense layer with ends in bytes, or in floats; and the tensors of the bytes."""
    net = Net(random.Random(5))
    a = net.tensor((1, 6), quant=(0.1, 5))
    b = net.dense(a)
    if not is_float:
        return net.bytes(a, b), [a, b]
    x = net.tensor((1, 6), FLOAT32)
    net.op(OPS.QUANTIZE, [x], [a], *options("QuantizeOptions"))
    net.graph.operators.insert(0, net.graph.operators.pop())
    return net.bytes(x, net.last(b, "DEQUANTIZE")), [a, b]


def test_float_ends_as_bytes_give_what_the_network_between_them_gives(unix, micro):
    compiled = compiler.compile_model(dense_network(is_float=True)[0], byte_ends=True)
    content, tensors = dense_network(is_float=False)
    assert [end.tensor.index for end in (*compiled.program.inputs, *compiled.program.outputs)] == tensors
    assert [op.kind for op in compiled.graph.main.operators] == ["FULLY_CONNECTED"]
    data = models.inputs(6, 20, 1)
    assert models.run(unix, "viper", compiled.plan, data) == micro.run(content, data)[0]


def test_floats_that_something_else_reads_stay_when_bytes_are_asked_for():
    net = Net(random.Random(5))
    x = net.tensor((1, 6), FLOAT32)
    a = net.tensor((1, 6), quant=(0.1, 5))
    net.op(OPS.QUANTIZE, [x], [a], *options("QuantizeOptions"))
    program = compiler.compile_model(net.bytes(x, [a, x]), byte_ends=True).program
    assert [end.tensor.index for end in (*program.inputs, *program.outputs)] == [x, a, x]


def test_floats_to_unsigned_bytes_are_refused():
    net = Net(random.Random(1))
    x = net.tensor((1, 4), FLOAT32)
    y = net.tensor((1, 4), UINT8, quant=(0.1, 128))
    net.op(OPS.QUANTIZE, [x], [y], *options("QuantizeOptions"))
    with pytest.raises(ModelRefused, match="turns floats into uint8, not into int8"):
        compiler.compile_model(net.bytes(x, y))


@pytest.mark.parametrize("what", ["input", "output"])
def test_end_that_is_named_twice_is_refused(what):
    net = Net(random.Random(1))
    x = net.tensor((1, 4), quant=(0.1, 0))
    y = net.unary(x, "RELU")
    ends = ([x, x], y) if what == "input" else (x, [y, y])
    with pytest.raises(ModelRefused, match=f"it names an {what} twice"):
        compiler.compile_model(net.bytes(*ends))
