"""Compiled models by every kernel of the unix port against TFLite Micro, byte by byte."""

import collections
import os

import pytest

pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")

from kittiwake.model import compiler, layout, oracle
from tests.parity import models
from tests.parity.boards import ThisProcess, UnixPort
from tests.support.tflite_graphs import random_model

SOAK = os.environ.get("KITTIWAKE_SOAK") == "1"
GRAPHS = 3000 if SOAK else 400
# What must have come up among the random graphs, or they test less than they say.
OPERATORS = {
    *("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "AVERAGE_POOL_2D", "MAX_POOL_2D", "MEAN", "ADD", "MUL"),
    *("CONCATENATION", "STRIDED_SLICE", "SPLIT", "SPLIT_V", "RESHAPE", "PAD", "RELU", "LOGISTIC", "TANH", "SOFTMAX"),
    *("QUANTIZE", "DEQUANTIZE", "READ_VARIABLE", "ASSIGN_VARIABLE"),
}


@pytest.fixture(scope="module")
def unix():
    board = UnixPort()
    yield board
    board.close()


@pytest.fixture(scope="module")
def micro():
    with oracle.Oracle() as opened:
        yield opened


def check(board, micro, kernel, content, data, isa=None) -> list[bytes]:
    """Compare one model; returns the outputs."""
    plan = compiler.compile_model(content, isa or kernel).plan
    expected, _ = micro.run(content, data)
    got = models.run(board, kernel, plan, data)
    assert len(got) == len(expected) > 0
    wrong = [i for i, (a, b) in enumerate(zip(got, expected, strict=True)) if a != b]
    assert not wrong, f"{board.name}/{kernel}: invoke {wrong[0]} of {len(data)} differs ({len(wrong)} in all)"
    return got


@pytest.mark.parametrize("name", models.WAKE_WORDS)
def test_wake_word_of_2000_invokes_equals_tflite_micro(unix, micro, name):
    content = models.wake_word(name)
    outputs = check(unix, micro, "viper", content, models.inputs(120, 2000, 1))
    assert len(set(outputs)) >= 1


@pytest.mark.parametrize("name", models.WAKE_WORDS)
def test_wake_word_inner_tensors_equal_tflite_micro(unix, micro, name):
    """The last layer of these saturates on most inputs: what goes into it says more."""
    content = models.wake_word(name)
    tensors = models.inner_tensors(content)
    seen = set()
    for tensor in tensors[-1:] + tensors[:-1:4]:
        seen |= set(check(unix, micro, "viper", models.with_output(content, tensor), models.inputs(120, 30, tensor)))
    assert len(seen) > 100


@pytest.mark.parametrize("isa", ["viper", "thumb2", "dsp"])
def test_wake_word_by_the_definition_equals_tflite_micro_in_each_layout(micro, isa):
    content = models.wake_word("hey_jarvis")
    logits = models.with_output(content, models.inner_tensors(content)[-2])
    check(ThisProcess(), micro, "plain", logits, models.inputs(120, 12, 3), isa)


@pytest.mark.parametrize("part", range(4))
def test_random_graphs_equal_tflite_micro(unix, micro, part):
    seen = collections.Counter()
    for seed in range(part, GRAPHS, 4):
        content, shape, used = random_model(seed)
        size = shape[1] * shape[2] * shape[3]
        check(unix, micro, "viper", content, models.inputs(size, 4, seed))
        if seed % 16 == part:  # the definition, in each layout in turn
            isa = ("viper", "thumb2", "dsp")[seed // 16 % 3]
            check(unix, micro, "plain", content, models.inputs(size, 3, seed), isa)
        seen.update(use[0] for use in used)
    print("\n" + ", ".join(f"{name} {count}" for name, count in sorted(seen.items())))
    assert set(seen) == OPERATORS


def test_model_parity_with_one_weight_bias_or_multiplier_changed_fails(unix, micro):
    """Shows that the comparison can fail: one number of the last dense layer at a time."""
    content = models.wake_word("okay_nabu")
    logits = models.with_output(content, models.inner_tensors(content)[-2])
    compiled = compiler.compile_model(logits, "viper")
    data = models.inputs(120, 60, 7)
    expected, _ = micro.run(logits, data)
    step = [s for s in compiled.program.steps if s.kind == "conv"][-1]
    stream = step.words[2].content
    at = compiled.plan.index(stream)
    weights = layout.filled(64, layout.ROWS, False)
    assert models.run(unix, "viper", compiled.plan, data) == expected
    for what, place, change in (("weight", 4 + 10, 64), ("bias", 1, 8), ("multiplier", 4 + weights + 3, 4)):
        broken = bytearray(compiled.plan)
        broken[at + place] ^= change
        broken = models.resealed(bytes(broken))
        assert models.run(unix, "viper", broken, data) != expected, what
