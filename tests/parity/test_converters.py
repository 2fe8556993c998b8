"""Models as converters leave them: an open batch, shape arithmetic, pruned channels. Byte for byte TFLite Micro's."""

import random

import numpy as np
import pytest

pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")

from kittiwake.model import compiler
from kittiwake.model.lower import weights as weight_streams
from kittiwake.model.read.refusal import ModelRefused
from tests.parity import models
from tests.parity.boards import ThisProcess
from tests.support.tflite_builder import FLOAT32, INT32, NONE, OPS, RELU6, VALID, options
from tests.support.tflite_net import Net

# Which kernels' layouts `plain` reads.
LAYOUTS = ("viper", "thumb2", "dsp")


def outputs_of(content, size, micro):
    """Hold each layout against TFLite Micro; returns the outputs."""
    data = models.inputs(size, 12, 5)
    expected, _ = micro.run(content, data)
    for isa in LAYOUTS:
        plan = compiler.compile_model(content, isa).plan
        assert models.run(ThisProcess(), "plain", plan, data) == expected, isa
    return expected


def open_batch(net):
    """Leave the first dimension of every activation open, as a converter does that was told no batch."""
    for tensor in net.graph.tensors:
        if tensor.buffer == 0 and len(tensor.shape):
            tensor.shapeSignature = [-1, *tensor.shape[1:]]


def batch_of(net, x, shrink=1):
    """SHAPE and STRIDED_SLICE: the batch of a tensor, as a number that is computed while the model runs."""
    shape = net.tensor((len(net.shapes[x]),), INT32)
    net.op(OPS.SHAPE, [x], [shape], *options("ShapeOptions", outType=2))
    batch = net.tensor(() if shrink else (1,), INT32)
    fields = {"beginMask": 0, "endMask": 0, "ellipsisMask": 0, "newAxisMask": 0, "shrinkAxisMask": shrink}
    net.op(
        OPS.STRIDED_SLICE,
        [shape, net.ints([0]), net.ints([1]), net.ints([1])],
        [batch],
        *options("StridedSliceOptions", **fields),
    )
    return batch


def reshape(net, x, sizes):
    """Keras's Reshape or Flatten: the batch is computed and packed with what is known."""
    parts = [batch_of(net, x), *(net.ints(size, ()) for size in sizes)]
    packed = net.tensor((len(parts),), INT32)
    net.op(OPS.PACK, parts, [packed], *options("PackOptions", valuesCount=len(parts), axis=0))
    y = net.tensor((1, *sizes), quant=net.quants[x])
    net.op(OPS.RESHAPE, [x, packed], [y], *options("ReshapeOptions"))
    return y


def test_conv1d_and_flatten_of_an_open_batch_equal_tflite_micro(micro):
    found = []
    for seed in range(20):
        net = Net(random.Random(seed))
        length, depth = net.rng.randint(4, 12), net.rng.randint(1, 6)
        x = net.tensor((1, length, depth), quant=net.quant(0.05))
        image = net.tensor((1, 1, length, depth), quant=net.quants[x])
        axis = net.ints(net.rng.choice((1, -3)), ())
        net.op(OPS.EXPAND_DIMS, [x, axis], [image], *options("ExpandDimsOptions"))
        y = net.conv(image)
        flat = reshape(net, y, [int(np.prod(net.shapes[y]))])
        z = net.dense(flat)
        open_batch(net)
        found += outputs_of(net.bytes(x, z), length * depth, micro)
    assert len(set(found)) > 50


def test_reshape_and_squeeze_of_an_open_batch_equal_tflite_micro(micro):
    net = Net(random.Random(3))
    x = net.tensor((1, 24), quant=(0.1, 3))
    image = reshape(net, x, [1, 6, 4])
    flat = net.tensor((1, 6, 4), quant=(0.1, 3))
    net.op(OPS.SQUEEZE, [image], [flat], *options("SqueezeOptions", squeezeDims=[1]))
    y = net.unary(flat, "TANH")
    open_batch(net)
    assert len(set(outputs_of(net.bytes(x, y), 24, micro))) == 12


def test_shape_joined_from_pieces_equals_tflite_micro(micro):
    # CONCATENATION of what a model cuts out of its shape, and what it appends.
    net = Net(random.Random(4))
    x = net.tensor((1, 4, 6), quant=(0.1, 3))
    first = batch_of(net, x, shrink=0)
    joined = net.tensor((3,), INT32)
    o = options("ConcatenationOptions", axis=0, fusedActivationFunction=NONE)
    net.op(OPS.CONCATENATION, [first, net.ints([8]), net.ints([3])], [joined], *o)
    y = net.tensor((1, 8, 3), quant=(0.1, 3))
    net.op(OPS.RESHAPE, [x, joined], [y], *options("ReshapeOptions"))
    z = net.unary(y, "LOGISTIC")
    assert len(set(outputs_of(net.bytes(x, z), 24, micro))) == 12


def test_shape_changed_in_floats_between_bytes_equals_tflite_micro(micro):
    # LiteRT's quantiser leaves EXPAND_DIMS in floats, and floats of which only SHAPE was wanted; and it writes the
    # codes of what it adds into the wider field alone.
    net = Net(random.Random(6))
    x = net.tensor((1, 4, 6), quant=(0.1, 3))
    floats, image = net.tensor((1, 4, 6), FLOAT32), net.tensor((1, 1, 4, 6), FLOAT32)
    net.op(OPS.DEQUANTIZE, [x], [floats], *options("DequantizeOptions"))
    net.op(OPS.EXPAND_DIMS, [floats, net.ints(1, ())], [image], *options("ExpandDimsOptions"))
    y = net.tensor((1, 1, 4, 6), quant=(0.1, 3))
    net.op(OPS.QUANTIZE, [image], [y], *options("QuantizeOptions"))
    z = net.unary(y, "TANH")
    unread = net.tensor(net.shapes[z], FLOAT32)
    net.op(OPS.DEQUANTIZE, [z], [unread], *options("DequantizeOptions"))
    for code in net.model.operatorCodes:
        if code.builtinCode in (OPS.DEQUANTIZE, OPS.QUANTIZE):
            code.deprecatedBuiltinCode = 0
    assert len(set(outputs_of(net.bytes(x, z), 24, micro))) == 12


def elu_in_floats(net, x):
    """What a converter makes of Keras's ELU: floats between bytes. Returns the bytes behind it, and the floats."""
    floats = [net.tensor(net.shapes[x], FLOAT32) for _ in range(2)]
    net.op(OPS.DEQUANTIZE, [x], [floats[0]], *options("DequantizeOptions"))
    net.op(OPS.ELU, [floats[0]], [floats[1]])
    y = net.tensor(net.shapes[x], quant=net.quant(net.quants[x][0] * 2 ** net.rng.uniform(-2, 2)))
    net.op(OPS.QUANTIZE, [floats[1]], [y], *options("QuantizeOptions"))
    return y, floats


def test_elu_in_floats_between_bytes_equals_tflite_micro(micro):
    seen = set()
    for seed in range(60):
        net = Net(random.Random(seed))
        x = net.tensor((1, 256), quant=net.quant())
        y, _ = elu_in_floats(net, x)
        content = net.bytes(x, y)
        every = [bytes(range(256))]
        plan = compiler.compile_model(content).plan
        expected, _ = micro.run(content, every)
        assert models.run(ThisProcess(), "plain", plan, every) == expected, seed
        seen |= set(expected)
    assert len(seen) > 40


def test_floats_that_are_wanted_elsewhere_are_refused():
    net = Net(random.Random(1))
    x = net.tensor((1, 4), quant=(0.1, 0))
    _, floats = elu_in_floats(net, x)
    with pytest.raises(ModelRefused, match="operator 1 .ELU.: tensor 1 is float32, not int8"):
        compiler.compile_model(net.bytes(x, floats[1]))


@pytest.mark.parametrize("kind", ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"])
def test_pruned_channels_with_huge_biases_equal_tflite_micro(micro, kind):
    """Weights of zero and a bias of about 2^30, of either sign, between channels that compute."""
    biases = np.array([5, 1 << 30, -(1 << 30), 1 << 29, -(1 << 29) + 7, (1 << 31) - 1, -(1 << 31), -40], np.int32)
    channels = len(biases)
    ends = set()
    for seed in range(12):
        rng = random.Random(seed)
        net = Net(rng)
        depth = channels if kind == "DEPTHWISE_CONV_2D" else 3
        x = net.tensor((1, 3, 3, depth), quant=net.quant(0.05))
        shape, axis = {
            "CONV_2D": ((channels, 2, 2, depth), 0),
            "DEPTHWISE_CONV_2D": ((1, 2, 2, channels), 3),
            "FULLY_CONNECTED": ((channels, 9 * depth), 0),
        }[kind]
        values = np.array([rng.randint(-127, 127) for _ in range(int(np.prod(shape)))], np.int8).reshape(shape)
        pruned = [slice(None)] * len(shape)
        pruned[axis] = slice(1, channels - 1)
        values[tuple(pruned)] = 0
        # From accumulators that saturate to ones whose scale leaves a few steps of 2^30.
        scales = [float(np.float32(2 ** rng.uniform(-32, -4))) for _ in biases]
        w = net.tensor(shape, data=values, scales=scales, axis=axis)
        b = net.tensor((channels,), INT32, data=biases, scales=[s * net.quants[x][0] for s in scales])
        size = (1, channels) if kind == "FULLY_CONNECTED" else (1, 2, 2, channels)
        y = net.tensor(size, quant=net.quant(0.1))
        window = {"padding": VALID, "strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
        name, fields = {
            "CONV_2D": ("Conv2DOptions", window),
            "DEPTHWISE_CONV_2D": ("DepthwiseConv2DOptions", window | {"depthMultiplier": 1}),
            "FULLY_CONNECTED": ("FullyConnectedOptions", {}),
        }[kind]
        activation = rng.choice((NONE, RELU6))
        net.op(getattr(OPS, kind), [x, w, b], [y], *options(name, fusedActivationFunction=activation, **fields))
        found = outputs_of(net.bytes(x, y), 9 * depth, micro)
        ends |= set(b"".join(found))
    assert len(ends) > 20


def test_dense_layer_whose_output_has_next_to_no_scale_equals_tflite_micro(micro):
    """Regression: a dead layer's scale makes factors of 2^12, whose accumulators were refused, though any saturates."""
    ends = set()
    for seed, factor in enumerate((200, 255, 257, 300, 511, 512, 1100, 5000, 20_000)):
        rng = random.Random(seed)
        net = Net(rng)
        x = net.tensor((1, 4), quant=(0.5, 3))
        values = np.array([rng.randint(-127, 127) for _ in range(12)], np.int8).reshape(3, 4)
        values[1] = [1, -1, 0, 0]  # 0 where both inputs are the same
        w = net.tensor((3, 4), data=values, scales=[1 / 64])
        y = net.tensor((1, 3), quant=(float(np.float32(0.5 / 64 / factor)), rng.randint(-128, 127)))
        net.op(OPS.FULLY_CONNECTED, [x, w, -1], [y], *options("FullyConnectedOptions", fusedActivationFunction=NONE))
        ends |= set(b"".join(outputs_of(net.bytes(x, y), 4, micro)))
    assert len(ends) > 5  # -128, 127 and what 0 gives
    steep, flat = (weight_streams.channel([100], 0, 3, factor, 0) for factor in (512.0, 255.9))
    assert (steep.m, steep.shift) == (1 << 30, 9) and flat.shift == 8
    # TFLite Micro shifts this one out of 32 bits: what comes of it is nothing to be exact to.
    assert weight_streams.problem([weight_streams.channel([100], 1 << 20, 3, 5000.0, 0)]) is not None


def test_channel_that_saturates_whatever_comes_in_is_that_constant():
    # 1.9e9 with inputs that move it by 9 * 255 at most: at a scale of 0.01 the output is 127 for all of them.
    made = weight_streams.channel([9], 1_900_000_000, 0, 0.01, -3)
    assert (made.weights, made.bias) == ([0], 130)
    assert weight_streams.problem([made]) is None
    # At a scale of 2^-24 the same accumulators are 113 and a fraction: one output as well.
    made = weight_streams.channel([0], 1_900_000_000, 0, 2**-24, -3)
    assert made.bias == 113
    # Where inputs decide between two outputs it is no constant, and out of the kernels' reach.
    half = int(113.5 * 2**24)
    assert weight_streams.problem([weight_streams.channel([9], half, 0, 2**-24, -3)]) is not None
