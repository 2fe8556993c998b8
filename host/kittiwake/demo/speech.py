"""What the demo's board hears: nine seconds of our own synthesis (espeak-ng), a wake word among other speech."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kittiwake.errors import KittiwakeError
from kittiwake.model import wake
from kittiwake.signals import wav

PATH = Path(__file__).with_name("okay_nabu.wav")
WORD = "okay_nabu"
CHANNEL = "hall"
SECONDS = 10  # which a demo must last to hear all of it
# Samples up to the last that the decision needs, where pymicro_wakeword decides on this recording; a test asks it.
INDEX = 81440


def samples_count() -> int:
    """Samples of the recording."""
    return len(wav.read_wav(PATH))


def plan() -> bytes | None:
    """The word's plan for the demo's board; None where its model is not installed."""
    try:
        return wake.compile_word(wake.find(WORD), "viper")
    except (KittiwakeError, ImportError):
        return None


def channel(plan_path: Path) -> dict[str, Any]:
    """The channel of a node's configuration that replays the recording and listens.

    Args:
        plan_path: of the wake word.
    """
    return {
        "kind": "microphone",
        "name": CHANNEL,
        "sensor_id": "mic-001",
        "source": {"kind": "wav", "path": str(PATH)},
        "hear": {"models": [str(plan_path)]},
    }


def compare(bodies: list[dict[str, Any]]) -> int:
    """Mismatches of the keyword messages that arrived: missing, too many, another word or another place.

    Args:
        bodies: of the messages.
    """
    words = {(body["keyword"], body["index"]) for body in bodies}
    return len(words ^ {(WORD, INDEX)}) + len(bodies) - len(words)
