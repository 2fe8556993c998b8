"""The newest second of audio, in a ring, to go with what was heard in it.

Must not know what is heard or where the samples go. The constructor allocates 32,000 bytes.
"""

from array import array

if False:  # for mypy alone
    from kittiwake_types import KernelSet, Samples

SAMPLES = 16000
RING_BYTES = 2 * SAMPLES


class LastSecond:
    """A ring of one second.

    Args:
        kernel: what `kernels.load` returned.
    """

    def __init__(self, kernel: "KernelSet") -> None:
        self._keep = kernel.entry("ring", "keep")
        self._ring = array("h", range(SAMPLES))  # from bytes, the heap would have to hold it twice
        self._state = array("i", [SAMPLES, 0, 0, 0])
        self.count = 0  # samples held

    def feed(self, buf: "Samples", start: int, stop: int) -> None:
        """Keep buf[start:stop] of array('h'). Does not allocate with native kernels."""
        state = self._state
        state[2] = start
        state[3] = stop
        self._keep(state, self._ring, buf)
        self.count = min(SAMPLES, self.count + stop - start)

    def piece(self, first: int, size: int) -> bytes:
        """Samples `first` to `first + size` of those held, the oldest being 0, as bytes. Allocates."""
        at = self._state[1] - self.count + first
        if at < 0:
            at += SAMPLES
        out = bytes(memoryview(self._ring)[at : min(SAMPLES, at + size)])
        rest = at + size - SAMPLES
        return out + bytes(memoryview(self._ring)[:rest]) if rest > 0 else out
