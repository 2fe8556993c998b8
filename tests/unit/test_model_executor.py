"""The executor's turns: an invoke in slices, several models in one scratch, and what is refused."""

import random
import struct
import sys

import pytest

pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")

from kittiwake.model import compiler
from kittiwake.model.lower import descriptors
from kittiwake_node import kernels
from kittiwake_node.errors import ModelError
from kittiwake_node.network import Header, Network, Scratch
from tests.support.tflite_graphs import random_model
from tests.support.tflite_halfwords import all_halfword_kernels
from tests.support.tflite_net import Net

STREAMING = 28  # a seed whose network keeps state


def plan(seed: int) -> bytearray:
    return bytearray(compiler.compile_model(random_model(seed, small=True)[0], "plain").plan)


def made(seed: int, scratch=None) -> Network:
    return Network(plan(seed), kernels.load("plain"), scratch)


def data(model: Network, seed: int) -> bytes:
    return random.Random(seed).randbytes(model.header.input_bytes)


def invoked(model: Network, given: bytes) -> bytes:
    result = bytearray(model.header.output_bytes)
    model.invoke(given, result)
    return bytes(result)


@pytest.mark.parametrize("seed", [1, 3, 12, STREAMING])
def test_model_in_slices_gives_what_invoke_gives(seed):
    whole, sliced = made(seed), made(seed)
    for turn in range(3):
        given = data(whole, turn)
        result = bytearray(sliced.header.output_bytes)
        sliced.begin(given)
        left = [sliced.step()]
        while left[-1]:
            left.append(sliced.step())
        sliced.finish(result)
        assert left == list(range(sliced.header.step_count - 1, -1, -1))
        assert result == invoked(whole, given)


def test_models_that_share_a_scratch_give_what_they_give_alone():
    seeds = (1, 3, STREAMING)
    scratch = Scratch(max(Header(plan(seed)).scratch_bytes for seed in seeds))
    alone, together = [made(seed) for seed in seeds], [made(seed, scratch) for seed in seeds]
    for turn in range(4):
        for a, b in zip(alone, together, strict=True):
            given = data(a, turn)
            assert invoked(a, given) == invoked(b, given)


def test_model_that_shares_a_scratch_in_use_is_refused_until_it_is_free():
    scratch = Scratch(max(Header(plan(seed)).scratch_bytes for seed in (1, 3)))
    first, second = made(1, scratch), made(3, scratch)
    first.begin(data(first, 1))
    for model in (first, second):
        with pytest.raises(ModelError) as caught:
            model.begin(data(model, 1))
        assert caught.value.code == "busy"
    with pytest.raises(ModelError) as caught:
        second.step()
    assert caught.value.code == "idle"
    second.reset()  # another's invoke is not its to give up
    with pytest.raises(ModelError):
        second.begin(data(second, 1))
    first.reset()
    invoked(second, data(second, 1))
    assert invoked(first, data(first, 1)) == invoked(made(1), data(first, 1))


def test_model_whose_layers_have_not_all_run_does_not_finish():
    model = made(1)
    with pytest.raises(ModelError):
        model.finish(bytearray(model.header.output_bytes))
    model.begin(data(model, 1))
    with pytest.raises(ModelError) as caught:
        model.finish(bytearray(model.header.output_bytes))
    assert caught.value.code == "idle"
    while model.step():
        pass
    assert model.step() == 0
    with pytest.raises(ModelError) as caught:
        model.finish(bytearray(0))
    assert caught.value.code == "output"
    model.finish(bytearray(model.header.output_bytes))


def test_network_that_only_renames_has_no_layer_and_finishes():
    net = Net(random.Random(1))
    x = net.tensor((1, 2, 3, 1), quant=(0.5, 0))
    content = net.bytes(x, net.reshape(x, (1, 6)))
    model = Network(compiler.compile_model(content, "plain").plan, kernels.load("plain"))
    assert invoked(model, b"abcdef") == b"abcdef"
    model.begin(b"ghijkl")
    assert model.step() == 0


@pytest.mark.parametrize("wrong", ["input", "output"])
def test_invoke_with_a_buffer_of_the_wrong_length_is_refused_and_leaves_the_model_free(wrong):
    model = made(1)
    given, result = data(model, 1), bytearray(model.header.output_bytes)
    with pytest.raises(ModelError) as caught:
        model.invoke(given[:-1] if wrong == "input" else given, result if wrong == "input" else result[:-1])
    assert caught.value.code == wrong
    invoked(model, given)


def test_plan_of_halfwords_where_a_node_has_none_of_their_kernels_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "kittiwake_node.kernels.entries16", None)
    with pytest.raises(ModelError) as caught:
        Network(compiler.compile_model(all_halfword_kernels(), "plain").plan, kernels.load("plain"))
    assert caught.value.code == "step"


def test_network_of_every_kernel_of_halfwords_has_them():
    compiled = compiler.compile_model(all_halfword_kernels())
    assert {step.kind for step in compiled.program.steps} >= descriptors.OF_HALFWORDS
    assert compiled.has_halfwords and not compiler.compile_model(random_model(1)[0]).has_halfwords


def test_scratch_that_is_too_short_is_refused():
    with pytest.raises(ModelError) as caught:
        made(1, Scratch(3))
    assert caught.value.code == "scratch"


@pytest.mark.parametrize(("place", "value", "code"), [(4, 2, "version"), (6, 9, "layout"), (12, 1, "damaged")])
def test_plan_with_a_wrong_head_is_refused(place, value, code):
    wrong = plan(1)
    wrong[place] ^= value
    with pytest.raises(ModelError) as caught:
        Network(wrong, kernels.load("plain"))
    assert caught.value.code == code


def test_plan_of_any_prefix_is_refused():
    whole = plan(1)
    for size in range(0, len(whole) - 1, 7):
        with pytest.raises(ModelError):
            Header(whole[:size])
    assert struct.unpack_from("<H", whole, 4) == (1,)
