"""Operators that Keras's layers become beyond a wake word's: TFLite Micro's bytes in each layout, or a refusal."""

import random
from collections import Counter

import numpy as np
import pytest

pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")

from kittiwake.errors import KittiwakeError
from kittiwake.model import compiler
from kittiwake.model.read.refusal import ModelRefused
from tests.parity import models
from tests.parity.boards import ThisProcess
from tests.support import network_tally
from tests.support.hil import SOAK
from tests.support.tflite_builder import OPS, options
from tests.support.tflite_more import MoreNet, random_log_softmax, random_network

NETWORKS = 3000 if SOAK else 300
WANTED = {
    *("TRANSPOSE", "RESIZE_NEAREST_NEIGHBOR", "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND", "REDUCE_MAX", "SUB"),
    *("MAXIMUM", "MINIMUM", "LEAKY_RELU", "ELU", "PRELU", "TRANSPOSE_CONV", "BATCH_MATMUL"),
    *("PACK", "UNPACK", "SLICE"),
}


def test_random_networks_equal_tflite_micro(unix, micro):
    used = Counter()
    outputs = set()
    for seed in range(NETWORKS):
        content, size, operators = random_network(seed)
        data = models.inputs(size, 4, seed)
        expected, _ = micro.run(content, data)
        assert models.run(unix, "viper", compiler.compile_model(content).plan, data) == expected, (seed, operators)
        if seed % 10 == 0:
            isa = ("viper", "thumb2", "dsp")[seed // 10 % 3]
            plan = compiler.compile_model(content, isa).plan
            assert models.run(ThisProcess(), "plain", plan, data) == expected, (seed, isa)
        network_tally.add("unix", "viper", "graphs", len(data))
        used.update(operators)
        outputs |= set(expected)
    assert {name for name in WANTED if used[name] >= NETWORKS // 20} == WANTED
    assert len(outputs) > NETWORKS


def test_padding_of_a_block_is_the_zero_point():
    # As TFLite defines it; TFLite Micro leaves there what was in its memory, so that it is no reference for this.
    net = MoreNet(random.Random(1))
    x = net.tensor((1, 3, 1), quant=(0.1, 7))
    y = net.tensor((2, 3, 1), quant=(0.1, 7))
    net.op(OPS.SPACE_TO_BATCH_ND, [x, net.ints([2]), net.ints([(1, 2)])], [y], *options("SpaceToBatchNDOptions"))
    plan = compiler.compile_model(net.bytes(x, y)).plan
    # 7 | 10 20 30 | 7 7: even places first, then odd ones.
    assert models.run(ThisProcess(), "plain", plan, [bytes([10, 20, 30])]) == [bytes([7, 20, 7, 10, 30, 7])]


@pytest.mark.parametrize("size", [[7, 4], [2, 4], [4, 3]])
def test_resize_to_what_is_no_multiple_is_refused(size):
    net = MoreNet(random.Random(1))
    x = net.tensor((1, 3, 2, 1), quant=(0.1, 0))
    y = net.tensor((1, *size, 1), quant=(0.1, 0))
    o = options("ResizeNearestNeighborOptions", alignCorners=False, halfPixelCenters=False)
    net.op(OPS.RESIZE_NEAREST_NEIGHBOR, [x, net.ints(size)], [y], *o)
    with pytest.raises(ModelRefused, match="operator 0 .RESIZE_NEAREST_NEIGHBOR.: has options or constants"):
        compiler.compile_model(net.bytes(x, y))


def test_axes_that_are_no_permutation_are_refused():
    net = MoreNet(random.Random(1))
    x = net.tensor((1, 2, 2), quant=(0.1, 0))
    y = net.tensor((1, 2, 2), quant=(0.1, 0))
    net.op(OPS.TRANSPOSE, [x, net.ints([0, 1, 1])], [y], *options("TransposeOptions"))
    with pytest.raises(ModelRefused, match="operator 0 .TRANSPOSE."):
        compiler.compile_model(net.bytes(x, y))


def test_blocks_of_a_shape_that_is_not_stored_are_refused_with_the_mend():
    # What a converter leaves of a dilated Conv1D when the batch is open: the stored shapes contradict the blocks.
    net = MoreNet(random.Random(1))
    x = net.tensor((1, 8, 4), quant=(0.1, 0))
    y = net.tensor((1, 4, 4), quant=(0.1, 0))
    net.op(OPS.SPACE_TO_BATCH_ND, [x, net.ints([2]), net.ints([(0, 0)])], [y], *options("SpaceToBatchNDOptions"))
    with pytest.raises(ModelRefused, match=r"gives \[2, 4, 4\], its output is declared \[1, 4, 4\]") as caught:
        compiler.compile_model(net.bytes(x, y))
    assert "convert it with a batch of 1" in caught.value.mend


def test_negative_slope_is_refused():
    net = MoreNet(random.Random(1))
    x = net.tensor((1, 4), quant=(0.1, 0))
    y = net.tensor((1, 4), quant=(0.1, 0))
    net.op(OPS.LEAKY_RELU, [x], [y], *options("LeakyReluOptions", alpha=-0.5))
    with pytest.raises(ModelRefused, match="its slope -0.5 is negative or beyond"):
        compiler.compile_model(net.bytes(x, y))


def test_tile_equals_tflite(unix):
    """TFLite Micro has no TILE."""
    pytest.importorskip("ai_edge_litert", reason="no wheel of ai-edge-litert for this machine")
    from tests.parity.test_tflite_reference import of_litert

    for seed in range(30):
        net = MoreNet(random.Random(seed))
        shape = tuple(net.rng.randint(1, 4) for _ in range(net.rng.randint(1, 4)))
        times = [net.rng.randint(1, 3) for _ in shape]
        x = net.tensor(shape, quant=(0.1, 5))
        y = net.tensor([n * more for n, more in zip(shape, times, strict=True)], quant=(0.1, 5))
        net.op(OPS.TILE, [x, net.ints(times)], [y])
        content = net.bytes(x, y)
        data = models.inputs(len(bytes(np.zeros(shape, np.int8))), 3, seed)
        expected = of_litert(content, data)
        assert models.run(unix, "viper", compiler.compile_model(content).plan, data) == expected, seed


def test_tile_of_another_shape_is_refused():
    net = MoreNet(random.Random(1))
    x = net.tensor((1, 3), quant=(0.1, 5))
    y = net.tensor((1, 7), quant=(0.1, 5))
    net.op(OPS.TILE, [x, net.ints([1, 2])], [y])
    with pytest.raises(ModelRefused, match=r"gives \[1, 6\], its output is declared \[1, 7\]"):
        compiler.compile_model(net.bytes(x, y))


def test_transposed_convolution_of_another_shape_is_refused():
    net = MoreNet(random.Random(1))
    x = net.tensor((1, 3, 3, 2), quant=(0.1, 5))
    y = net.transposed(x)
    net.graph.tensors[y].shape = [1, 3, 3, 1]
    with pytest.raises(ModelRefused, match="its output is declared"):
        compiler.compile_model(net.bytes(x, y))


def test_slopes_of_another_shape_are_refused():
    net = MoreNet(random.Random(1))
    x = net.tensor((1, 4, 6), quant=(0.1, 5))
    y = net.tensor((1, 4, 6), quant=(0.1, 5))
    slopes = net.tensor((4,), quant=(0.1, 0), data=np.ones(4, np.int8))
    net.op(OPS.PRELU, [x, slopes], [y])
    with pytest.raises(ModelRefused, match=r"its slopes \[4\] do not go together with \[1, 4, 6\]"):
        compiler.compile_model(net.bytes(x, y))


def test_product_whose_sums_are_out_of_reach_is_refused_and_no_more():
    """Regression: what read its output said that this was not constant."""
    net = MoreNet(random.Random(1))
    x = net.tensor((4, 4), quant=(1e6, 0))
    y = net.tensor((4, 4), quant=(1e-6, 0))
    net.op(OPS.BATCH_MATMUL, [x, x], [y], *options("BatchMatMulOptions", adjX=False, adjY=False))
    with pytest.raises(ModelRefused, match=r"its sums of 4 products reach 2\^30") as caught:
        compiler.compile_model(net.bytes(x, net.unary(y, "RELU")))
    assert len(caught.value.reasons) == 1


def test_log_softmax_equals_tflite_micro(unix, micro):
    outputs = set()
    for seed in range(NETWORKS // 10):
        content, size = random_log_softmax(seed)
        data = models.inputs(size, 8, seed)
        expected, _ = micro.run(content, data)
        plan = compiler.compile_model(content).plan
        assert models.run(unix, "viper", plan, data) == expected, seed
        if seed % 4 == 0:
            assert models.run(ThisProcess(), "plain", plan, data) == expected, seed
        network_tally.add("unix", "viper", "graphs", len(data))
        outputs |= {byte for output in expected for byte in output}
    assert len(outputs) > 200  # nearly every byte that it can give


@pytest.mark.parametrize(
    ("classes", "scale", "quant", "says"),
    [
        (4096, 0.1, (1 / 16, 127), "no count of classes up to 4095"),
        (4, 2**-26, (1 / 16, 127), "is out of range"),
        (4, 0.1, (1 / 32, 127), "its output has the scale 0.03125 and the zero point 127, not"),
    ],
)
def test_log_softmax_that_tflite_micro_does_not_define_is_refused(classes, scale, quant, says):
    net = MoreNet(random.Random(1))
    x, y = net.tensor((1, classes), quant=(scale, 0)), net.tensor((1, classes), quant=quant)
    net.op(OPS.LOG_SOFTMAX, [x], [y], *options("LogSoftmaxOptions"))
    with pytest.raises(ModelRefused, match=says):
        compiler.compile_model(net.bytes(x, y))


@pytest.mark.parametrize(("kind", "quant"), [("LOGISTIC", (1 / 256, -128)), ("TANH", (1 / 128, 0))])
def test_curves_of_the_least_steps_equal_tflite_micro_and_lesser_ones_are_refused(micro, kind, quant):
    """Regression: the steps of 7.8e-9 that a network gets whose channels all are dead were refused."""
    for scale, is_defined in ((7.84e-9, True), (2**-28, True), (2**-28.5, False)):
        content = _of_one(kind, scale, quant)
        if is_defined:
            plan = compiler.compile_model(content).plan
            rows = [bytes(range(256))]
            assert models.run(ThisProcess(), "plain", plan, rows) == micro.run(content, rows)[0]
        else:
            with pytest.raises(ModelRefused, match="scale 2.63418e-09 is out of range"):
                compiler.compile_model(content)


def test_softmax_of_the_least_steps_equals_tflite_micro_which_dies_of_lesser_ones(micro):
    rows = [bytes(range(256))]
    content = _of_one("SOFTMAX", 2**-25.9, (1 / 256, -128))
    plan = compiler.compile_model(content).plan
    assert models.run(ThisProcess(), "plain", plan, rows) == micro.run(content, rows)[0]
    content = _of_one("SOFTMAX", 2**-26, (1 / 256, -128))
    with pytest.raises(ModelRefused, match="is out of range"):
        compiler.compile_model(content)
    with pytest.raises(KittiwakeError, match="died of this model"):
        micro.run(content, rows)


def _of_one(kind, scale, quant):
    """A network of one operator on 256 bytes."""
    net = MoreNet(random.Random(1))
    x, y = net.tensor((1, 256), quant=(scale, 5)), net.tensor((1, 256), quant=quant)
    net.op(getattr(OPS, kind), [x], [y], *(options("SoftmaxOptions", beta=1.0) if kind == "SOFTMAX" else ()))
    return net.bytes(x, y)
