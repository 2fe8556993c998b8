"""Audio files: what is taken, and that anything else is refused with the command that converts it."""

import struct
import wave
from array import array

import pytest

from kittiwake.errors import ConfigError, UsageError
from kittiwake.signals import wav


def made(path, rate=16000, channels=1, width=2, count=100):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(bytes(range(count * channels * width % 256)) + bytes(count * channels * width))
    return path


def test_read_wav_gives_the_samples(tmp_path):
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(struct.pack("<4h", 1, -2, 32767, -32768))
    assert wav.read_wav(path) == array("h", [1, -2, 32767, -32768])


def test_read_wav_passes_over_chunks_of_others(tmp_path):
    content = made(tmp_path / "a.wav").read_bytes()
    (tmp_path / "b.wav").write_bytes(content[:12] + b"LIST" + struct.pack("<I", 3) + b"abc\0" + content[12:])
    assert wav.read_wav(tmp_path / "b.wav") == wav.read_wav(tmp_path / "a.wav")


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ({"rate": 44100}, "has 44100 samples a second"),
        ({"channels": 2}, "has 2 channels"),
        ({"width": 1}, "has 8 bits a sample"),
    ],
)
def test_read_wav_of_another_form_names_the_command_that_converts_it(tmp_path, form, line):
    path = made(tmp_path / "a b.wav", **form)
    with pytest.raises(ConfigError) as caught:
        wav.read_wav(path)
    said = str(caught.value)
    assert line in said
    assert f"ffmpeg -i '{path}' -ac 1 -ar 16000 -sample_fmt s16 'a b-16k.wav'" in said
    assert "sox" in said
    assert "\n" not in said


def test_read_wav_that_is_cut_short_says_how_much_is_missing(tmp_path):
    path = made(tmp_path / "a.wav")
    content = path.read_bytes()
    size = len(content) - 44
    for cut in (45, len(content) - 1):
        path.write_bytes(content[:cut])
        with pytest.raises(ConfigError, match=f"cut short: {size} bytes of 'data' announced, {cut - 44} are there"):
            wav.read_wav(path)


def test_read_wav_of_every_prefix_and_of_garbage_is_refused_in_words(tmp_path):
    path = made(tmp_path / "a.wav")
    content = path.read_bytes()
    for cut in range(60):
        path.write_bytes(content[:cut])
        with pytest.raises(ConfigError):
            wav.read_wav(path)
    path.write_bytes(b"ID3" + bytes(500))
    with pytest.raises(ConfigError, match="is no WAV file; convert it: ffmpeg"):
        wav.read_wav(path)


def test_read_wav_of_no_file_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        wav.read_wav(tmp_path / "none.wav")
