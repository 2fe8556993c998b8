"""`kittiwake listen`: recordings through the firmware, front end and networks, against pymicro_wakeword."""

import json
import sys
import wave
from array import array

import pytest

pytest.importorskip("pymicro_wakeword", reason="no wheel of pymicro-wakeword for this machine")

from kittiwake.cli import app
from kittiwake.errors import EXIT_FAILED, EXIT_OK, EXIT_USAGE
from kittiwake.model import wake
from tests.support.hil import SOAK


@pytest.fixture(autouse=True)
def models_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KITTIWAKE_MODELS", str(tmp_path / "models"))


def heard(capsys, *arguments):
    assert app.run(["listen", *map(str, arguments), "--json"]) == EXIT_OK
    *found, last = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return found, last


@pytest.mark.timeout(600)
@pytest.mark.board("unix", "qemu:*")
def test_listen_hears_each_word_in_its_own_recording_only(target_name, data_dir, capsys):
    """On boards in two of the five recordings, of which one is the negative; all five on unix and in the soak."""
    paths = sorted((data_dir / "wake").glob("*.wav"))
    if target_name != "unix" and not SOAK:
        paths = [path for path in paths if path.stem.startswith(("hey_jarvis", "negative"))]
    assert paths
    for path in paths:
        found, last = heard(capsys, path, "--target", target_name)
        assert [each["model"] for each in found] == [path.stem] * (path.stem in wake.NAMES), path.name
        assert set(last["peaks"]) == set(wake.NAMES)
        assert last["together"] or target_name != "unix"


@pytest.mark.board("unix")
def test_listen_to_our_own_speech_hears_the_word_that_pymicro_wakeword_hears(target_name, capsys):
    from kittiwake.demo import speech

    found, last = heard(capsys, speech.PATH, "--target", target_name)
    assert [each["model"] for each in found] == ["okay_nabu"]
    assert last["frames"] == (speech.samples_count() - 480) // 160 + 1


def test_listen_to_another_form_names_the_command_that_converts_it(tmp_path, capsys):
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((2, 2, 44100, 0, "NONE", ""))
        file.writeframes(bytes(400))
    assert app.run(["listen", str(tmp_path / "a.wav")]) == EXIT_USAGE
    said = capsys.readouterr().err
    assert "ffmpeg" in said and "sox" in said
    assert said.count("\n") == 1


def test_listen_for_an_unknown_word_names_those_there_are(capsys):
    from kittiwake.demo import speech

    assert app.run(["listen", str(speech.PATH), "--model", "hello"]) == EXIT_USAGE
    assert "okay_nabu" in capsys.readouterr().err


@pytest.mark.board("unix", *(["qemu:*"] if SOAK else []))
def test_listen_meter_measures_each_second_on_the_target(target_name, tmp_path, capsys):
    quiet = [7] * 16000
    loud = [100 + (3000 if i % 2 else -3000) for i in range(16000)]
    loud[:160] = [32767] * 160
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(array("h", quiet + loud).tobytes())
    found, last = heard(capsys, tmp_path / "a.wav", "--meter", "--target", target_name)
    mean = sum(loud) / 16000
    deviation = (sum(x * x for x in loud) / 16000 - mean * mean) ** 0.5
    assert found == [{"second": 0, "level": 0, "offset": 7, "clipped_ppm": 0, "is_dead": True}]
    assert last["clipped_ppm"] == 10000
    assert abs(last["level"] - deviation) <= 1
    assert abs(last["offset"] - mean) <= 1


@pytest.mark.parametrize("arguments", [[], ["a.wav", "--mic"]])
def test_listen_without_file_or_with_two_sources_is_refused(arguments, capsys):
    assert app.run(["listen", *arguments]) == EXIT_USAGE
    assert "one of a file, --mic and --channel" in capsys.readouterr().err


def test_listen_to_a_microphone_that_is_not_there_says_so(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert app.run(["listen", "--mic"]) == EXIT_FAILED
    said = capsys.readouterr().err
    assert "install kittiwake[mic]" in said
    assert said.count("\n") == 1


HALL = """
device = "kw-hall"
[[channels]]
name = "vib"
source = {{kind = "replay", path = "{path}"}}
[[channels]]
kind = "microphone"
name = "hall"
source = {{kind = "wav", path = "{path}"}}
"""


@pytest.mark.board("unix")
def test_listen_to_the_targets_own_microphone_hears_and_measures_it(target_name, tmp_path, capsys):
    from kittiwake.demo import speech
    from kittiwake.signals import wav

    samples = wav.read_wav(speech.PATH)[speech.INDEX - 40000 : speech.INDEX + 8000]
    path = tmp_path / "speech.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    config = tmp_path / "node.toml"
    config.write_text(HALL.format(path=path))
    options = ["--target", target_name, "--config", config, "--channel", "hall", "--seconds", "3"]
    found, last = heard(capsys, *options, "--model", "okay_nabu")
    assert [each["model"] for each in found] == ["okay_nabu"]
    assert last["frames"] == (len(samples) - 480) // 160 + 1
    assert app.run(["listen", *map(str, options), "--meter", "--json"]) == EXIT_OK
    levels = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["second"] for each in levels] == [0, 1, 2] and levels[1]["level"] > 100
    assert app.run(["listen", *map(str, options), "--meter", "--channel", "vib"]) == EXIT_USAGE
    assert "name a microphone's" in capsys.readouterr().err
