"""A second opinion: audio put together from its parts, the process that hears it, and models of each form of input."""

import asyncio
import sys
from array import array

import numpy as np
import pytest

from kittiwake.bridge.confirm import scorer
from kittiwake.bridge.confirm.audio import Audio
from kittiwake.bridge.confirm.worker import NoScore, Worker
from kittiwake.demo import speech
from kittiwake.errors import ConfigError, UsageError
from kittiwake.model import wake
from kittiwake.signals import wav
from tests.support import tflite_builder as tb

pytest.importorskip("ai_edge_litert", reason="no wheel of ai-edge-litert for this machine")
SAMPLES = list(range(16000))
PARTS = [SAMPLES[at : at + 448] for at in range(0, 16000, 448)]


def gathered(parts, first_seq=100, start=5000):
    audio = Audio()
    for part, samples in parts:
        audio.add(first_seq + part, part, len(PARTS), start + 448 * part, samples)
    return audio


def test_audio_of_all_parts_is_whole_and_taken_once():
    audio = gathered(enumerate(PARTS))
    assert audio.first_seq == 100
    assert audio.take(5000 + 16000).tolist() == SAMPLES
    assert audio.first_seq is None and audio.take(5000 + 16000) is None


@pytest.mark.parametrize("missing", [0, 1, 20, 35])
def test_audio_without_a_part_is_none(missing):
    audio = gathered((part, samples) for part, samples in enumerate(PARTS) if part != missing)
    assert audio.take(5000 + 16000) is None


def test_audio_that_ends_elsewhere_or_is_too_long_is_none():
    assert gathered(enumerate(PARTS)).take(5000 + 15999) is None
    audio = Audio()
    audio.add(1, 0, 1, 0, [0] * 16001)
    assert audio.take(16001) is None


def test_audio_sent_again_from_its_first_part_begins_anew():
    audio = gathered(list(enumerate(PARTS))[:10])
    for part, samples in enumerate(PARTS):
        audio.add(100 + part, part, len(PARTS), 5000 + 448 * part, samples)
    assert audio.take(21000).tolist() == SAMPLES


def dense(shape, inputs, kind, quant, weights, bias, out_quant):
    """A model: flatten, one dense layer to `weights.shape[0]` outputs."""
    build = tb.Builder()
    source = build.tensor(shape, kind, quant)
    flat = build.tensor((1, inputs), kind, quant)
    build.op(tb.OPS.RESHAPE, [source, build.ints([1, inputs])], [flat])
    out = build.tensor((1, weights.shape[0]), kind, out_quant)
    constants = [build.tensor(weights.shape, kind, quant and (1 / 64, 0), data=weights)]
    constants.append(
        build.tensor(bias.shape, tb.FLOAT32 if quant is None else tb.INT32, quant and (quant[0] / 64, 0), data=bias)
    )
    build.op(tb.OPS.FULLY_CONNECTED, [flat, *constants], [out], *tb.options("FullyConnectedOptions"))
    return build.bytes(source, out)


def listener(tmp_path, content, output=0, window=1):
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    return scorer.Listener(str(path), output, window)


def test_scorer_gives_a_model_of_samples_floats_from_minus_one_to_one(tmp_path):
    weights = np.zeros((2, 16000), np.float32)
    weights[1, 15999] = 2
    made = dense((1, 16000), 16000, tb.FLOAT32, None, weights, np.array([0, 0.25], np.float32), None)
    samples = array("h", [0] * 15999 + [16384])
    assert listener(tmp_path, made, output=1).score(samples) == 2 * 0.5 + 0.25
    assert listener(tmp_path, made).score(samples) == 0


def test_scorer_gives_a_model_of_features_all_frames_quantised_as_it_says(tmp_path):
    samples = wav.read_wav(speech.PATH)[:16000]
    frames = scorer.features(samples)
    assert len(frames) == 98 and max(map(max, frames)) > 10
    weights = np.zeros((1, 98 * 40), np.int8)
    weights[0, 40 * 50 + 7] = 64  # 1.0
    quant = (0.1, -100)
    made = dense((1, 98, 40), 98 * 40, tb.INT8, quant, weights, np.zeros(1, np.int32), quant)
    expected = round(frames[50][7] / 0.1) * 0.1
    assert listener(tmp_path, made).score(samples) == pytest.approx(expected)


def test_scorer_streams_frames_through_a_model_that_takes_a_few_and_takes_the_best_mean(tmp_path):
    samples = wav.read_wav(speech.PATH)[speech.INDEX - 16000 : speech.INDEX]
    frames = scorer.features(samples)
    weights = np.zeros((1, 120), np.int8)
    weights[0, 0] = 64
    quant = (0.1, -100)
    made = dense((1, 3, 40), 120, tb.INT8, quant, weights, np.zeros(1, np.int32), quant)
    outputs = [round(frames[at][0] / 0.1) * 0.1 for at in range(2, 98, 3)]
    assert len(outputs) == 32
    assert listener(tmp_path, made).score(samples) == pytest.approx(max(outputs))
    means = [sum(outputs[at : at + 4]) / 4 for at in range(29)]
    assert listener(tmp_path, made, window=4).score(samples) == pytest.approx(max(means))


def test_scorer_tells_the_word_from_others_and_starts_anew_each_time(tmp_path):
    samples = wav.read_wav(speech.PATH)
    heard = listener(tmp_path, wake.find(speech.WORD).model)
    first = heard.score(samples[speech.INDEX - 16000 : speech.INDEX])
    assert first > 0.7
    assert heard.score(samples[:16000]) < 0.1
    assert heard.score(samples[speech.INDEX - 16000 : speech.INDEX]) == first
    assert listener(tmp_path, wake.find("hey_jarvis").model).score(samples[speech.INDEX - 16000 : speech.INDEX]) < 0.1


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: b"no model", "no TFLite model that runs here"),
        (
            lambda: dense((1, 39), 39, tb.FLOAT32, None, np.zeros((1, 39), np.float32), np.zeros(1, np.float32), None),
            "takes 1x39",
        ),
        (
            lambda: dense((1, 40), 40, tb.FLOAT32, None, np.zeros((1, 40), np.float32), np.zeros(1, np.float32), None),
            "has 1 outputs",
        ),
    ],
)
def test_scorer_refuses_other_models_in_words(tmp_path, make, why):
    with pytest.raises(UsageError, match=why):
        listener(tmp_path, make(), output=3)


def test_scorer_names_the_extra_when_no_runtime_is_here_and_the_file_that_is_not(monkeypatch, tmp_path):
    with pytest.raises(ConfigError, match="nothing.tflite cannot be read"):
        scorer.check([str(tmp_path / "nothing.tflite")])
    monkeypatch.setattr(scorer, "find_spec", lambda name: None)
    with pytest.raises(scorer.KittiwakeError, match=r"kittiwake\[confirm\]"):
        scorer.check([])


def run(*questions, command=None):
    """Ask one worker after another; scores, or why there is none."""

    async def ask():
        worker = Worker(command) if command else Worker()
        told = []
        try:
            for model, samples, limit_s in questions:
                try:
                    told.append(await worker.score(model, 0, 1, samples, limit_s))
                except NoScore as error:
                    told.append(str(error))
        finally:
            await worker.close()
        return told

    return asyncio.run(ask())


def test_worker_scores_in_a_process_and_goes_on_after_a_model_that_cannot_be(tmp_path):
    (tmp_path / "word.tflite").write_bytes(wake.find(speech.WORD).model)
    (tmp_path / "bad.tflite").write_bytes(b"bad")
    samples = wav.read_wav(speech.PATH)[speech.INDEX - 16000 : speech.INDEX]
    good, bad = str(tmp_path / "word.tflite"), str(tmp_path / "bad.tflite")
    told = run((good, samples, 60), (bad, samples, 60), (good, array("h"), 60), (good, samples, 60))
    assert told[0] == told[3] > 0.7 and "no TFLite model" in told[1] and told[2] == 0.0


ONCE = """
import os, sys, time
for line in sys.stdin.buffer:
    if not os.path.exists({mark!r}):
        open({mark!r}, "w").close()
        {first}
    print('{{"score": 0.5}}', flush=True)
"""


@pytest.mark.parametrize(
    ("first", "why"), [("time.sleep(600)", "no score within 2 s"), ("os._exit(7)", "ended with status 7")]
)
def test_worker_that_hangs_or_dies_is_replaced(tmp_path, first, why):
    command = (sys.executable, "-c", ONCE.format(mark=str(tmp_path / "mark"), first=first))
    told = run(("m", array("h"), 2), ("m", array("h"), 60), command=command)
    assert why in told[0] and told[1] == 0.5


def test_worker_that_cannot_be_started_says_so():
    (told,) = run(("m", array("h"), 5), command=("/no/such/program",))
    assert "cannot be asked" in told
