"""Publications: the topic and the payload of one record, formed on the board that speaks MQTT itself.

Pure. It does what the gateway does (host/kittiwake/publish/publisher.py) in integers and by itself: the host shares
no numerics with the board. A test forms every kind of record by both and compares the bytes.
"""

import binascii

from ..errors import FrameError
from ..link import anomaly, machine_state, payload
from ..link import record as rec
from ..link.channel_description import Described
from . import figures, jsontext

if False:  # for mypy alone
    from collections.abc import Mapping

    from kittiwake_types import Fields, Fraction

    from ..link.record import Record
    from .jsontext import Raw

_KINDS = {
    rec.BOOT: "boot",
    rec.TIME: "time",
    rec.READING: "reading",
    rec.SUMMARY: "summary",
    rec.ANOMALY: "alert",
    rec.HEALTH: "health",
    rec.EVENT: "event",
    rec.SNAPSHOT: "snapshot",
    rec.DISTURBANCE: "disturbance",
    rec.KEYWORD: "keyword",
    rec.STATE: "state",
}
KINDS = tuple(_KINDS.values()) + ("opaque",)
_CHANNEL_KINDS = ("reading", "summary", "alert", "snapshot", "disturbance", "keyword", "state")
_FEATURES = ("variance", "peak", "range", "crossings")
_LEVEL_CHARACTERS = 64
_DOUBLE_LIMIT = 1 << 53  # from here on a reader whose numbers are doubles has another integer than was sent
_YEAR_10000_MS = 253402300800000
_DAYS_OF_400_YEARS = 146097


class Publisher:
    """Forms the messages of one device's journal.

    Args:
        base: first levels of every topic.
        topics: kind -> a topic of its own.
        device: device id.
        journal: journal id, 64 bits.
    """

    def __init__(self, base: str, topics: dict[str, str], device: str, journal: int) -> None:
        self._prefix = "%s/%s/" % (base, device)
        self._topics = topics
        self._identity = [("device", device), ("journal", "%08x%08x" % (journal >> 32, journal & 0xFFFFFFFF))]

    def topic(self, leaf: str) -> str:
        """A topic of the device's own: `status`, `cmd`, `resp`."""
        return self._prefix + leaf

    def form(self, record: "Record", channels: "list[Described]") -> tuple[str, bytes]:
        """Form one message. Allocates.

        Args:
            record: a Record.
            channels: the channel description it refers to (layout.describe).

        Returns:
            (topic, payload as bytes). What cannot be read goes out as kind `opaque`, its payload in hex.
        """
        known = record.channel < len(channels)
        channel = channels[record.channel] if known else Described({}, record.channel)
        kind = _KINDS.get(record.type, "opaque") if record.version == rec.VERSION else "opaque"
        try:
            fields = _FORMS[kind](record, channel)
        except (FrameError, ArithmeticError, ValueError):
            kind = "opaque"
            fields = _opaque(record, channel)
        wide = _wide_texts(fields) if kind == "alert" or kind == "summary" else []
        level = topic_level(channel.name) if kind in _CHANNEL_KINDS or kind == "opaque" else ""
        fields += self._identity
        fields += [("seq", record.seq), ("boot", record.boot), ("uptime_ms", record.time_ms)]
        fields += [("kind", kind), ("channel", level)]
        fields += wide
        if record.is_late:
            fields.append(("late", True))
        return self._topic_of(kind, level), jsontext.dump(fields).encode()

    def _topic_of(self, kind: str, level: str) -> str:
        topic = self._topics.get(kind)
        if topic is None:
            topic = self._prefix + kind
            if kind in _CHANNEL_KINDS:
                topic += "/" + level
        return topic


def topic_level(name: str) -> str:
    """One level of a topic out of a channel's name: what a level may not hold becomes '_'."""
    return "".join(["_" if c in "+#/" or ord(c) < 32 else c for c in name])[:_LEVEL_CHARACTERS] or "_"


def timestamp(utc_ms: int | None) -> str | None:
    """ISO 8601 in UTC with milliseconds; None for None and for what is beyond the year 9999.

    Source: the Gregorian calendar's 400-year cycle, counted from 1 March, so that a leap day is the last of its year.
    """
    if utc_ms is None or utc_ms >= _YEAR_10000_MS:
        return None
    seconds, ms = divmod(utc_ms, 1000)
    days, second = divmod(seconds, 86400)
    cycles, day = divmod(days + 719468, _DAYS_OF_400_YEARS)
    year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5 - 1
    month += 3 if month < 10 else -9
    year += 400 * cycles + (month < 3)
    clock = (year, month, day, second // 3600, second // 60 % 60, second % 60, ms)
    return "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ" % clock


def _wide_texts(fields: "Fields") -> "Fields":
    """NAME_exact, as text, of the integers that doubles do not hold."""
    return [
        (name + "_exact", str(value))
        for name, value in fields
        if isinstance(value, int) and not -_DOUBLE_LIMIT < value < _DOUBLE_LIMIT
    ]


def _opaque(record: "Record", channel: "Described") -> "Fields":
    return [
        ("ts", timestamp(record.utc_ms)),
        ("type", record.type),
        ("version", record.version),
        ("channel_number", record.channel),
        ("payload", binascii.hexlify(record.payload).decode()),
    ]


def _alert(record: "Record", channel: "Described") -> "Fields":
    values = anomaly.unpack_anomaly(record.payload)
    if values["detector"] == anomaly.BASELINE:
        value, mean, stdev, z, exact = _of_feature(values, channel.scale)
    else:
        value = figures.value(values["x"], channel.scale, channel.offset)
        mean, stdev, z, exact = _of_samples(values, channel)
    fields = [("anomaly", True), ("value", value), ("z_score", z), ("mean", mean), ("stdev", stdev)]
    fields += [
        ("ts", timestamp(record.utc_ms)),
        ("sensor_id", channel.sensor_id),
        ("unit", channel.unit),
        ("index", values["index"]),
    ]
    fields += exact
    fields.append(("t", "%d/%d" % (values["p"], values["q"]) if values["q"] else None))
    fields.append(("detector", anomaly.DETECTORS[values["detector"]]))
    if values["flags"] & anomaly.CLIPPED:
        fields.append(("clipped", 1))
    if values["flags"] & anomaly.LAGGED:
        fields.append(("lagged", True))
    return fields


def _of_samples(values: dict[str, int], channel: "Described") -> "tuple[Raw, Raw | None, Raw | None, Fields]":
    scale, offset = channel.scale, channel.offset
    if "n" in values:
        mean, stdev, z = figures.of_window(values["n"], values["sum"], values["sum_sq"], values["x"], scale, offset)
        exact: "Fields" = [("x", values["x"]), ("n", values["n"]), ("s", values["sum"]), ("q", values["sum_sq"])]
        return mean, stdev, z, exact + [("min", values["min"]), ("max", values["max"])]
    mean, stdev, z = figures.of_levels(values["fast"], values["slow"], values["variance"], scale, offset)
    exact = [("x", values["x"]), ("fast_q16", values["fast"]), ("slow_q16", values["slow"])]
    return mean, stdev, z, exact + [("variance_q16", values["variance"])]


def _of_feature(values: dict[str, int], scale: "Fraction") -> "tuple[Raw, Raw, Raw | None, Raw | None, Fields]":
    number = values["feature"]
    feature = _FEATURES[number] if number < len(_FEATURES) else str(number)
    a, b = abs(scale[0]), scale[1]
    # Variance and peak come in Q8; an offset moves no feature, a scale moves all but the count of crossings.
    factors = {"variance": (a * a, b * b << 8), "peak": (a, b << 8), "range": (a, b)}
    factor = factors.get(feature, (1, 1))
    zero = (0, 1)
    mean, stdev, z = figures.of_window(values["blocks"], values["sum"], values["sum_sq"], values["value"], factor, zero)
    exact = [("feature", feature), ("feature_value", values["value"]), ("blocks", values["blocks"])]
    exact += [("s", values["sum"]), ("q", values["sum_sq"])]
    return figures.value(values["value"], factor, zero), mean, stdev, z, exact


def _summary(record: "Record", channel: "Described") -> "Fields":
    s = payload.unpack_summary(record.payload)
    scale, offset = channel.scale, channel.offset
    fields = _head(record, channel)
    if s["n"]:
        mean, stdev, _ = figures.of_window(s["n"], s["sum"], s["sum_sq"], None, scale, offset)
        ends = ("max", "min") if scale[0] < 0 else ("min", "max")
        low, high = [figures.value(s[end], scale, offset) for end in ends]
        fields += [("mean", mean), ("stdev", stdev), ("low", low), ("high", high)]
    names = (("n", "n"), ("s", "sum"), ("q", "sum_sq"))
    fields += [(name, s[key]) for name, key in names]
    fields += [(name, s[name]) for name in ("min", "max", "anomalies", "clipped", "index")]
    return fields + [("scale", "%d/%d" % scale), ("offset", "%d/%d" % offset)]


def _reading(record: "Record", channel: "Described") -> "Fields":
    r = payload.unpack_reading(record.payload)
    return [
        ("sensor_id", channel.sensor_id),
        ("value", figures.value(r["x"], channel.scale, channel.offset)),
        ("unit", channel.unit),
        ("ts", timestamp(record.utc_ms)),
        ("x", r["x"]),
        ("index", r["index"]),
    ]


def _disturbance(record: "Record", channel: "Described") -> "Fields":
    d = anomaly.unpack_disturbance(record.payload)
    fields = [("sensor_id", channel.sensor_id), ("ts", timestamp(record.utc_ms))]
    fields.append(("detector", anomaly.DETECTORS.get(d["detector"], str(d["detector"]))))
    return fields + [(name, d[name]) for name in ("count", "start", "end", "peak", "peak_index")]


def _snapshot(record: "Record", channel: "Described") -> "Fields":
    s = payload.unpack_snapshot(record.payload)
    fields = _head(record, channel) + [(name, s[name]) for name in ("part", "parts", "index")]
    return fields + [("samples_lsb", s["samples"])]


def _keyword(record: "Record", channel: "Described") -> "Fields":
    k = payload.unpack_keyword(record.payload)
    fields = [("keyword", k["name"]), ("probability", figures.value(k["sum"], (1, 256 * k["window"]), (0, 1)))]
    fields += [("ts", timestamp(record.utc_ms)), ("sensor_id", channel.sensor_id)]
    fields += [(name, k[name]) for name in ("sum", "limit", "window", "index")]
    if k["flags"] & payload.AUDIO:
        fields.append(("audio", True))
    return fields


def _state(record: "Record", channel: "Described") -> "Fields":
    s = machine_state.unpack_state(record.payload)
    fields: "Fields" = [("state", s["name"]), ("previous", s["previous"])]
    fields += [("probability", figures.value(s["score"], (1, 256), (0, 1))), ("ts", timestamp(record.utc_ms))]
    return fields + [("sensor_id", channel.sensor_id), ("index", s["index"]), ("lasted", s["lasted"])]


def _time(record: "Record", channel: "Described") -> "Fields":
    return [("ts", timestamp(payload.unpack_time(record.payload)["utc_ms"]))]


def _boot(record: "Record", channel: "Described") -> "Fields":
    b = payload.unpack_boot(record.payload)
    return _stamped(record, b, ("reset_cause", "heap_free", "firmware"))


def _health(record: "Record", channel: "Described") -> "Fields":
    return _stamped(record, payload.unpack_health(record.payload), payload.HEALTH_FIELDS)


def _event(record: "Record", channel: "Described") -> "Fields":
    return _stamped(record, payload.unpack_event(record.payload), ("code", "text"))


def _head(record: "Record", channel: "Described") -> "Fields":
    return [("sensor_id", channel.sensor_id), ("unit", channel.unit), ("ts", timestamp(record.utc_ms))]


def _stamped(record: "Record", values: "Mapping[str, object]", names: tuple[str, ...]) -> "Fields":
    return [("ts", timestamp(record.utc_ms))] + [(name, values[name]) for name in names if name in values]


_FORMS = {
    "boot": _boot,
    "time": _time,
    "reading": _reading,
    "summary": _summary,
    "alert": _alert,
    "health": _health,
    "event": _event,
    "snapshot": _snapshot,
    "disturbance": _disturbance,
    "keyword": _keyword,
    "state": _state,
    "opaque": _opaque,
}
