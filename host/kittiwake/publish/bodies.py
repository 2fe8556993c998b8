"""The fields of each kind of message, from a record and its channel. Pure; names are fixed by contract.

A form raises FrameError on a payload that is too short, ArithmeticError or ValueError on sums that no window can have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from functools import lru_cache

from kittiwake.publish import alerts, figures
from kittiwake.publish.channel_description import Channel
from kittiwake_node.link import anomaly as anomalies
from kittiwake_node.link import machine_state, payload
from kittiwake_node.link import record as rec

OPAQUE = "opaque"
# Beyond these a reader whose numbers are doubles has another integer than was sent.
_DOUBLE_LIMIT = 2**53
_WIDE = ("feature_value", "s", "q", "fast_q16", "slow_q16", "variance_q16")

Body = dict[str, object]
Form = Callable[[rec.Record, Channel], Body]


def timestamp(utc_ms: int | None) -> str | None:
    """ISO 8601 in UTC with milliseconds, or None for a time that was not known."""
    if utc_ms is None:
        return None
    second = _second(utc_ms // 1000)
    return None if second is None else f"{second}.{utc_ms % 1000:03d}Z"


@lru_cache(maxsize=256)
def _second(utc_s: int) -> str | None:
    try:
        return datetime.fromtimestamp(utc_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return None


def wide_texts(body: Mapping[str, object]) -> dict[str, str]:
    """Give the integers that doubles do not hold as texts too.

    Args:
        body: the fields of a message.

    Returns:
        NAME_exact -> decimal digits, for each field of 2^53 or more without its sign.
    """
    values = ((name, body.get(name)) for name in _WIDE)
    return {f"{name}_exact": str(x) for name, x in values if isinstance(x, int) and abs(x) >= _DOUBLE_LIMIT}


def _alert(record: rec.Record, channel: Channel) -> Body:
    anomaly = anomalies.unpack_anomaly(record.payload)
    formed = alerts.form(anomaly, channel.scale, channel.offset)
    return {
        "anomaly": True,
        **{name: formed.pop(name) for name in ("value", "z_score", "mean", "stdev")},
        "ts": timestamp(record.utc_ms),
        "sensor_id": channel.sensor_id,
        "unit": channel.unit,
        "index": anomaly["index"],
        **formed,
        "t": f"{anomaly['p']}/{anomaly['q']}" if anomaly["q"] else None,
        "detector": anomalies.DETECTORS[anomaly["detector"]],
        **({"clipped": 1} if anomaly["flags"] & anomalies.CLIPPED else {}),
        **({"lagged": True} if anomaly["flags"] & anomalies.LAGGED else {}),
    }


def _disturbance(record: rec.Record, channel: Channel) -> Body:
    disturbance = anomalies.unpack_disturbance(record.payload)
    number = disturbance["detector"]
    return {
        "sensor_id": channel.sensor_id,
        "ts": timestamp(record.utc_ms),
        **disturbance,
        "detector": anomalies.DETECTORS.get(number, str(number)),
    }


def _snapshot(record: rec.Record, channel: Channel) -> Body:
    head = {"sensor_id": channel.sensor_id, "unit": channel.unit, "ts": timestamp(record.utc_ms)}
    snapshot = payload.unpack_snapshot(record.payload)
    place = {"part": snapshot["part"], "parts": snapshot["parts"], "index": snapshot["index"]}
    return {**head, **place, "samples_lsb": snapshot["samples"]}


def _keyword(record: rec.Record, channel: Channel) -> Body:
    keyword = payload.unpack_keyword(record.payload)
    return {
        "keyword": keyword["name"],
        "probability": figures.value(keyword["sum"], Fraction(1, 256 * keyword["window"]), Fraction(0)),
        "ts": timestamp(record.utc_ms),
        "sensor_id": channel.sensor_id,
        "sum": keyword["sum"],
        "limit": keyword["limit"],
        "window": keyword["window"],
        "index": keyword["index"],
        **({"audio": True} if keyword["flags"] & payload.AUDIO else {}),
    }


def _state(record: rec.Record, channel: Channel) -> Body:
    state = machine_state.unpack_state(record.payload)
    return {
        "state": state["name"],
        "previous": state["previous"],
        "probability": figures.value(state["score"], Fraction(1, 256), Fraction(0)),
        "ts": timestamp(record.utc_ms),
        "sensor_id": channel.sensor_id,
        "index": state["index"],
        "lasted": state["lasted"],
    }


def _summary(record: rec.Record, channel: Channel) -> Body:
    s = payload.unpack_summary(record.payload)
    body: Body = {"sensor_id": channel.sensor_id, "unit": channel.unit, "ts": timestamp(record.utc_ms)}
    factors = {"scale": channel.scale, "offset": channel.offset}
    if s["n"]:
        mean, stdev, _ = figures.window_figures(s["n"], s["sum"], s["sum_sq"], None, channel.scale, channel.offset)
        ends = [figures.value(end, channel.scale, channel.offset) for end in (s["min"], s["max"])]
        body |= {"mean": mean, "stdev": stdev, "low": min(ends), "high": max(ends)}
    return body | {
        "n": s["n"],
        "s": s["sum"],
        "q": s["sum_sq"],
        "min": s["min"],
        "max": s["max"],
        "anomalies": s["anomalies"],
        "clipped": s["clipped"],
        "index": s["index"],
        **{name: f"{f.numerator}/{f.denominator}" for name, f in factors.items()},
    }


def _reading(record: rec.Record, channel: Channel) -> Body:
    reading = payload.unpack_reading(record.payload)
    return {
        "sensor_id": channel.sensor_id,
        "value": figures.value(reading["x"], channel.scale, channel.offset),
        "unit": channel.unit,
        "ts": timestamp(record.utc_ms),
        "x": reading["x"],
        "index": reading["index"],
    }


def _time(record: rec.Record, channel: Channel) -> Body:
    return {"ts": timestamp(payload.unpack_time(record.payload)["utc_ms"])}


def _plain(unpack: Callable[[bytes], Mapping[str, object]]) -> Form:
    def body(record: rec.Record, channel: Channel) -> Body:
        return {"ts": timestamp(record.utc_ms), **unpack(record.payload)}

    return body


def _opaque(record: rec.Record, channel: Channel) -> Body:
    return {
        "ts": timestamp(record.utc_ms),
        "type": record.type,
        "version": record.version,
        "channel_number": record.channel,
        "payload": record.payload.hex(),
    }


FORMS: dict[str, Form] = {
    "alert": _alert,
    "summary": _summary,
    "reading": _reading,
    "time": _time,
    "boot": _plain(payload.unpack_boot),
    "health": _plain(payload.unpack_health),
    "event": _plain(payload.unpack_event),
    "snapshot": _snapshot,
    "disturbance": _disturbance,
    "keyword": _keyword,
    "state": _state,
    OPAQUE: _opaque,
}
