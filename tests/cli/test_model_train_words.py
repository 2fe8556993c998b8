"""`kittiwake model train words`: from recordings to a wake word that the firmware hears, and what is said of few."""

import json
import random
import wave

import numpy as np
import pytest

pytest.importorskip("pymicro_features", reason="no wheel of pymicro-features for this machine")
pytest.importorskip("espeakng_loader", reason="no wheel of espeakng-loader for this machine")
pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")

from kittiwake.cli import app
from kittiwake.errors import EXIT_OK, EXIT_USAGE
from kittiwake.model.make import sounds, words
from tests.support.voices import VOICES, Voices, staged

WORD = "kestrel"
OTHERS = ("good morning", "castle", "open the door", "crystal", "what time is it", "barber", "weather", "petrel")


def _write(path, samples):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(np.asarray(samples, "<i2").tobytes())


def _said(voices, phrase, number, chance):
    voice, speed = VOICES[number % len(VOICES)], chance.choice((120, 140, 160, 180))
    return staged(voices.say(phrase, voice, speed, chance.choice((30, 50, 70))), noise=20, seed=number)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """A folder of recordings to train on, and one of others of the same kinds."""
    folder, chance = tmp_path_factory.mktemp("words"), random.Random(1)
    with Voices() as voices:
        for number in range(28):
            _write(folder / "learn" / WORD / f"{number}.wav", _said(voices, WORD, number, chance))
        for number in range(48):
            phrase = OTHERS[number % len(OTHERS)]
            _write(folder / "learn" / "_other" / f"{number}.wav", _said(voices, phrase, number, chance))
        for number in range(4):
            _write(folder / "new" / f"{WORD}{number}.wav", _said(voices, WORD, 2 * number, chance))
            _write(folder / "new" / f"other{number}.wav", _said(voices, OTHERS[number], 2 * number + 1, chance))
    return folder


@pytest.mark.board("unix")
def test_word_that_was_trained_is_heard_by_the_firmware_and_others_are_not(
    target_name, recordings, tensorflow, tmp_path, capsys
):
    arguments = ["model", "train", "words", str(recordings / "learn"), "-o", str(tmp_path), "--python", tensorflow]
    assert app.run([*arguments, "--clips", "120", "--epochs", "12", "--json"]) == EXIT_OK
    (facts,) = json.loads(capsys.readouterr().out)
    assert facts["word"] == WORD and facts["learnt"] == 21
    assert facts["kept_back"][WORD]["clips"] == 7 and facts["kept_back"][WORD]["heard"] >= 6
    assert facts["kept_back"]["_other"]["clips"] >= 12 and facts["kept_back"]["_other"]["heard"] <= 1
    heard = {}
    for path in sorted((recordings / "new").glob("*.wav")):
        assert app.run(["listen", str(path), "--model", str(tmp_path / f"{WORD}.json"), "--json"]) == EXIT_OK
        *found, _ = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        heard[path.stem] = len(found)
    assert sum(heard[f"{WORD}{number}"] for number in range(4)) >= 3
    assert sum(heard[f"other{number}"] for number in range(4)) == 0
    assert app.run(["model", "check", str(tmp_path / f"{WORD}.tflite"), "-k", "60"]) == EXIT_OK
    assert (tmp_path / f"{WORD}.kwm").read_bytes()[-48:-44] == b"KWWW"


def test_few_recordings_are_refused_and_not_many_are_told(tmp_path, capsys):
    for number in range(12):
        _write(tmp_path / "_other" / f"{number}.wav", np.zeros(1600))
    arguments = ["model", "train", "words", str(tmp_path), "-o", str(tmp_path), "--python", "/none/python"]
    for number in range(7):
        _write(tmp_path / "hello" / f"{number}.wav", np.zeros(1600))
    assert app.run(arguments) == EXIT_USAGE
    assert "7 recordings of hello are too few to learn and to judge by" in capsys.readouterr().err
    _write(tmp_path / "hello" / "8.wav", np.zeros(1600))
    assert app.run([*arguments, "--clips", "32"]) == EXIT_USAGE
    said = capsys.readouterr().err
    assert "8 recordings of hello are few" in said and "12 recordings of what is not hello are few" in said
    assert "/none/python cannot be run" in said
    assert app.run([*arguments, "--word", "bye"]) == EXIT_USAGE
    assert "has no folder bye; there are: hello" in capsys.readouterr().err
    assert app.run(["model", "train", "words", str(tmp_path / "hello"), "-o", str(tmp_path)]) == EXIT_USAGE
    assert "has no folders with .wav files" in capsys.readouterr().err


def test_every_fourth_recording_of_each_class_is_kept_back():
    every = [sounds.Sound(name, np.zeros(1)) for name in ["a"] * 9 + ["_b"] * 4]
    learnt, kept = sounds.held_out(every)
    assert [sound.folder for sound in kept] == ["a", "a", "_b"]
    assert len(learnt) == 10 and {id(sound) for sound in learnt}.isdisjoint(id(sound) for sound in kept)


def test_clips_of_a_word_hold_its_loudest_part_and_those_of_other_sounds_all_of_it():
    samples = np.zeros(16000 * 10, np.int16)
    samples[100000:104000] = 9000
    (clip,) = sounds.as_recorded(sounds.Sound("hello", samples))
    assert (clip > 8000).sum() == 4000 and len(clip) == sounds.CLIP_SAMPLES
    clips = sounds.as_recorded(sounds.Sound("_other", samples))
    assert len(clips) == 5 and sum((clip > 8000).sum() for clip in clips) == 4000
    chance = np.random.default_rng(2)
    for _ in range(20):
        clip = sounds.varied(sounds.Sound("hello", samples), [], chance)
        assert clip.dtype == np.int16 and len(clip) == sounds.CLIP_SAMPLES
        assert 3300 < (clip > 1500).sum() < 4700
        assert abs(clip[:8000].astype(int)).max() < 1500  # in front the front end learns what silence is
    assert sounds.features(clip).shape == (sounds.FRAMES, 40)


def test_decision_is_the_boards_and_the_cutoff_lies_in_the_middle():
    chance = np.random.default_rng(3)
    outputs = chance.integers(0, 256, (50, 40)).astype(np.uint8)
    naive = [max(sum(map(int, row[i : i + words.WINDOW])) for i in range(40 - words.WINDOW + 1)) for row in outputs]
    assert words.largest_sums(outputs).tolist() == naive
    whole = 256 * words.WINDOW
    assert words.cutoff(np.full(9, 0.9 * whole), np.full(9, 0.5 * whole)) == 0.7
    assert words.cutoff(np.full(9, 0.4 * whole), np.full(9, 0.1 * whole)) == 0.5
    assert words.cutoff(np.full(9, 0.999 * whole), np.full(9, 0.999 * whole)) == 0.97


def test_bounds_are_wilsons():
    # The textbook's figures for 5 of 10 and for 0 of 10.
    assert words.bounds(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert words.bounds(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
