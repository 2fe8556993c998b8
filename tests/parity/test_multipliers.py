"""Factors from accumulators to outputs: double precision, as TFLite Micro has them; where single gives another byte.

Regression: FULLY_CONNECTED, BATCH_MATMUL, SVDF, SUB and LEAKY_RELU divided and multiplied scales in single precision,
as TFLite Micro did until October 2026.
"""

import random
import struct

import numpy as np
import pytest

pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")

from kittiwake.model import compiler
from kittiwake.model.lower import fixed
from tests.parity import models
from tests.parity.boards import ThisProcess
from tests.support.tflite_builder import INT8, INT16, INT32, NONE, OPS, options
from tests.support.tflite_more import MoreNet
from tests.support.tflite_recurrent import RecurrentNet

single = fixed.float32


def scales(rng, *ranges):
    return [single(2 ** rng.uniform(*each)) for each in ranges]


def decided_by_precision(in_single, in_double):
    """Accumulators that one factor rounds to another byte than the other does."""
    one, other = fixed.quantize_multiplier(in_single), fixed.quantize_multiplier(in_double)
    places = [round((k + 0.5) / in_double) + d for k in range(-126, 126) for d in range(-3, 4)]
    return [acc for acc in places if fixed.multiply(acc, *one) != fixed.multiply(acc, *other)]


def held(micro, content, row):
    expected = micro.run(content, [row])[0]
    assert models.run(ThisProcess(), "plain", compiler.compile_model(content).plan, [row]) == expected


def test_fully_connected_multiplies_scales_in_double_precision(micro):
    tried = 0
    for seed in range(20):
        rng = random.Random(seed)
        a, w = scales(rng, (-8, -1), (-8, -1))
        out = single(a * w * 2 ** rng.uniform(12, 16))
        found = decided_by_precision(single(a * w) / out, a * w / out)[:40]
        if not found:
            continue
        net = MoreNet(rng)
        x, y = net.tensor((1, 1), quant=(a, 0)), net.tensor((1, len(found)), quant=(out, 0))
        ones = net.tensor((len(found), 1), INT8, data=np.ones((len(found), 1), np.int8), scales=[w])
        bias = net.tensor((len(found),), INT32, data=np.array(found, np.int32), scales=[a * w])
        o = options("FullyConnectedOptions", fusedActivationFunction=NONE)
        net.op(OPS.FULLY_CONNECTED, [x, ones, bias], [y], *o)
        held(micro, net.bytes(x, y), b"\0")
        tried += len(found)
    assert tried > 50


@pytest.mark.parametrize("kind", [INT8, INT16])
def test_svdf_multiplies_scales_in_double_precision(micro, kind):
    tried = 0
    for seed in range(12):
        rng = random.Random(seed)
        kept, times = scales(rng, (-6, -3), (-8, -5))
        out = single(kept * times * 2 ** rng.uniform(14, 17))
        found = decided_by_precision(single(single(kept * times) / out), kept * times / out)[:40]
        if not found:
            continue
        net, count = RecurrentNet(rng), len(found)
        x, y = net.tensor((1, 1), quant=(0.1, 0)), net.tensor((1, count), quant=(out, 0))
        of_input = net.tensor((count, 1), data=np.ones((count, 1), np.int8), scales=[0.01])
        zeros = np.zeros((count, 1), np.int8 if kind == INT8 else np.int16)
        over_time = net.tensor((count, 1), kind, data=zeros, scales=[times])
        bias = net.tensor((count,), INT32, data=np.array(found, np.int32), scales=[kept * times])
        o = options("SVDFOptions", rank=1, fusedActivationFunction=NONE)
        net.op(OPS.SVDF, [x, of_input, over_time, bias, net.state((1, count), (kept, 0), kind)], [y], *o)
        held(micro, net.bytes(x, y), b"\0")
        tried += count
    assert tried > 50


def test_product_of_matrices_multiplies_scales_in_double_precision(micro):
    tried = 0
    for seed in range(40):
        rng = random.Random(seed)
        a, b = scales(rng, (-8, -1), (-8, -1))
        out = single(a * b * 2 ** rng.uniform(9, 12))
        for acc in decided_by_precision(single(a * b) / out, a * b / out)[:4]:
            # 59 products of 127, and one that makes up the rest.
            factors = [max(-127, min(127, abs(acc) // 127 - 127 * k)) for k in range(59)]
            factors = [max(0, factor) for factor in factors] + [abs(acc) % 127]
            if sum(factors[:-1]) * 127 + factors[-1] != abs(acc):
                continue
            net = MoreNet(rng)
            x, z, y = (
                net.tensor(shape, quant=(scale, 0)) for shape, scale in (((1, 60), a), ((60, 1), b), ((1, 1), out))
            )
            net.op(OPS.BATCH_MATMUL, [x, z], [y], *options("BatchMatMulOptions", adjX=False, adjY=False))
            sign = 1 if acc > 0 else -1
            row = struct.pack("120b", *([127] * 59 + [1]), *(sign * factor for factor in factors))
            held(micro, net.bytes([x, z], y), row)
            tried += 1
    assert tried > 10


@pytest.mark.parametrize(
    ("a", "b", "out", "x", "y"),
    [
        (0.06747239828109741, 0.039997752755880356, 0.11851196736097336, -97, -14),
        (0.05217130854725838, 0.022369325160980225, 0.07492657750844955, -56, -5),
        (0.06347684562206268, 0.05331839248538017, 0.12149229645729065, -54, -111),
        (0.01871342398226261, 0.032164085656404495, 0.07187753170728683, -23, -124),
    ],
)
def test_difference_divides_scales_in_double_precision(micro, a, b, out, x, y):
    net = MoreNet(random.Random(1))
    first, second, result = (net.tensor((1, 1), quant=(scale, 0)) for scale in (a, b, out))
    net.op(OPS.SUB, [first, second], [result], *options("SubOptions", fusedActivationFunction=NONE))
    held(micro, net.bytes([first, second], result), struct.pack("b3xb", x, y))


@pytest.mark.parametrize(
    ("scale", "out", "slope"),
    [
        (0.7998624444007874, 0.7908751964569092, 1.5),
        (0.010018735192716122, 0.013262210413813591, 0.2),
        (0.02808411791920662, 0.03648040071129799, 1.5),
        (0.02844652347266674, 0.05639832466840744, 1.5),
    ],
)
def test_leaky_relu_divides_scales_in_double_precision(micro, scale, out, slope):
    net = MoreNet(random.Random(1))
    x, y = net.tensor((1, 256), quant=(scale, 0)), net.tensor((1, 256), quant=(out, 0))
    net.op(OPS.LEAKY_RELU, [x], [y], *options("LeakyReluOptions", alpha=slope))
    held(micro, net.bytes(x, y), bytes(range(256)))
