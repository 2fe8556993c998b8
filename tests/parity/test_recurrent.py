"""Layers with a memory in variable tensors: TFLite Micro's bytes over several invokes, in each layout, or a refusal."""

import random

import pytest

pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")

from kittiwake.model import compiler
from kittiwake.model.read.refusal import ModelRefused
from tests.parity import models
from tests.parity.boards import ThisProcess
from tests.support import network_tally
from tests.support.hil import SOAK
from tests.support.tflite_builder import FLOAT32, INT16
from tests.support.tflite_recurrent import RecurrentNet, random_lstm, random_svdf

# Networks that no converter makes: there is nothing to advise.
UNMENDED = ("its cell", "is used", "and no variable", "leaves input", "squashes")
NETWORKS = 1000 if SOAK else 30


def test_random_lstms_equal_tflite_micro(unix, micro):
    used, outputs = set(), set()
    for seed in range(NETWORKS):
        content, size, operators = random_lstm(seed)
        data = models.inputs(size, 4, seed)
        expected, _ = micro.run(content, data)
        assert models.run(unix, "viper", compiler.compile_model(content).plan, data) == expected, (seed, operators)
        if seed % 6 == 5:
            small, size, _ = random_lstm(seed, small=True)
            data = models.inputs(size, 4, seed)
            isa = ("viper", "thumb2", "dsp")[seed // 6 % 3]
            plan = compiler.compile_model(small, isa).plan
            assert models.run(ThisProcess(), "plain", plan, data) == micro.run(small, data)[0], (seed, isa)
        network_tally.add("unix", "viper", "graphs", len(data))
        used |= set(operators)
        outputs |= set(expected)
    kinds = {entry[1:] for entry in used if entry[0] == "UNIDIRECTIONAL_SEQUENCE_LSTM"}
    assert {scale for scale, _, _ in kinds} == {2.0**-k for k in (9, 11, 12, 13, 15)}
    assert {clipped for _, clipped, _ in kinds} == {major for _, _, major in kinds} == {False, True}
    assert len(outputs) > 2 * NETWORKS


def test_state_of_an_lstm_outlasts_an_invoke_and_ends_with_a_reset(unix, micro):
    content, size, _ = random_lstm(7)
    data = models.inputs(size, 1, 7) * 5
    plan = compiler.compile_model(content).plan
    assert len(set(models.run(unix, "viper", plan, data))) > 1
    again = micro.run(content, data, True)[0]
    assert len(set(again)) == 1
    unix.exec(models.PROGRAM)
    for _ in range(2):  # loading begins anew
        assert models.run(unix, "viper", plan, data[:1]) == again[:1]


def test_random_svdfs_equal_tflite_micro(unix, micro):
    used, outputs = set(), set()
    for seed in range(NETWORKS):
        content, size, operators = random_svdf(seed)
        data = models.inputs(size, 12, seed)
        expected, _ = micro.run(content, data)
        assert models.run(unix, "viper", compiler.compile_model(content).plan, data) == expected, (seed, operators)
        if seed % 6 < 2:
            isa = ("viper", "thumb2", "dsp")[seed // 6 % 3]
            plan = compiler.compile_model(content, isa).plan
            assert models.run(ThisProcess(), "plain", plan, data[:4]) == expected[:4], (seed, isa)
        network_tally.add("unix", "viper", "graphs", len(data))
        used |= set(operators)
        outputs |= set(expected)
    kinds = {(halves, rank) for _, halves, rank, _ in used}
    assert kinds == {(halves, rank) for halves in (False, True) for rank in (1, 2, 3)}
    assert len(outputs) > 4 * NETWORKS


def refused(change, match: str) -> None:
    """Change a network before it is written: change(net, x, op of the LSTM)."""
    net = RecurrentNet(random.Random(3))
    x = net.tensor((1, 4, 3), quant=(0.05, 0))
    y = net.lstm(x, 5)
    made = change(net, x, net.graph.operators[0])
    with pytest.raises(ModelRefused, match=match) as caught:
        compiler.compile_model(net.bytes(x, made if isinstance(made, int) else y))
    assert "docs/howto/model.md" in caught.value.mend or match.startswith(UNMENDED)


def test_lstms_of_other_kinds_are_refused_with_the_reason():
    def peephole(net, x, op):
        op.inputs[9] = net.tensor((5,), data=bytes(5), scales=[0.1])

    def activation(net, x, op):
        op.builtinOptions.fusedActivationFunction = 1

    def batch(net, x, op):
        net.graph.tensors[x].shape = [2, 4, 3]

    def scale(net, x, op):
        net.graph.tensors[op.inputs[19]].quantization.scale = [0.001]

    def shared(net, x, op):
        return net.reshape(op.inputs[18], (5,))

    def constant(net, x, op):
        net.graph.tensors[op.inputs[19]].isVariable = False

    def absent(net, x, op):
        op.inputs[12] = -1

    def halves(net, x, op):
        net.graph.tensors[x].type = INT16

    def floats(net, x, op):
        net.graph.tensors[x].type = FLOAT32

    for change, match in (
        (peephole, "has peepholes, which is not supported"),
        (activation, "squashes its cell by relu, not by tanh"),
        (batch, "a batch of 1 is what runs here"),
        (scale, "its cell has the scale 0.001 "),
        (shared, "is used elsewhere, too"),
        (constant, "and no variable tensor of int16"),
        (absent, "leaves input 12 out"),
        (halves, "tensor 0 is int16, not int8"),
        (floats, "tensor 0 is float32, not int8"),
    ):
        refused(change, match)
