"""`kittiwake listen`: recordings through the firmware, front end and networks, against pymicro_wakeword."""

import json
import wave

import pytest

pytest.importorskip("pymicro_wakeword", reason="no wheel of pymicro-wakeword for this machine")

from kittiwake import cli
from kittiwake.errors import EXIT_OK, EXIT_USAGE
from kittiwake.model import wake


@pytest.fixture(autouse=True)
def models_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KITTIWAKE_MODELS", str(tmp_path / "models"))


def heard(capsys, *arguments):
    assert cli.run(["listen", *map(str, arguments), "--json"]) == EXIT_OK
    *found, last = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return found, last


@pytest.mark.timeout(600)
@pytest.mark.targets("unix", "qemu:*")
def test_listen_hears_each_word_in_its_own_recording_only(target_name, data_dir, capsys):
    """On boards in two of the five recordings, of which one is the negative; all five on unix and in the soak."""
    from tests.support.hil import SOAK

    paths = sorted((data_dir / "wake").glob("*.wav"))
    if target_name != "unix" and not SOAK:
        paths = [path for path in paths if path.stem.startswith(("hey_jarvis", "negative"))]
    assert paths
    for path in paths:
        found, last = heard(capsys, path, "--target", target_name)
        assert [each["model"] for each in found] == [path.stem] * (path.stem in wake.NAMES), path.name
        assert set(last["peaks"]) == set(wake.NAMES)
        assert last["together"] or target_name != "unix"


@pytest.mark.targets("unix")
def test_listen_to_our_own_speech_hears_the_word_that_pymicro_wakeword_hears(target_name, capsys):
    from kittiwake.demo import speech

    found, last = heard(capsys, speech.PATH, "--target", target_name)
    assert [each["model"] for each in found] == ["okay_nabu"]
    assert last["frames"] == (speech.samples_count() - 480) // 160 + 1


def test_listen_to_another_form_names_the_command_that_converts_it(tmp_path, capsys):
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((2, 2, 44100, 0, "NONE", ""))
        file.writeframes(bytes(400))
    assert cli.run(["listen", str(tmp_path / "a.wav")]) == EXIT_USAGE
    said = capsys.readouterr().err
    assert "ffmpeg" in said and "sox" in said
    assert said.count("\n") == 1


def test_listen_for_an_unknown_word_names_those_there_are(capsys):
    from kittiwake.demo import speech

    assert cli.run(["listen", str(speech.PATH), "--model", "hello"]) == EXIT_USAGE
    assert "okay_nabu" in capsys.readouterr().err
