"""One channel: samples through the detector into drafted records, and the action on the way.

It joins a source, a detector and a summary; it knows no journal and no link. Everything is built in the constructor: a
sample that is no anomaly allocates nothing.
"""

import array

from . import payload, record


class Channel:
    """A channel of the node.

    Args:
        number: 0 to 255.
        config: of the channel, checked (config.check).
        source: see io/source.py.
        detectors: list of what core.detectors.make returns; each sees every sample.
        summary: core.summary.Summary.
        block: samples taken from the source at once.
        on_alert: called as on_alert(age_us_of) before anything is stored, with the source's age function and the index:
            on_alert(source, index). Here the action is driven.
        emit: called as emit(type, channel, class, time_ms, payload) for every record.

    Attributes:
        index: samples seen since boot.
        alerts: anomalies seen since boot.
        ended: the source is through and everything it gave was emitted.
    """

    def __init__(self, number, config, source, detectors, summary, block, on_alert, emit):
        self.number = number
        self.source = source
        self.index = 0
        self.alerts = 0
        self.clipped = 0
        self.ended = False
        self._detectors = detectors
        self._summary = summary
        self._summary_samples = config["summary_samples"]
        self._readings = config["readings"]
        self._low, self._high = -(1 << (config["bits"] - 1)), (1 << (config["bits"] - 1)) - 1
        self._buf = array.array("h", bytes(2 * block))
        self._on_alert = on_alert
        self._emit = emit
        self._anomalies = 0  # in this summary's interval

    def step(self):
        """Take one block from the source and work through it. Returns the number of samples."""
        got = self.source.read_into(self._buf)
        at = 0
        while at < got:
            stop = min(got, at + self._summary_samples - self._summary.count)
            self._detect(at, stop)
            self._summary.feed(self._buf, at, stop)
            if self._readings:
                self._read_out(at, stop)
            at = stop
            if self._summary.count >= self._summary_samples:
                self._summarise(self.index + at)
        self.index += got
        if self.source.ended and not self.ended:
            self.ended = True
            if self._summary.count:
                self._summarise(self.index)
        return got

    def _detect(self, start, stop):
        for detector in self._detectors:
            at = start
            while at < stop:
                at = detector.find(self._buf, at, stop)
                if at < stop:
                    self._alert(detector, self.index + at, self._buf[at])
                    at += 1

    def _alert(self, detector, index, x):
        self._on_alert(self.source, index)
        self.alerts += 1
        self._anomalies += 1
        body = detector.tell(x, payload.CLIPPED if x in (self._low, self._high) else 0, index)
        self._emit(record.ANOMALY, self.number, record.ALERT, self.source.time_ms(index), body)

    def _summarise(self, index):
        s = self._summary
        clipped = self.source.clipped
        body = payload.pack_summary(
            s.count, s.min, s.max, self._anomalies, s.sum, s.sum_sq, index, clipped - self.clipped
        )
        self.clipped = clipped
        self._anomalies = 0
        s.reset()
        self._emit(record.SUMMARY, self.number, record.TELEMETRY, self.source.time_ms(index - 1), body)

    def _read_out(self, at, stop):
        for i in range(at, stop):
            index = self.index + i
            body = payload.pack_reading(self._buf[i], index)
            self._emit(record.READING, self.number, record.TELEMETRY, self.source.time_ms(index), body)
