"""Whether a device is there, since when, and how the window knows: judged from what was heard. Pure.

A retained word alone makes no device "online": a bridge that was killed leaves it behind. What does is a record that
has come, or a gateway that answers and says that it has a session with the device. Reasons are codes; their words,
and what to do, stand in the page's texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kittiwake.window.device import Device, Gateway

State = Literal["online", "unconfirmed", "silent", "unknown", "offline"]
SinceKind = Literal["at", "before", "after", ""]

# A gateway that owes an answer for so long is not there, whatever its word says.
ANSWER_MS = 3500
_ANSWER_LASTS_MS = 6000
_FRESH_LEAST_MS = 5000
_FRESH_MOST_MS = 150_000  # a node tells its health every minute, unless configured otherwise


@dataclass(frozen=True)
class Verdict:
    """What is so.

    Attributes:
        state: in one word.
        why: code of the reason.
        since_ms: since when, UTC; None where nobody knows.
        since_kind: "at" that time, "before" it (it was so when the window came), or "after" it (the last sign of life).
        gateway: that it hangs on, "" for none.
    """

    state: State
    why: str
    since_ms: int | None
    since_kind: SinceKind
    gateway: str = ""


@dataclass(frozen=True)
class Connection:
    """The window's own to the broker.

    Attributes:
        is_up: there is one.
        since_ms: when it was made, or lost; None before the first.
    """

    is_up: bool = False
    since_ms: int | None = None


def judge(device: Device, gateway: Gateway | None, connection: Connection, now_ms: int) -> Verdict:
    """Judge a device.

    Args:
        device: what was heard of it.
        gateway: that names it in its list; None for none, as of a board that speaks MQTT itself.
        connection: the window's.
        now_ms: UTC.
    """
    name = gateway.name if gateway else ""
    if not connection.is_up:
        return Verdict("unknown", "broker-away", connection.since_ms, "at", name)
    if device.word.text == "offline":
        return _offline(device, name)
    if gateway is not None and gateway.word.text != "online":
        return _since(gateway.word.since_ms, device, Verdict("unknown", "gateway-away", None, "", name))
    if gateway is not None and _is_deaf(gateway, now_ms) and (device.heard_ms or 0) <= (gateway.asked_ms or 0):
        return Verdict("unknown", "gateway-silent", gateway.answered_ms, "after", name)
    if _is_fresh(device, now_ms):
        return Verdict("online", "record", device.heard_ms, "at", name)
    if gateway is not None and gateway.answered_ms is not None:
        link = gateway.links.get(device.name)
        is_recent = now_ms - gateway.answered_ms <= _ANSWER_LASTS_MS
        if link is not None and is_recent and link.get("online") is True:
            return Verdict("online", "session", gateway.answered_ms, "at", name)
        if link is not None and is_recent:
            return _since(None, device, Verdict("offline", "no-session", None, "", name))
    if device.heard_ms is not None:
        return Verdict("silent", "no-record", device.heard_ms, "after", name)
    return Verdict("unconfirmed", "word-only", connection.since_ms, "before", name)


def judge_gateway(gateway: Gateway, connection: Connection, now_ms: int) -> Verdict:
    """Judge a gateway.

    Args:
        gateway: what was heard of it.
        connection: the window's.
        now_ms: UTC.
    """
    if not connection.is_up:
        return Verdict("unknown", "broker-away", connection.since_ms, "at")
    if gateway.word.text != "online":
        kind: SinceKind = "at" if gateway.word.since_ms is not None else "before"
        return Verdict("offline", "gateway-away", gateway.word.since_ms or connection.since_ms, kind)
    if gateway.asked_ms is not None and now_ms - gateway.asked_ms > ANSWER_MS:
        if gateway.answered_ms is None:
            return Verdict("unconfirmed", "gateway-never-answered", gateway.asked_ms, "before")
        return Verdict("silent", "gateway-silent", gateway.answered_ms, "after")
    if gateway.answered_ms is None or now_ms - gateway.answered_ms > _ANSWER_LASTS_MS:
        return Verdict("unconfirmed", "word-only", connection.since_ms, "before")
    return Verdict("online", "answers", gateway.answered_ms, "at")


def _is_deaf(gateway: Gateway, now_ms: int) -> bool:
    """Whether it owes an answer, and has given one before: one that may not be asked gives none, and is well."""
    is_late = gateway.asked_ms is not None and now_ms - gateway.asked_ms > ANSWER_MS
    return is_late and gateway.answered_ms is not None


def _is_fresh(device: Device, now_ms: int) -> bool:
    if not device.is_heard_here or device.heard_ms is None:
        return False
    patience_ms = min(max(_FRESH_LEAST_MS, 3 * device.usual_gap_ms), _FRESH_MOST_MS)
    return now_ms - device.heard_ms <= patience_ms


def _offline(device: Device, gateway: str) -> Verdict:
    return _since(device.word.since_ms, device, Verdict("offline", "word-offline", None, "", gateway))


def _since(changed_ms: int | None, device: Device, verdict: Verdict) -> Verdict:
    """The same with since when: the change that was seen, else the last sign of life."""
    if changed_ms is not None:
        return Verdict(verdict.state, verdict.why, changed_ms, "at", verdict.gateway)
    kind: SinceKind = "after" if device.heard_ms is not None else ""
    return Verdict(verdict.state, verdict.why, device.heard_ms, kind, verdict.gateway)
