"""The computer's own microphone, at the firmware's rate. Knows the package `sounddevice`; not what listens."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from kittiwake.errors import KittiwakeError
from kittiwake.signals.wav import RATE_HZ

_CHUNK_SAMPLES = RATE_HZ // 10


def pieces(seconds: float) -> Iterator[array[int]]:
    """Give what it hears, array('h'), a tenth of a second at a time.

    Args:
        seconds: how long.

    Raises:
        KittiwakeError: no sounddevice, or no microphone.
    """
    try:
        import sounddevice
    except (ImportError, OSError) as error:  # OSError: the package is there, PortAudio is not
        raise KittiwakeError(f"no sounddevice: {error}", "install kittiwake[mic] and PortAudio") from error
    try:
        with sounddevice.RawInputStream(samplerate=RATE_HZ, channels=1, dtype="int16") as stream:
            for _ in range(round(seconds * 10)):
                data, _overflowed = stream.read(_CHUNK_SAMPLES)
                yield array("h", bytes(data))
    except sounddevice.PortAudioError as error:
        raise KittiwakeError(f"the microphone cannot be read: {error}", "plug one in, or name a WAV file") from error
