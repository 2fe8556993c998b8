"""The audio that came before a keyword, put together from the snapshot records that carry it. Pure."""

from __future__ import annotations

from array import array

SECOND = 16000


class Audio:
    """The newest audio of one channel.

    Attributes:
        first_seq: number of the record with its first part; None while there is none.
    """

    def __init__(self) -> None:
        self._samples = array("h")
        self._begin()

    def _begin(self) -> None:
        self.first_seq: int | None = None
        self._parts = self._next = self._start = 0
        del self._samples[:]

    def add(self, seq: int, part: int, parts: int, index: int, samples: list[int]) -> None:
        """Take a part. One that does not continue what there is begins anew, or leaves nothing when it is not a first.

        Args:
            seq: number of its record.
            part: which part it is, from 0.
            parts: how many parts the audio has, at least 1.
            index: of its first sample.
            samples: int16.
        """
        if part == 0:
            self._begin()
            self.first_seq, self._parts, self._start = seq, parts, index
        elif part != self._next or parts != self._parts or index != self._start + len(self._samples):
            self._begin()
            return
        if len(self._samples) + len(samples) > SECOND:
            self._begin()  # no audio of a keyword, and not to be kept
            return
        self._next = part + 1
        self._samples.extend(samples)

    def take(self, index: int) -> array[int] | None:
        """Take the audio, when it is whole and ends where a keyword was heard; nothing is left here.

        Args:
            index: samples that the channel had worked through then.

        Returns:
            array('h') of up to a second, or None.
        """
        is_whole = self.first_seq is not None and self._next == self._parts
        ends = self._start + len(self._samples)
        samples = array("h", self._samples) if is_whole and ends == index and self._samples else None
        self._begin()
        return samples
