"""Int16 activations with int8 weights (16x8): TFLite Micro's bytes by viper and by the definition, or a refusal."""

import random
import struct

import numpy as np
import pytest

pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")

from kittiwake.model import compiler
from kittiwake.model.read import halfword_rules
from kittiwake.model.read.refusal import ModelRefused
from kittiwake.model.run import check
from tests.parity import models
from tests.parity.boards import ThisProcess
from tests.support import network_tally
from tests.support.hil import SOAK
from tests.support.tflite_builder import FLOAT32, INT8, INT32, NONE, OPS, RELU6, VALID, options
from tests.support.tflite_halfwords import INT64, HalfNet, random_halfword_network

NETWORKS = 3000 if SOAK else 64


def held(unix, micro, content, data, plain=True):
    """Hold viper, and the definition, against TFLite Micro; returns the outputs."""
    expected, _ = micro.run(content, data)
    plan = compiler.compile_model(content).plan
    assert models.run(unix, "viper", plan, data) == expected
    if plain:
        assert models.run(ThisProcess(), "plain", plan, data) == expected
    network_tally.add("unix", "viper", "16x8", len(data))
    return expected


def halves(content):
    return struct.unpack(f"<{len(content) // 2}h", content)


def test_random_networks_of_16x8_equal_tflite_micro(unix, micro):
    used, ends = set(), set()
    for seed in range(NETWORKS):
        content, operators = random_halfword_network(seed, small=seed % 8 == 0)
        compiled = compiler.compile_model(content)
        data = check.inputs_of(compiled.program.inputs, compiled.graph, 4, seed)
        outputs = held(unix, micro, content, data, plain=seed % 8 == 0)
        if compiled.program.outputs[0].tensor.type == "int16":
            ends |= {value for output in outputs for value in halves(output)} & {-32768, 32767}
        used |= {entry[0] for entry in operators}
    assert ends == {-32768, 32767}
    assert {"QUANTIZE of floats", "QUANTIZE of bytes", "QUANTIZE to bytes"} <= used
    assert used >= halfword_rules.KINDS


def _dense(net, x, weights, biases, scales, out_scale, activation=NONE):
    w = net.tensor(weights.shape, INT8, data=weights.astype(np.int8), scales=np.atleast_1d(scales).tolist())
    worth = float(np.float32(net.quants[x][0] * np.atleast_1d(scales)[0]))
    b = net.tensor((len(weights),), INT64, data=np.array(biases, np.int64), scales=[worth])
    y = net.tensor((1, len(weights)), quant=(float(np.float32(out_scale)), 0))
    net.op(OPS.FULLY_CONNECTED, [x, w, b], [y], *options("FullyConnectedOptions", fusedActivationFunction=activation))
    return y


@pytest.mark.parametrize("inputs", [1, 127, 128, 129, 1000, 12000])
def test_accumulators_beyond_32_bits_equal_tflite_micro(unix, micro, inputs):
    """All weights and inputs at their ends, and biases of 40 bits: nothing wraps, whatever the order."""
    net = HalfNet(random.Random(1))
    x = net.tensor((1, inputs), quant=(2**-11, 0))
    weights = np.array([[127] * inputs, [-127] * inputs, [(-1) ** i * 127 for i in range(inputs)], [0] * inputs])
    biases = [1 << 40, -(1 << 40), 77, -3]
    # What an accumulator is worth, so that all that the inputs add shows, beside a bias of 2^14 steps.
    factors = [2.0**-26, 2.0**-26, 2**14 / (inputs * 127 * 2**15), 0.25]
    content = net.bytes(x, _dense(net, x, weights, biases, [factor * 2**11 for factor in factors], 1.0))
    rows = [struct.pack("<h", end) * inputs for end in (-32768, 32767, 0)]
    rows.append(b"".join(struct.pack("<h", (32767, -32768)[i % 2]) for i in range(inputs)))
    outputs = held(unix, micro, content, rows, plain=inputs < 200)
    assert len(set(outputs)) > 2


@pytest.mark.parametrize("factor", [2.0**-k for k in (31, 20, 17, 16, 15, 8, 2, 1, 0)] + [2.0**k for k in (1, 4, 6.5)])
def test_every_size_of_a_multiplier_equals_tflite_micro(unix, micro, factor):
    net = HalfNet(random.Random(1))
    x = net.tensor((1, 2), quant=(2**-11, 0))
    biases = [round(17 / factor) + k for k in range(-6, 7)] + [-round(40 / factor), 0, 1, -1]
    weights = np.array([[1, -1]] * len(biases))
    content = net.bytes(x, _dense(net, x, weights, biases, 2**-9, 2**-20 / factor * 0.83))
    rows = [struct.pack("<2h", a, b) for a, b in ((0, 0), (1, 0), (0, 3), (7, -7), (32767, -32768), (-32768, 32767))]
    assert len(set(held(unix, micro, content, rows))) > (1 if factor > 2**-16 else 0)


def test_channel_without_weights_is_its_constant_whatever_its_bias(unix, micro):
    net = HalfNet(random.Random(1))
    x = net.tensor((1, 3), quant=(2**-11, 0))
    biases = [0, 1, -1, 1 << 30, -(1 << 36), (1 << 46) + 12345]
    content = net.bytes(x, _dense(net, x, np.zeros((6, 3)), biases, 2**-9, 2**-20, RELU6))
    assert len(set(halves(held(unix, micro, content, [struct.pack("<3h", 1, 2, 3)])[0]))) > 2


def test_curves_equal_tflite_micro_for_every_input(unix, micro):
    for kind in ("LOGISTIC", "TANH"):
        for scale in (2**-12, 2**-11, 3.1e-4, 2.5, 2**-43):
            net = HalfNet(random.Random(1))
            x = net.tensor((1, 65536), quant=(float(np.float32(scale)), 0))
            content = net.bytes(x, net.unary(x, kind))
            held(unix, micro, content, [struct.pack("<65536h", *range(-32768, 32768))], plain=False)


def test_softmax_of_16_bits_equals_tflite_micro(unix, micro):
    outputs = set()
    for seed in range(40):
        rng = random.Random(seed)
        net = HalfNet(rng)
        rows, classes = rng.randint(1, 3), rng.choice((1, 2, 3, 10, 100, 1000))
        x = net.tensor((rows, classes), quant=(float(np.float32(2 ** rng.uniform(-18, -1))), 0))
        content = net.bytes(x, net.unary(x, "SOFTMAX"))
        count = rows * classes
        data = [
            struct.pack(f"<{count}h", *(rng.randint(-most, most) for _ in range(count))) for most in (9, 999, 32767)
        ]
        data += [struct.pack("<h", -32768) * count]
        for output in held(unix, micro, content, data, plain=classes < 50):
            outputs |= set(halves(output))
    assert len(outputs) > 800


def test_floats_of_every_size_become_halfwords_and_halfwords_floats(unix, micro):
    rng = random.Random(7)
    for scale in (1.0, 0.1, 3.1e-5, 1.1e-37, 7e3, 2.0**-15, 1e30):
        net = HalfNet(rng)
        floats, x = net.tensor((1, 4000), FLOAT32), net.tensor((1, 4000), quant=(float(np.float32(scale)), 0))
        net.op(OPS.QUANTIZE, [floats], [x], *options("QuantizeOptions"))
        content = net.bytes([floats], [x, net.last(x, "DEQUANTIZE")])
        step = np.float32(scale)
        steps = [
            rng.choice((rng.uniform(-40000, 40000), rng.randint(-99, 99) + 0.5, rng.uniform(-3, 3)))
            for _ in range(3990)
        ]
        values = [np.float32(value) * step for value in steps] + [np.float32(0), np.float32(-0.0), np.float32(1e-45)]
        values += [np.nextafter(np.float32(k + 0.5) * step, np.float32(k)) for k in range(7)]
        held(unix, micro, content, [np.array(values, np.float32).tobytes()], plain=scale == 0.1)


def refused(match, make, *change):
    net = HalfNet(random.Random(3))
    x = net.tensor((1, 4, 4, 2), quant=(2**-11, 0))
    y = make(net, x)
    for each in change:
        each(net)
    with pytest.raises(ModelRefused, match=match):
        compiler.compile_model(net.bytes(x, y))


def test_16x8_that_kernels_or_tflite_micro_do_not_define_is_refused():
    def last(net):
        return net.graph.tensors[len(net.graph.tensors) - 1]

    def of_type(index, kind):
        return lambda net: setattr(net.graph.tensors[index], "type", kind)

    def scaled(index, scale):
        return lambda net: setattr(net.graph.tensors[index].quantization, "scale", [scale])

    def moved(net):
        last(net).quantization.zeroPoint = [3]

    def accumulates_32_bits(net):
        net.graph.operators[0].builtinOptions.quantizedBiasType = INT32
        net.graph.operators[0].inputs = net.graph.operators[0].inputs[:2]

    weighed = lambda net, x: _dense(net, net.reshape(x, (1, 32)), np.ones((3, 32)), [1, 2, 3], 2**-9, 2**-11)  # noqa: E731
    refused(r"tensor \d+ is int16, not int8", lambda net, x: net.largest(x))
    refused("its bias is int32", weighed, _with_short_bias)
    refused("int64 is what 16x8 has here", lambda net, x: net.conv(x), accumulates_32_bits)
    refused("mixes int16 and int8", lambda net, x: net.pool(x), lambda net: of_type(len(net.shapes) - 1, INT8)(net))
    refused(r"has the zero point 3, outside 0 \.\. 0", lambda net, x: net.pool(x), moved)
    refused("its accumulators reach", weighed, _with_large_bias)
    refused(
        "its output's scale is too small for its input's and its weights'", weighed, lambda net: scaled(-1, 1e-9)(net)
    )
    refused("its output's scale is too small", lambda net, x: net.unary(x, "RELU"), lambda net: scaled(-1, 1e-9)(net))
    refused("its input's scale 4 is out of range", lambda net, x: net.unary(x, "TANH"), lambda net: scaled(0, 4.0)(net))
    refused(
        "has the scale 0.5 and the zero point 0, not",
        lambda net, x: net.unary(x, "LOGISTIC"),
        lambda net: scaled(-1, 0.5)(net),
    )
    refused("is out of range", lambda net, x: net.unary(x, "SOFTMAX"), lambda net: scaled(0, 2.0)(net))


def _bias_of(net):
    return next(tensor for tensor in net.graph.tensors if tensor.type == INT64)


def _with_large_bias(net):
    net.model.buffers[_bias_of(net).buffer].data = np.frombuffer(struct.pack("<3q", 1, 1 << 46, 3), np.uint8)


def _with_short_bias(net):
    bias = _bias_of(net)
    net.model.buffers[bias.buffer].data = np.frombuffer(struct.pack("<3i", 1, 2, 3), np.uint8)
    bias.type = INT32


def test_filter_longer_than_a_sum_of_32_bits_is_refused():
    net = HalfNet(random.Random(3))
    x = net.tensor((1, 300, 1, 2), quant=(2**-11, 0))
    w = net.tensor((1, 256, 1, 2), INT8, data=np.ones((1, 256, 1, 2), np.int8), scales=[0.1])
    y = net.tensor((1, 45, 1, 2), quant=(2**-5, 0))
    fields = {"padding": VALID, "strideH": 1, "strideW": 1, "depthMultiplier": 1}
    net.op(OPS.DEPTHWISE_CONV_2D, [x, w], [y], *options("DepthwiseConv2DOptions", **fields))
    with pytest.raises(ModelRefused, match="its filter is longer than 255"):
        compiler.compile_model(net.bytes(x, y))


@pytest.mark.parametrize(
    ("what", "place", "change"), [("weight", 12, 64), ("bias", 4, 200), ("factor", 7, 8), ("shift", 8, 1)]
)
def test_parity_of_16x8_with_one_number_changed_fails(unix, micro, what, place, change):
    """Shows that the comparison can fail."""
    net = HalfNet(random.Random(5))
    x = net.tensor((1, 8), quant=(2**-11, 0))
    weights = np.arange(-12, 12).reshape(3, 8)
    content = net.bytes(x, _dense(net, x, weights, [1, 2, 3], 2**-9, 2**-14))
    compiled = compiler.compile_model(content)
    data = check.inputs_of(compiled.program.inputs, compiled.graph, 12)
    (step,) = compiled.program.steps
    at = compiled.plan.index(next(word.content for word in step.words if hasattr(word, "content")))
    broken = bytearray(compiled.plan)
    broken[at + place] ^= change
    expected = micro.run(content, data)[0]
    assert models.run(unix, "viper", compiled.plan, data) == expected
    assert models.run(unix, "viper", models.resealed(bytes(broken)), data) != expected, what
