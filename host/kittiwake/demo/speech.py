"""What the demo's board hears: nine seconds of our own synthesis (espeak-ng), a wake word among other speech."""

from __future__ import annotations

from pathlib import Path

from kittiwake import audio

PATH = Path(__file__).with_name("okay_nabu.wav")
WORD = "okay_nabu"


def samples_count() -> int:
    """Samples of the recording."""
    return len(audio.read_wav(PATH))
