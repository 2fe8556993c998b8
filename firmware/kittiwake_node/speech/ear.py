"""A channel with a microphone: audio to wake words in slices, and how the microphone is.

It joins a source, hearing, a meter and summaries; it knows no journal, no link and no clock but the one it is given.
Built in the constructor: with native kernels, audio in which no word is heard allocates nothing but some integers a
second.
"""

import array

from ..channel import BaseChannel
from ..link import payload, record
from .meter import Meter

if False:  # for mypy alone
    from kittiwake_types import ChannelOwner, ClipCounter, Clock, Settings, Source, SummedUp

    from .hearing import Hearing
    from .keyword import Keyword
    from .last_second import LastSecond

_BLOCK = 480  # samples taken from the source at once, 30 ms
_SECOND = 16000
_COMMIT_PARTS = 6


class Ear(BaseChannel):
    """A channel of audio in which words are heard.

    Args:
        number, config, source, summary, clip, owner: as BaseChannel's.
        hearing: speech.hearing.Hearing.
        last: speech.last_second.LastSecond, or None where no audio is kept.
        clock: has ms(), us() and since_us(earlier).
    """

    # Of the interval and the second under way.
    _count: int
    _low: int
    _high: int
    _total: int
    _squares: int
    _clipped: int
    _second_clipped: int

    def __init__(
        self,
        number: int,
        config: "Settings",
        source: "Source",
        summary: "SummedUp",
        clip: "ClipCounter",
        hearing: "Hearing",
        last: "LastSecond | None",
        clock: "Clock",
        owner: "ChannelOwner",
    ) -> None:
        BaseChannel.__init__(self, number, config, source, owner)
        self.hearing = hearing
        self.meter = self._meter = Meter()
        self._summary = summary
        self._clip = clip
        self._last = last
        self._clock = clock
        self._commit = owner.commit
        self._on_state = owner.on_microphone
        self._slice_us = config["hear"]["slice_us"]
        self._buf = array.array("h", bytes(2 * _BLOCK))
        self._at = self._got = 0
        self._clear()

    def step(self) -> bool:
        """Take audio up to the end of a frame, or let networks work for a slice. Returns whether there was work."""
        hearing = self.hearing
        if hearing.pending:
            self._work()
            self._note_state(0)
            return True
        count = 0
        if self._at == self._got:
            self._at = 0
            self._got = count = self.source.read_into(self._buf)
        self._note_state(self._got - self._at)
        if self._at < self._got:
            self._hear()
            return True
        if self.source.ended and not self.ended:
            self.ended = True
            self._sum_up()
            if self._count:
                self._summarise()
        return count > 0

    def _hear(self) -> None:
        start = self._at
        self._at = stop = self.hearing.feed(self._buf, start, self._got)
        if self._last:
            self._last.feed(self._buf, start, stop)
        while start < stop:
            end = min(stop, start + _SECOND - self._summary.count)
            self._summary.feed(self._buf, start, end)
            if self._summary.min <= self._clip.low or self._summary.max >= self._clip.high:
                self._second_clipped += self._clip.count(self._buf, start, end)
            self.index += end - start
            start = end
            if self._summary.count == _SECOND:
                self._sum_up()

    def _work(self) -> None:
        began_us = self._clock.us()
        while self.hearing.pending:
            word = self.hearing.step()
            if word and word.heard:
                self._tell(word)
            if self._clock.since_us(began_us) >= self._slice_us:
                return

    def _tell(self, word: "Keyword") -> None:
        self.alerts += 1
        flags = self._tell_audio(self._last) if self._last else 0
        body = payload.pack_keyword(flags, word.name, word.note.window, word.sum, word.note.limit, self.index)
        self._emit(record.KEYWORD, self.number, record.ALERT, self.source.time_ms(self.index - 1), body)

    def _tell_audio(self, last: "LastSecond") -> int:
        # Records are numbered as they are committed: the audio has to be safe first to come before its word.
        self.emit_samples(last.count, self.index - last.count, last.piece, self._commit_part)
        return payload.AUDIO

    def _commit_part(self, part: int, parts: int) -> None:
        # What is not committed waits in memory: a second of it would be as much as the ring.
        if part % _COMMIT_PARTS == _COMMIT_PARTS - 1 or part == parts - 1:
            self._commit(record.RAW)

    def _sum_up(self) -> None:
        """Add the second's sums to the interval's, and begin the next second."""
        s = self._summary
        if s.count:
            if s.count == _SECOND:
                self._meter.second(s, self._second_clipped)
            self._count += s.count
            self._low, self._high = min(self._low, s.min), max(self._high, s.max)
            self._total += s.sum
            self._squares += s.sum_sq
            self._clipped += self._second_clipped
            self.clipped += self._second_clipped
            self._second_clipped = 0
            s.reset()
        if self._count >= self._summary_samples:
            self._summarise()

    def _summarise(self) -> None:
        body = payload.pack_summary(
            self._count, self._low, self._high, 0, self._total, self._squares, self.index, self._clipped
        )
        self._emit(record.SUMMARY, self.number, record.TELEMETRY, self.source.time_ms(self.index - 1), body)
        self._clear()

    def _clear(self) -> None:
        self._count = self._total = self._squares = self._clipped = self._second_clipped = 0
        self._low, self._high = 32767, -32768

    def _note_state(self, count: int) -> None:
        # What waits for the networks has come; only a source that gives nothing to an idle ear has stopped.
        has_come = count or self.hearing.pending or self.source.ended
        if self._meter.watch(has_come, self._clock.ms()):
            self._on_state()
