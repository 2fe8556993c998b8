"""Weights of four bits, two to a byte in the file: TFLite Micro's bytes in each layout."""

import random

import numpy as np
import pytest

pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")

from kittiwake.model import compiler
from kittiwake.model.read.refusal import ModelRefused
from tests.parity import models
from tests.parity.boards import ThisProcess
from tests.support.tflite_packed import PackedNet


def network(seed: int) -> tuple[bytes, int]:
    net = PackedNet(random.Random(seed))
    shape = (1, net.rng.randint(1, 6), net.rng.randint(1, 6), net.rng.randint(1, 7))
    x = net.tensor(shape, quant=net.quant())
    y = (net.conv, net.depthwise, net.dense)[seed % 3](x)
    return net.bytes(x, y), int(np.prod(shape))


def test_layers_with_weights_of_four_bits_equal_tflite_micro(unix, micro):
    outputs = set()
    for seed in range(60):
        content, size = network(seed)
        data = models.inputs(size, 6, seed)
        expected, _ = micro.run(content, data)
        assert models.run(unix, "viper", compiler.compile_model(content).plan, data) == expected, seed
        if seed % 6 < 3:
            isa = ("viper", "thumb2", "dsp")[seed % 3]
            assert models.run(ThisProcess(), "plain", compiler.compile_model(content, isa).plan, data) == expected, seed
        outputs |= set(expected)
    assert len(outputs) > 100


def test_weights_of_four_bits_that_are_cut_off_are_refused():
    net = PackedNet(random.Random(3))
    x = net.tensor((1, 2, 2, 3), quant=net.quant())
    y = net.dense(x)
    buffer = net.model.buffers[net.graph.tensors[net.graph.operators[0].inputs[1]].buffer]
    buffer.data = buffer.data[:-1]
    with pytest.raises(ModelRefused, match=r"tensor 1 has \d+ bytes for \d+ elements of int4"):
        compiler.compile_model(net.bytes(x, y))
