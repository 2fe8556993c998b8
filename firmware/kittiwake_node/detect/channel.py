"""A sensor's channel: samples through its detectors into drafted records, and the action on the way.

It joins a source, detectors, disturbances, a snapshot ring and a summary; it knows no journal and no link. Everything
is built in the constructor: with native kernels, a sample that is no anomaly allocates nothing.
"""

import array

from ..channel import BaseChannel
from ..link import anomaly, payload, record
from .disturbance import CLOSED, OPENED, Disturbances

if False:  # for mypy alone
    from typing import Any

    from kittiwake_types import ChannelOwner, Detector, Settings, Source

    from .clip import Clip
    from .snapshot import Snapshots
    from .summary import Summary


class Watch:
    """A detector and the disturbances that its flags become.

    Args:
        detector: what detect.kinds.make returns.
        settings: of disturbances, checked (config.EVENT_DEFAULTS).
    """

    def __init__(self, detector: "Detector", settings: "Settings") -> None:
        self.detector = detector
        self.disturbances = Disturbances(settings["hold_off"], settings["rise"], settings["burst"], settings["refill"])
        self.tells_end = settings["hold_off"] > 0


class Channel(BaseChannel):
    """A channel of samples that detectors judge.

    Args:
        number, config, source, summary, clip, owner: as BaseChannel's.
        detectors: list of what detect.kinds.make returns; each sees every sample.
        snapshots: detect.snapshot.Snapshots, or None.
        block: samples taken from the source at once.
    """

    def __init__(
        self,
        number: int,
        config: "Settings",
        source: "Source",
        summary: "Summary",
        clip: "Clip",
        detectors: "list[Detector]",
        snapshots: "Snapshots | None",
        block: int,
        owner: "ChannelOwner",
    ) -> None:
        BaseChannel.__init__(self, number, config, source, owner)
        self.watches = [Watch(detector, config["event"]) for detector in detectors]
        self._summary = summary
        self._clip = clip
        self._readings = config["readings"]
        self._clipped = 0  # in this summary's interval
        self._buf = array.array("h", bytes(2 * block))
        self._snapshots = snapshots
        self._snapshot: "array.array[int] | Any" = array.array("h", bytes(2 * snapshots.length)) if snapshots else None
        self._opened: list[int] = []  # where disturbances opened in the piece under way, for the snapshots
        self._on_alert = owner.on_alert
        self._anomalies = 0  # in this summary's interval

    @property
    def held_back(self) -> int:
        """Flags that became no alert: all of a disturbance that was not told, all but one of those that were."""
        return sum([watch.disturbances.flags for watch in self.watches]) - self.alerts

    @property
    def snapshots_refused(self) -> int:
        """Snapshots that the hour's bytes, or one under way, refused."""
        return self._snapshots.refused if self._snapshots else 0

    def step(self) -> int:
        """Take one block from the source and work through it. Returns the number of samples."""
        snapshots = self._snapshots
        count = self.source.read_into(self._buf)
        at = 0
        left = self._summary_samples - self._summary.count
        while at < count:
            stop = at + left if at + left < count else count
            for watch in self.watches:
                self._detect(watch, at, stop)
            if snapshots:
                self._keep(snapshots, at, stop)
            self._sum_up(at, stop)
            if self._readings:
                self._read_out(at, stop)
            left -= stop - at
            at = stop
            if not left:
                self._summarise(self.index + at)
                left = self._summary_samples
        self.index += count
        if self.source.ended and not self.ended:
            self.ended = True
            for watch in self.watches:
                if watch.disturbances.open:
                    self._tell_end(watch)
            if self._summary.count:
                self._summarise(self.index)
        return count

    def _detect(self, watch: "Watch", at: int, stop: int) -> None:
        find, buf = watch.detector.find, self._buf
        while at < stop:
            at = find(buf, at, stop)
            if at < stop:
                self._flag(watch, at)
                at += 1
        if watch.disturbances.passed(self.index + stop) == CLOSED:
            self._tell_end(watch)

    def _flag(self, watch: "Watch", at: int) -> None:
        seen, detector = watch.disturbances, watch.detector
        index, x = self.index + at, self._buf[at]
        if seen.passed(index) == CLOSED:
            self._tell_end(watch)
        self._anomalies += 1
        if seen.flag(index, detector.score(x)) != OPENED:
            return
        self._on_alert(self.source, index)
        self.alerts += 1
        if self._snapshots:
            self._opened.append(at)
        body = detector.tell(x, anomaly.CLIPPED if self._clip.has(x) else 0, index)
        self._emit(record.ANOMALY, self.number, record.ALERT, self.source.time_ms(index), body)

    def _tell_end(self, watch: "Watch") -> None:
        if not watch.tells_end:
            return
        seen = watch.disturbances
        body = anomaly.pack_disturbance(
            watch.detector.number, seen.count, seen.start, seen.end, seen.peak, seen.peak_index
        )
        self._emit(record.DISTURBANCE, self.number, record.ALERT, self.source.time_ms(seen.end), body)

    def _keep(self, snapshots: "Snapshots", at: int, stop: int) -> None:
        self._opened.sort()
        for moment in self._opened:
            at = self._keep_up_to(snapshots, at, moment)
            snapshots.trigger()
        self._opened.clear()
        self._keep_up_to(snapshots, at, stop)

    def _keep_up_to(self, snapshots: "Snapshots", at: int, stop: int) -> int:
        while at < stop:
            at = snapshots.feed(self._buf, at, stop)
            if snapshots.ready:
                self._tell_snapshot(snapshots, self.index + at)
        return at

    def _tell_snapshot(self, snapshots: "Snapshots", end: int) -> None:
        count = snapshots.take_into(self._snapshot)
        raw = memoryview(self._snapshot)
        self.emit_samples(count, end - count, lambda first, size: bytes(raw[first : first + size]))

    def _sum_up(self, at: int, stop: int) -> None:
        s, clip = self._summary, self._clip
        s.feed(self._buf, at, stop)
        # Looked for one by one only in an interval that has any.
        if s.min <= clip.low or s.max >= clip.high:
            clipped = clip.count(self._buf, at, stop)
            self._clipped += clipped
            self.clipped += clipped

    def _summarise(self, index: int) -> None:
        s = self._summary
        body = payload.pack_summary(s.count, s.min, s.max, self._anomalies, s.sum, s.sum_sq, index, self._clipped)
        self._anomalies = self._clipped = 0
        s.reset()
        self._emit(record.SUMMARY, self.number, record.TELEMETRY, self.source.time_ms(index - 1), body)

    def _read_out(self, at: int, stop: int) -> None:
        for i in range(at, stop):
            index = self.index + i
            body = payload.pack_reading(self._buf[i], index)
            self._emit(record.READING, self.number, record.TELEMETRY, self.source.time_ms(index), body)
