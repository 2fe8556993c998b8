"""Snapshots: the raw samples before and after a moment, out of a ring that is kept anyway.

Must not know what a moment is or where a snapshot goes. Full resolution around moments, summaries otherwise: bounded in
bytes an hour, and what the bound refuses is counted. The constructor allocates everything.
"""

from array import array

from ..errors import ConfigError

if False:  # for mypy alone
    from kittiwake_types import KernelSet, Samples

_BYTES = 2  # a sample


class Snapshots:
    """Keeps the newest samples of one channel, of up to 16 bits, and cuts out what surrounds a moment.

    Args:
        kernel: what `kernels.load` returned.
        before, after: samples kept before and after the moment, the sample of the moment being the first after it.
        bytes_per_hour: budget of samples, two bytes each; at least one snapshot.
        samples_per_hour: the channel's rate, which is all the time that this module knows.

    Attributes:
        taken, refused: snapshots that were cut out, and those that the budget or one still under way refused.

    Raises:
        ConfigError: "snapshot" when there is nothing to keep, or the budget is below one snapshot.
    """

    def __init__(
        self, kernel: "KernelSet", before: int, after: int, bytes_per_hour: int, samples_per_hour: int
    ) -> None:
        if before < 0 or after < 1 or before + after > 16384 or samples_per_hour < 1:
            raise ConfigError("snapshot", "%d samples before and %d after: 1 to 16384 in all" % (before, after))
        self.length = before + after
        if bytes_per_hour < _BYTES * self.length:
            raise ConfigError(
                "snapshot", "one is %d bytes, the budget %d an hour" % (_BYTES * self.length, bytes_per_hour)
            )
        self._keep = kernel.entry("ring", "keep")
        self._before = before
        self._after = after
        self._ring = array("h", [0] * self.length)
        self._state = array("i", [self.length, 0, 0, 0])
        self._hour = samples_per_hour
        self._budget = bytes_per_hour
        self._left = bytes_per_hour
        self._hour_fed = 0
        self._seen = 0  # samples kept, up to the ring's length
        self._due = 0  # samples until the snapshot under way is whole; 0 when there is none
        self.taken = self.refused = 0

    @property
    def ready(self) -> bool:
        """Whether a whole snapshot stands in the ring; it must be taken before more is fed."""
        return self._due < 0

    def trigger(self) -> bool:
        """Begin a snapshot around the next sample to be fed; call it before feeding that sample.

        Returns:
            True when it will be taken; False (and counted) when one is under way or the hour's bytes are spent.
        """
        if self._due or self._left < _BYTES * self.length:
            self.refused += 1
            return False
        self._left -= _BYTES * self.length
        self._due = self._after
        return True

    def feed(self, buf: "Samples", start: int, stop: int) -> int:
        """Keep buf[start:stop], but not beyond the end of a snapshot under way.

        Args:
            buf: array('h'), read only.
            start: index of the first sample, 0 or more.
            stop: index after the last sample, start <= stop <= len(buf).

        Returns:
            Index up to which samples were kept: stop, or less when `ready` became true; while it is, nothing is kept.

        Raises:
            IndexError: indexes outside the buffer, which the native kernels would not notice.
        """
        if not 0 <= start <= stop <= len(buf):
            raise IndexError
        if self._due < 0:
            return start
        if self._due and stop - start >= self._due:
            stop = start + self._due
        state = self._state
        state[2] = start
        state[3] = stop
        self._keep(state, self._ring, buf)
        self._seen = min(self.length, self._seen + stop - start)
        self._hour_fed += stop - start
        if self._hour_fed >= self._hour:
            self._hour_fed %= self._hour
            self._left = self._budget
        if self._due:
            self._due -= stop - start
            if not self._due:
                self._due = -1
        return stop

    def take_into(self, out: "Samples") -> int:
        """Copy the snapshot out, oldest first, and go on.

        Args:
            out: array('h') of at least `length` samples; filled from 0.

        Returns:
            Samples copied: fewer than `length` when not so many had been fed before the moment.
        """
        count = self._seen
        at = self._state[1] - count
        for i in range(count):
            out[i] = self._ring[at + i]  # a negative index counts from the end, which is where the ring goes on
        self._due = 0
        self.taken += 1
        return count
