"""A recording as a source: a WAV file of 16 kHz, mono, 16 bits, at its own pace. Reads RIFF's chunks, and no more."""

import struct

from ..errors import ConfigError
from .replay import Replay

RATE_HZ = 16000


class Wav(Replay):
    """As Replay, of a WAV file; it ends where its samples end.

    Args:
        path: the file.
        rate_hz: RATE_HZ, or 0 for as fast as the board can.
        clock: a Clock.

    Raises:
        ConfigError: "source.path": no such file, or not of this form.
        OSError: it cannot be read.
    """

    def __init__(self, path, rate_hz, clock):
        try:
            super().__init__(path, rate_hz, clock)
        except OSError:
            raise ConfigError("source.path", "%s is not there; deploy it" % path)
        self._left = self._find_samples(path)

    def _find_samples(self, path):
        file = self._file
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
            raise ConfigError("source.path", "%s is no WAV file" % path)
        form = None
        while True:
            head = file.read(8)
            if len(head) < 8:
                raise ConfigError("source.path", "%s has no samples" % path)
            size = struct.unpack("<I", head[4:])[0]
            if head[:4] == b"data":
                break
            body = file.read(size + (size & 1))
            if head[:4] == b"fmt " and len(body) >= 16:
                form = struct.unpack("<HHIIHH", body[:16])
        if form is None or (form[1], form[2], form[5]) != (1, RATE_HZ, 16):
            raise ConfigError("source.path", "%s: 16 kHz mono 16-bit is what is taken" % path)
        return size // 2

    def read_into(self, buf):
        """As Replay.read_into, but no further than the samples go."""
        count = min(super().read_into(buf), self._left)
        self._left -= count
        if not self._left:
            self.ended = True
        return count
