"""What one device's messages said, for operators: alerts, keywords and states counted, and the newest values.

Devices choose their channels' names, so what is kept is bounded: beyond that, channels count together. It knows neither
port nor broker.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from kittiwake.publish.channel_description import Channel

CHANNELS_LIMIT = 64
KEYWORDS_LIMIT = 32
STATES_LIMIT = 32
OTHERS = "_others"  # what stands for names beyond these limits
_TEXT_LIMIT = 64  # characters of a sensor's id, a unit, a keyword or a state

_OF_SUMMARY = ("mean", "stdev", "low", "high")


@dataclass
class ChannelTally:
    """One channel's.

    Attributes:
        sensor_id: of its newest message.
        unit: the same.
        values: "value" of the newest reading or alert; "mean", "stdev", "low", "high" of the newest summary.
        ts: of the newest of these; None where its time was not known.
        alerts: detector -> how many.
        keywords: keyword -> how many.
        states: state of a machine -> how often it began.
        state: the one that began last; "" for none.
    """

    sensor_id: str = ""
    unit: str = ""
    values: dict[str, float] = field(default_factory=dict)
    ts: str | None = None
    alerts: Counter[str] = field(default_factory=Counter)
    keywords: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    state: str = ""


class Tally:
    """One device's.

    Attributes:
        channels: level of the channel's topics -> ChannelTally.
    """

    def __init__(self) -> None:
        self.channels: dict[str, ChannelTally] = {}

    @property
    def alerts(self) -> int:
        """Alerts of all channels."""
        return sum(channel.alerts.total() for channel in self.channels.values())

    @property
    def keywords(self) -> int:
        """Keywords of all channels."""
        return sum(channel.keywords.total() for channel in self.channels.values())

    def take(self, kind: str, channel: Channel, body: Mapping[str, object]) -> None:
        """Take a message's fields.

        Args:
            kind: of message.
            channel: whose it is.
            body: its fields.
        """
        if kind == "reading":
            self._keep(channel, body, ("value",))
        elif kind == "summary":
            self._keep(channel, body, _OF_SUMMARY)
        elif kind == "alert":
            # A baseline's value is a feature's, in other units than the channel's.
            of = self._keep(channel, body, () if "feature" in body else ("value",))
            of.alerts[str(body["detector"])] += 1
        elif kind == "keyword":
            of = self._keep(channel, body, ())
            of.keywords[_bounded(str(body["keyword"]), of.keywords, KEYWORDS_LIMIT)] += 1
        elif kind == "state":
            of = self._keep(channel, body, ())
            of.state = _bounded(str(body["state"]), of.states, STATES_LIMIT)
            of.states[of.state] += 1

    def _keep(self, channel: Channel, body: Mapping[str, object], names: tuple[str, ...]) -> ChannelTally:
        of = self.channels.get(channel.level)
        if of is None:
            level = channel.level if len(self.channels) < CHANNELS_LIMIT else OTHERS
            of = self.channels.setdefault(level, ChannelTally())
            if level == OTHERS:
                return of
        of.sensor_id, of.unit = channel.sensor_id[:_TEXT_LIMIT], channel.unit[:_TEXT_LIMIT]
        if names:
            for name in names:
                of.values.pop(name, None)  # what the newest has not, an empty summary's mean, is not known
                if isinstance(value := body.get(name), float):
                    of.values[name] = value
            ts = body.get("ts")
            of.ts = ts if isinstance(ts, str) else None
        return of


def _bounded(name: str, known: Counter[str], limit: int) -> str:
    name = name[:_TEXT_LIMIT]
    return name if name in known or len(known) < limit else OTHERS
