"""Compiled models by every kernel of the unix port against TFLite Micro, byte by byte."""

import os
import wave

import pytest

pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")

from kittiwake.bench.cases import ds_cnn
from kittiwake.model import compiler
from kittiwake.model.lower import weights as weight_streams
from kittiwake.model.read import flatbuffer
from tests.parity import models
from tests.parity.boards import ThisProcess
from tests.support import coverage, network_tally, spoken
from tests.support.tflite_graphs import from_graph, random_model

SOAK = os.environ.get("KITTIWAKE_SOAK") == "1"
GRAPHS = 3000 if SOAK else 400
SPOKEN = 2000 if SOAK else 200


def check(board, micro, kernel, content, data, isa=None, what="wake words") -> list[bytes]:
    """Compare one model; returns the outputs."""
    plan = compiler.compile_model(content, isa or kernel).plan
    expected, _ = micro.run(content, data)
    got = models.run(board, kernel, plan, data)
    assert len(got) == len(expected) > 0
    wrong = [i for i, (a, b) in enumerate(zip(got, expected, strict=True)) if a != b]
    assert not wrong, f"{board.name}/{kernel}: invoke {wrong[0]} of {len(data)} differs ({len(wrong)} in all)"
    network_tally.add(board.name, kernel, what, len(got))
    return got


@pytest.mark.parametrize("name", models.WAKE_WORDS)
def test_wake_word_of_2000_invokes_equals_tflite_micro(unix, micro, name):
    check(unix, micro, "viper", models.wake_word(name), models.inputs(120, 2000, 1))


@pytest.mark.parametrize("name", models.WAKE_WORDS)
def test_wake_word_of_features_of_sound_equals_tflite_micro(unix, micro, name):
    content = models.wake_word(name)
    source = flatbuffer.read(content, name).main
    given = source.tensors[source.inputs[0]]
    assert (given.scale, given.zero_point) == (models.WAKE_SCALE, models.WAKE_ZERO)
    data = models.spoken_inputs(SPOKEN, 11)
    assert len(set(data)) > SPOKEN // 2
    check(unix, micro, "viper", content, data)
    logits = models.with_output(content, models.inner_tensors(content)[-2])
    assert len(set(check(unix, micro, "viper", logits, data))) > 10


@pytest.mark.parametrize("name", models.WAKE_WORDS)
def test_wake_word_of_recorded_speech_equals_tflite_micro(unix, micro, name, data_dir):
    """Its own word drives the output up, which generated sound does not."""
    with wave.open(str(data_dir / "wake" / f"{name}.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (spoken.RATE_HZ, 1, 2)
        audio = bytes(2 * spoken.RATE_HZ // 2) + file.readframes(file.getnframes())
    data = spoken.inputs(spoken.features(audio), models.WAKE_SCALE, models.WAKE_ZERO)
    outputs = check(unix, micro, "viper", models.wake_word(name), data, what="recorded speech")
    assert max(outputs)[0] > 200


def test_keyword_spotter_of_the_benchmark_equals_tflite_micro(unix, micro):
    graph = ds_cnn.graph()
    content = from_graph(graph)
    assert compiler.compile_model(content).plan == compiler.compile_graph(graph).plan
    steps = compiler.compile_graph(graph).program.steps
    assert sum(step.macs for step in steps if step.kind in ("conv", "depthwise")) == ds_cnn.MACS
    data = models.inputs(490, 40, 2)
    check(unix, micro, "viper", content, data, what="keyword spotter")
    scores = models.with_output(content, models.inner_tensors(content)[-2])
    assert len(set(check(unix, micro, "viper", scores, data, what="keyword spotter"))) == len(data)


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
    ends = set()
    for seed in range(part, GRAPHS, 4):
        content, shape, _ = random_model(seed)
        size = shape[1] * shape[2] * shape[3]
        outputs = check(unix, micro, "viper", content, models.inputs(size, 4, seed), what="graphs")
        ends |= {byte for output in outputs for byte in output} & {0x80, 0x7F}
        if seed % 16 == part:  # the definition, in each layout in turn
            isa = ("viper", "thumb2", "dsp")[seed // 16 % 3]
            check(ThisProcess(), micro, "plain", content, models.inputs(size, 3, seed), isa, "graphs")
    assert ends == {0x80, 0x7F}  # outputs saturate at both ends


def test_random_graphs_cover_all_operators_and_edges_of_parameters():
    """What is in the graphs is read from the files, not from what made them; fewer graphs would not do."""
    found = [coverage.of_graph(flatbuffer.read(random_model(seed)[0], "graph")) for seed in range(400)]
    network_tally.cover(entry for entries in found for entry in entries if entry in coverage.WANTED)
    assert coverage.WANTED - {entry for entries in found for entry in entries} == set()
    assert coverage.WANTED - {entry for entries in found[:40] for entry in entries}


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
    weights = weight_streams.filled(64, weight_streams.ROWS, False)
    assert models.run(unix, "viper", compiled.plan, data) == expected
    for what, place, change in (("weight", 4 + 10, 64), ("bias", 1, 8), ("multiplier", 4 + weights + 3, 4)):
        broken = bytearray(compiled.plan)
        broken[at + place] ^= change
        broken = models.resealed(bytes(broken))
        assert models.run(unix, "viper", broken, data) != expected, what
