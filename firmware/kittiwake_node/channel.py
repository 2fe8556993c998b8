"""What every channel of a node has: its number, its source, its counters, and what it tells its owner.

Pure. It knows neither detectors nor networks: detect/channel.py and speech/ear.py are its kinds.
"""

from .link import payload, record

if False:  # for mypy alone
    from collections.abc import Callable, Sequence

    from kittiwake_types import ChannelOwner, Meter, Settings, Source, Watch

_PART_SAMPLES = 448  # of a snapshot, in one record


class BaseChannel:
    """A channel of the node, of whatever kind.

    Args:
        number: 0 to 255.
        config: of the channel, checked (config.check).
        source: io.source.Source.
        owner: who is told (the node): emit(type, channel, class, time_ms, payload) for every record; on_alert(source,
            index) before anything of an alert is stored, where the action is driven; commit(class): what was emitted in
            that class becomes safe now, and is numbered; on_microphone() when a microphone's state changed.

    Attributes:
        index: samples worked through since boot.
        alerts: alerts told since boot.
        clipped: samples at or beyond an end of their range since boot.
        ended: the source is through, and everything it gave was emitted.
        watches: detectors with what their flags become (detect.channel.Watch); a microphone has none.
        meter: speech.meter.Meter of a microphone, else None.
    """

    watches: "Sequence[Watch]" = ()
    meter: "Meter | None" = None

    def __init__(self, number: int, config: "Settings", source: "Source", owner: "ChannelOwner") -> None:
        self.number = number
        self.source = source
        self.index = 0
        self.alerts = 0
        self.clipped = 0
        self.ended = False
        self._summary_samples = config["summary_samples"]
        self._emit = owner.emit

    @property
    def held_back(self) -> int:
        """Flags that became no alert."""
        return 0

    @property
    def snapshots_refused(self) -> int:
        """Snapshots that the hour's bytes, or one under way, refused."""
        return 0

    def emit_samples(
        self,
        count: int,
        start: int,
        piece: "Callable[[int, int], bytes]",
        on_part: "Callable[[int, int], None] | None" = None,
    ) -> None:
        """Emit raw samples as snapshot records, in parts.

        Args:
            count: of samples.
            start: index of the first.
            piece: called as piece(first, count), gives the bytes of that many samples, `first` counted from `start`.
            on_part: called as on_part(number, parts) after each part; None for nothing.
        """
        parts = (count + _PART_SAMPLES - 1) // _PART_SAMPLES
        for part in range(parts):
            first = part * _PART_SAMPLES
            index = start + first
            body = payload.pack_snapshot(part, parts, index, piece(first, min(_PART_SAMPLES, count - first)))
            self._emit(record.SNAPSHOT, self.number, record.RAW, self.source.time_ms(index), body)
            if on_part:
                on_part(part, parts)
