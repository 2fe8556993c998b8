"""A sensor for boards that have none: a recorded waveform, held in memory and read over and over. Knows no pace."""

from array import array


class Wave:
    """Reads one sample after the other, and begins anew at the end.

    Args:
        path: file of little-endian int16; it is held in memory whole.
        bits: of a sample, which say where its range ends.

    Attributes:
        low, high: the ends of the range.
    """

    def __init__(self, path, bits):
        with open(path, "rb") as file:
            self._samples = array("h", file.read())
        self._at = 0
        self.low = -(1 << (bits - 1))
        self.high = (1 << (bits - 1)) - 1

    def read(self):
        """The next sample. Does not allocate; may run in an interrupt."""
        at = self._at
        self._at = at + 1 if at + 1 < len(self._samples) else 0
        return self._samples[at]
