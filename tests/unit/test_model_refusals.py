"""Models that cannot be: damaged files of every kind end in one refusal, and unsupported ones in all their reasons."""

import random
import resource
import struct

import pytest

pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")

import numpy as np

from kittiwake.errors import UsageError
from kittiwake.model import compiler
from kittiwake.model.emit import kwm
from kittiwake.model.read import flatbuffer
from kittiwake.model.read.refusal import ModelRefused
from tests.support.refusals import survives
from tests.support.tflite_builder import FLOAT32, INT32, NONE, OPS, options
from tests.support.tflite_graphs import random_model
from tests.support.tflite_net import Net


@pytest.mark.parametrize("seed", [1, 12, 28])
def test_truncated_model_is_refused(seed):
    content = random_model(seed, small=True)[0]
    assert survives(content)
    step = max(1, len(content) // 250)
    for size in range(0, len(content) - 1, step):
        survives(content[:size])
    assert not survives(content[: len(content) // 2])


def test_model_with_damaged_bytes_is_refused_or_compiled_never_worse():
    rng = random.Random(5)
    refused = 0
    for seed in range(60):
        content = bytearray(random_model(seed, small=True)[0])
        for _ in range(15):
            broken = bytearray(content)
            for _ in range(rng.choice((1, 1, 2, 8))):
                broken[rng.randrange(len(broken))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
            refused += not survives(bytes(broken))
    assert refused > 200


def test_model_with_hostile_words_is_refused_or_compiled_never_worse():
    """Offsets and counts: every other word in turn becomes huge, negative, or leads back to the start."""
    content = random_model(28, small=True)[0]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for at in range(0, min(len(content), 2400) - 4, 8):
        for value in (0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 4, 0):
            survives(content[:at] + struct.pack("<I", value) + content[at + 4 :])
    # What a count claims is never asked for: 2^31 of anything would show.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 256 << 10  # KiB


@pytest.mark.parametrize(
    "content", [b"", b"TFL3", b"\0" * 64, b"\x1c\0\0\0TFL3" + b"\xff" * 4000, bytes(range(256)) * 8]
)
def test_garbage_is_refused(content):
    with pytest.raises(ModelRefused):
        compiler.compile_model(content)


def test_file_beyond_the_limit_is_refused(monkeypatch):
    monkeypatch.setattr(flatbuffer, "MAX_BYTES", 1000)
    with pytest.raises(ModelRefused, match="1000 are the most"):
        compiler.compile_model(bytes(1001))


def net() -> Net:
    return Net(random.Random(1))


def test_unsupported_operators_and_types_are_named_all_at_once():
    made = net()
    x = made.tensor((1, 4, 4, 2), quant=(0.1, 0))
    y = made.tensor((1, 4, 4, 2), quant=(0.1, 0))
    made.op(OPS.ABS, [x], [y], *options("AbsOptions"))
    z = made.tensor((1, 4, 4, 2), FLOAT32)
    made.op(OPS.RELU, [y], [z])
    w = made.tensor((1, 4, 4, 2), quant=(0.5, 0))
    made.op(OPS.LOGISTIC, [y], [w])
    with pytest.raises(ModelRefused) as caught:
        compiler.compile_model(made.bytes(x, w))
    told = "\n".join(caught.value.reasons)
    assert "operator 0 (ABS): is not supported" in told
    assert "operator 1 (RELU): tensor 2 is float32, not int8" in told
    assert "operator 2 (LOGISTIC): its output has the scale 0.5" in told


def test_operator_that_reads_what_is_computed_later_is_refused():
    made = net()
    x = made.tensor((1, 2, 2, 1), quant=(0.1, 0))
    y = made.tensor((1, 2, 2, 1), quant=(0.1, 0))
    z = made.tensor((1, 2, 2, 1), quant=(0.1, 0))
    made.op(OPS.ADD, [x, z], [y], *options("AddOptions", fusedActivationFunction=NONE))
    made.op(OPS.ADD, [x, y], [z], *options("AddOptions", fusedActivationFunction=NONE))
    with pytest.raises(ModelRefused, match="operator 0 .ADD.: reads tensor 2 before it is computed"):
        compiler.compile_model(made.bytes(x, z))


def test_shape_of_nothing_is_refused():
    made = net()
    x = made.tensor((0, 2, 2, 1), quant=(0.1, 0))
    y = made.unary(x, "RELU")
    with pytest.raises(ModelRefused, match=r"input tensor 0 has the empty shape \[0, 2, 2, 1\]"):
        compiler.compile_model(made.bytes(x, y))


def test_shape_that_follows_from_data_is_refused():
    made = net()
    x = made.tensor((1, 2, 2, 1), quant=(0.1, 0))
    sizes = made.tensor((2,), INT32)  # computed by nothing
    y = made.tensor((1, 4), quant=(0.1, 0))
    made.op(OPS.EXPAND_DIMS, [sizes, made.ints(0, ())], [made.tensor((1, 2), INT32)], *options("ExpandDimsOptions"))
    made.op(OPS.RESHAPE, [x, sizes], [y], *options("ReshapeOptions"))
    with pytest.raises(ModelRefused) as caught:
        compiler.compile_model(made.bytes(x, y))
    reasons = "\n".join(caught.value.reasons)
    assert "operator 0 (EXPAND_DIMS): is not supported" in reasons
    assert "operator 1 (RESHAPE): reads tensor 1 before it is computed" in reasons


def test_declared_shape_that_is_wrong_is_refused():
    made = net()
    x = made.tensor((1, 6, 6, 2), quant=(0.1, 0))
    y = made.conv(x, 3)
    made.graph.tensors[y].shape = [1, 1, 1, 300]
    with pytest.raises(ModelRefused, match="declared"):
        compiler.compile_model(made.bytes(x, y))


def test_weights_that_are_computed_are_refused():
    made = net()
    x = made.tensor((1, 4), quant=(0.1, 0))
    y = made.tensor((1, 4), quant=(0.1, 0))
    made.op(OPS.FULLY_CONNECTED, [x, x], [y], *options("FullyConnectedOptions"))
    with pytest.raises(ModelRefused, match="input 1 is not constant"):
        compiler.compile_model(made.bytes(x, y))


def test_accumulator_out_of_reach_is_refused():
    made = net()
    x = made.tensor((1, 4), quant=(0.1, 0))
    w = made.tensor((1, 4), data=np.full((1, 4), 9, np.int8), scales=[0.1])
    b = made.tensor((1,), INT32, data=np.array([1_990_000_000], np.int32), scales=[0.01])
    y = made.tensor((1, 1), quant=(200_000.0, 0))  # the bias is 99.5 of its steps
    made.op(OPS.FULLY_CONNECTED, [x, w, b], [y], *options("FullyConnectedOptions"))
    with pytest.raises(ModelRefused, match="its accumulators reach 1990004608 in channel 0, 2.30 is the limit"):
        compiler.compile_model(made.bytes(x, y))


def test_softmax_of_more_classes_than_tflite_micro_sums_is_refused():
    for classes, refused in ((511, False), (512, True)):
        made = net()
        x = made.tensor((1, classes), quant=(0.1, 0))
        y = made.tensor((1, classes), quant=(1 / 256, -128))
        made.op(OPS.SOFTMAX, [x], [y], *options("SoftmaxOptions", beta=1.0))
        assert survives(made.bytes(x, y)) != refused


def test_budgets_are_kept_and_all_named():
    content = random_model(3)[0]
    made = compiler.compile_model(content)
    used = made.scratch + made.state
    compiler.compile_model(content, ram_bytes=used, flash_bytes=len(made.plan))
    with pytest.raises(ModelRefused) as caught:
        compiler.compile_model(content, ram_bytes=used - 1, flash_bytes=10)
    assert len(caught.value.reasons) == 2


def test_unknown_instruction_set_is_a_usage_error():
    with pytest.raises(UsageError, match="no instruction set is called 'avr'"):
        compiler.compile_model(random_model(3)[0], "avr")


def test_compiling_twice_gives_the_same_bytes():
    for seed in range(8):
        content = random_model(seed)[0]
        assert compiler.compile_model(content).plan == compiler.compile_model(content).plan


def test_header_tells_what_the_plan_takes():
    content, shape, _ = random_model(3)
    made = compiler.compile_model(content, "thumb2")
    header = kwm.read_header(made.plan)
    assert (header.weight_layout, header.size) == ("quads", len(made.plan))
    assert (header.scratch, header.state, header.input_bytes) == (made.scratch, made.state, int(np.prod(shape)))


def test_float_model_is_told_in_one_line_with_the_mend():
    made = net()
    x = made.tensor((1, 8), FLOAT32)
    first = x
    for _ in range(900):
        y = made.tensor((1, 8), FLOAT32)
        made.op(OPS.RELU, [x], [y])
        x = y
    for _ in range(3):
        y = made.tensor((1, 8), FLOAT32)
        made.op(OPS.ABS, [x], [y], *options("AbsOptions"))
        x = y
    with pytest.raises(ModelRefused) as caught:
        compiler.compile_model(made.bytes(first, x), name="net.tflite")
    assert len(caught.value.reasons) > 900
    line = str(caught.value)
    assert len(line) < 600
    assert "operator 0 (RELU): tensor 0 is float32, not int8 or int16, and " in line
    assert "more like it (operators 0, 1, 1, …)" in line
    assert "operator 900 (ABS): is not supported, and 2 more like it (operators 901, 902)" in line
    assert "this is a float model: convert it with a representative data set" in line


def test_reasons_without_end_are_counted():
    line = str(ModelRefused([f"cause {chr(97 + i)}" for i in range(20)]))
    assert "cause f; and 14 causes more" in line and "cause g" not in line
