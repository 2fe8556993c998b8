"""Wake words' files: what is read, what is refused and with which line, and the cutoff as a sum."""

import json
from fractions import Fraction

import pytest

pytest.importorskip("pymicro_wakeword", reason="no wheel of pymicro-wakeword for this machine")

from kittiwake.cli import app
from kittiwake.errors import EXIT_OK, EXIT_USAGE, ConfigError
from kittiwake.model import compiler, wake
from kittiwake.model.emit import kwm
from kittiwake_node.errors import ModelError
from kittiwake_node.speech.note import Note


@pytest.fixture(autouse=True)
def models_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KITTIWAKE_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def written(tmp_path, change, model=None):
    word = wake.find("alexa")
    settings = {
        "version": 2,
        "wake_word": "Alexa",
        "model": "mine.tflite",
        "micro": {"probability_cutoff": 0.9, "sliding_window_size": 5, "feature_step_size": 10},
    }
    change(settings)
    (tmp_path / "mine.tflite").write_bytes(word.model if model is None else model)
    (tmp_path / "mine.json").write_text(json.dumps(settings))
    return tmp_path / "mine.json"


@pytest.mark.parametrize("cutoff", [0.9, 0.97, 0.95, 0.85, 0.5, 0.001, 0.9999])
@pytest.mark.parametrize("window", [1, 3, 5, 10])
def test_limit_parts_the_sums_as_the_mean_of_floats_does(cutoff, window):
    import statistics

    found = wake.limit(cutoff, window)
    for total in (found, found + 1):
        values = [total // window + (i < total % window) for i in range(window)]
        mean = statistics.mean([v / 256 for v in values])
        assert (mean > cutoff) == (total > found)
    assert abs(Fraction(found, 256 * window) - Fraction(cutoff)) <= Fraction(1, 256 * window)


@pytest.mark.parametrize("name", wake.NAMES)
def test_plan_of_a_wake_word_is_whole_and_says_its_settings(name):
    made = wake.compile_word(wake.find(name), "viper")
    assert kwm.read_header(made).size == len(made)
    note = Note(made)
    assert (note.name, note.window, note.stride, note.step_ms) == (name, 5, 3, 10)
    assert note.limit == wake.limit(wake.find(name).cutoff, 5)


def test_note_of_another_network_is_refused():
    word = wake.find("alexa")
    with pytest.raises(ModelError, match="no wake word"):
        Note(compiler.compile_model(word.model).plan)


def test_note_with_frames_that_do_not_match_the_input_is_refused():
    made = bytearray(wake.compile_word(wake.find("alexa"), "viper"))
    made[len(made) - 48 + 8] = 2  # the stride
    with pytest.raises(ModelError, match="frames of 40"):
        Note(made)


def test_model_add_keeps_a_word_under_its_name(tmp_path, models_folder):
    path = written(tmp_path, lambda s: s["micro"].update(probability_cutoff=0.5))
    assert app.run(["model", "add", str(path), "-o", str(tmp_path / "mine.kwm")]) == EXIT_OK
    assert wake.find("mine").cutoff == 0.5
    assert "mine" in wake.known()
    assert Note((tmp_path / "mine.kwm").read_bytes()).limit == 640


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda s: s.update(version=1), "version is 1"),
        (lambda s: s.pop("micro"), "has no 'micro'"),
        (lambda s: s["micro"].pop("sliding_window_size"), "has no 'sliding_window_size'"),
        (lambda s: s["micro"].update(sliding_window_size=0), "sliding_window_size is 0"),
        (lambda s: s["micro"].update(probability_cutoff=1.5), "probability_cutoff is 1.5"),
        (lambda s: s["micro"].update(feature_step_size=20), "feature_step_size is 20"),
        (lambda s: s.update(model="other.tflite"), "other.tflite cannot be read"),
    ],
)
def test_model_add_with_bad_settings_says_so_in_one_line(tmp_path, capsys, change, line):
    assert app.run(["model", "add", str(written(tmp_path, change))]) == EXIT_USAGE
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1


def test_model_add_of_what_is_no_wake_word_is_refused(tmp_path, capsys):
    from tests.support.tflite_graphs import random_model

    assert app.run(["model", "add", str(written(tmp_path, lambda s: None, random_model(0)[0]))]) == EXIT_USAGE
    said = capsys.readouterr().err
    assert "a wake word takes int8 of 1 x frames x 40" in said
    assert said.count("\n") == 1


def test_network_that_computes_with_16_bits_is_no_wake_word_and_tells_no_states(tmp_path, capsys):
    """A node has no kernels for it, though its ends are bytes."""
    from kittiwake.errors import ConfigError
    from kittiwake.model import compiler, states
    from tests.support.tflite_halfwords import with_ends_in_bytes

    content = with_ends_in_bytes()
    assert app.run(["model", "add", str(written(tmp_path, lambda s: None, content))]) == EXIT_USAGE
    said = capsys.readouterr().err
    assert "computes with 16 bits, for which a node has no kernels" in said
    assert said.count("\n") == 1
    with pytest.raises(ConfigError, match="computes with 16 bits"):
        states.with_states(compiler.compile_model(content), ["off", "on"], 100.0, "fan")


def test_find_of_an_unknown_name_names_those_that_there_are():
    with pytest.raises(Exception, match="okay_nabu"):
        wake.find("nobody")


def test_read_of_what_is_no_json_is_refused(tmp_path):
    (tmp_path / "x.json").write_text("[1")
    with pytest.raises(ConfigError, match="no JSON of a wake word"):
        wake.read(tmp_path / "x.json")
