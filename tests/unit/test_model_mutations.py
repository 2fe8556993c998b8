"""Damaged files of every operator: one refusal or a plan, never worse, within time and memory."""

import random
import resource
import signal

import pytest

pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")

from kittiwake.model import compiler
from kittiwake.model.read.refusal import ModelRefused
from tests.support.hil import SOAK
from tests.support.image_networks import first_layers_large
from tests.support.mutations import mutated
from tests.support.refusals import survives
from tests.support.tflite_builder import OPS, VALID, options
from tests.support.tflite_graphs import from_graph
from tests.support.tflite_more import MoreNet
from tests.support.tflite_singles import SINGLES, single

FILES = 100_000 if SOAK else 1000
_SECONDS = 20  # a file
_MEMORY_KIB = 1 << 20


@pytest.fixture
def clock():
    """Ends a file that takes too long: TimeoutError."""

    def too_long(number, frame):
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, too_long)
    yield lambda: signal.alarm(_SECONDS)
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.timeout(7200 if SOAK else 60)
@pytest.mark.parametrize("kind", SINGLES)
def test_damaged_files_of_an_operator_are_refused_or_compiled_never_worse(kind, clock):
    rng = random.Random(f"mutations of {kind}")
    kept = 0
    for number in range(FILES):
        if number % 100 == 0:
            content = single(kind, rng)
            assert survives(content)
        clock()
        kept += survives(mutated(content, rng))
    assert FILES // 50 < kept < FILES * 19 // 20  # neither is all damage found at the door, nor does none matter
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < _MEMORY_KIB


@pytest.mark.timeout(7200 if SOAK else 60)
def test_damaged_files_of_a_network_in_strips_are_refused_or_compiled_never_worse(clock):
    rng = random.Random("mutations of strips")
    content = from_graph(first_layers_large(32))
    assert compiler.compile_model(content).tiling.cuts
    for _ in range(3000 if SOAK else 5):
        clock()
        survives(mutated(content, rng))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < _MEMORY_KIB


@pytest.mark.parametrize("kind", SINGLES)
def test_scales_at_the_ends_of_single_precision_are_refused_or_compiled_never_worse(kind):
    for seed in range(300 if SOAK else 12):
        survives(single(kind, random.Random(seed), scales=(1e-45, 1.1e-37, 1e-20, 1e20, 9e36, 3e38)))


def test_stride_beyond_a_word_of_the_plan_is_refused():
    """Regression: a damaged stride of 2^31 was no word of a descriptor, and a traceback."""
    net = MoreNet(random.Random(1))
    x = net.tensor((1, 2, 2, 2), quant=(0.1, 0))
    weights, _ = net.weights((2, 1, 1, 2), 2, 0, False, 0)
    y = net.tensor((1, 1, 1, 2), quant=(0.1, 0))
    fields = {"padding": VALID, "strideH": 1 << 30, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
    net.op(OPS.CONV_2D, [x, weights], [y], *options("Conv2DOptions", **fields))
    net.graph.tensors[y].shape = [1, 1, 2, 2]
    with pytest.raises(ModelRefused, match=r"0 CONV_2D: a stride or size of 4294967296 is beyond the 2\^31 of a plan"):
        compiler.compile_model(net.bytes(x, y))


def test_transposed_convolution_without_its_input_is_refused():
    """Regression: with the input left out and a bias there, the last tensor stood for it, and a traceback."""
    net = MoreNet(random.Random(1))
    x = net.tensor((1, 2, 2, 2), quant=(0.1, 0))
    weights, scales = net.weights((2, 1, 1, 2), 2, 0, False, 0)
    y = net.tensor((1, 2, 2, 2), quant=(0.1, 0))
    fields = {"padding": VALID, "strideH": 1, "strideW": 1}
    inputs = [net.ints([1, 2, 2, 2]), weights, -1, net.bias(2, x, scales)]
    net.op(OPS.TRANSPOSE_CONV, inputs, [y], *options("TransposeConvOptions", **fields))
    with pytest.raises(ModelRefused, match=r"0 \(?TRANSPOSE_CONV\)?.*leaves an input out"):
        compiler.compile_model(net.bytes(x, y))
