"""Reference page of what is published: every kind of record with its topic and fields, formed by the publisher itself.

What a field means stands in fields.toml; a field that is missing there, or that no message has, is an error.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from kittiwake.publish.bodies import OPAQUE
from kittiwake.publish.publisher import KINDS, Policy, publication
from kittiwake_node.link import anomaly, machine_state, payload
from kittiwake_node.link import record as rec
from tools.docs import markdown

_EVERY = "*"
_IN_ALL = ("device", "journal", "seq", "boot", "uptime_ms", "kind", "channel", "late")
_WIDE = 1 << 53  # fields of such integers have a text beside them
_DEVICE, _JOURNAL = "press-7", 0x8F3A0C51D2E4B697
_BOOT_UTC_MS = 1767225600000  # 2026-01-01 00:00:00
_DESCRIPTION = json.dumps(
    [{"name": "bearing", "sensor_id": "vib-001", "unit": "mm/s", "scale": "1/100", "offset": "0"}]
).encode()
_VERDICT = {"verdict": "confirmed", "verdict_score": 0.9765, "verdict_model": "okay_nabu.tflite"}
_CLASSES = {"snapshot": rec.RAW, "summary": rec.TELEMETRY, "reading": rec.TELEMETRY, "health": rec.TELEMETRY}


def page() -> str:
    """The whole page in Markdown."""
    meanings = tomllib.loads(Path(__file__).with_name("fields.toml").read_text(encoding="utf-8"))
    parts = [markdown.MADE, "# Topics and fields\n", _HEAD]
    parts.append(markdown.table(("field", "meaning"), [(markdown.code(f), m) for f, m in meanings[_EVERY].items()]))
    for kind, examples in messages().items():
        topic, fields = examples[0][0], list(dict.fromkeys(name for _, body in examples for name in body))
        own = [f for f in fields if f in meanings[kind]]
        common = [markdown.code(f) for f in fields if f in meanings[_EVERY] and f not in (*own, *_IN_ALL)]
        unknown = [f for f in fields if f not in own and f not in meanings[_EVERY]]
        idle = [f for f in meanings[kind] if f not in fields]
        if unknown or idle:
            raise ValueError(f"fields.toml, {kind}: says nothing of {unknown}, and of {idle}, which no message has")
        parts.append(f"## {kind}\n")
        parts.append(f"Topic {markdown.code(topic)}. Also {', '.join(common)}.\n")
        parts.append(markdown.table(("field", "meaning"), [(markdown.code(f), meanings[kind][f]) for f in own]))
        parts.append("```json\n" + json.dumps(examples[0][1], ensure_ascii=False) + "\n```\n")
    parts.append(_TAIL)
    return "\n".join(parts)


def messages() -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """Every kind of message: kind -> (topic, body) of one record of each form that the kind has."""
    formed: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for type_, bodies in _payloads().items():
        kind = KINDS.get(type_, OPAQUE)
        for number, (body, also) in enumerate(bodies):
            cls = _CLASSES.get(kind, rec.ALERT) | (rec.LATE if number else 0)
            raw = rec.draft(type_, 0, cls, 1, 1240, _BOOT_UTC_MS, 1, body)
            rec.seal(raw, 0, len(raw), 17)
            record, _ = rec.decode(raw)
            message = publication(Policy(), _DEVICE, _JOURNAL, record, _DESCRIPTION)
            if message.kind != kind:
                raise ValueError(f"the example of {kind} went out as {message.kind}")
            formed.setdefault(kind, []).append((message.topic, json.loads(message.payload) | also))
    return formed


def _payloads() -> dict[int, list[tuple[bytes, dict[str, Any]]]]:
    """Type -> payloads, one of each form, and what the bridge adds to its message."""
    a, p, samples = anomaly, payload, b"\x10\x00\x20\x00"
    window = (256, 1120, 390, 1120, 108544, 46254080, 1234, 11, 2)
    return {
        rec.ANOMALY: [
            (a.pack_anomaly(a.ZSCORE, 0, *window), {}),
            (a.pack_anomaly(a.ZSCORE, a.CLIPPED | a.LAGGED, *window), {}),
            (a.pack_levels(a.DRIFT, 0, 1120, 66 << 16, 42 << 16, 9 << 16, 1234, 3, 2), {}),
            (a.pack_feature(0, 0, 200, 25600, 2560000, 32800000000, 1234, 5, 1), {}),
            (a.pack_levels(a.DRIFT, 0, 1120, -_WIDE, -_WIDE, _WIDE, 1234, 3, 2), {}),
            (a.pack_feature(0, 0, 200, _WIDE, 200 * _WIDE, 200 * _WIDE**2, 1234, 5, 1), {}),
        ],
        rec.SUMMARY: [
            (p.pack_summary(60000, 390, 1120, 3, 25440000, 10840000000, 60000, 0), {}),
            (p.pack_summary(9, 0, 1, 0, 0, _WIDE, 9, 0), {}),
        ],
        rec.READING: [(p.pack_reading(424, 1234), {})],
        rec.SNAPSHOT: [(p.pack_snapshot(0, 1, 1200, samples), {})],
        rec.DISTURBANCE: [(a.pack_disturbance(a.ZSCORE, 4, 1234, 1260, 700, 1240), {})],
        rec.KEYWORD: [(p.pack_keyword(p.AUDIO, "okay_nabu", 5, 1242, 1241, 16000), _VERDICT)],
        rec.STATE: [(machine_state.pack_state("jammed", "fast", 241, 15360, 12800), {})],
        rec.HEALTH: [(p.pack_health({"heap_free": 143360}), {})],
        rec.BOOT: [(p.pack_boot(1, 143360, "kittiwake"), {})],
        rec.TIME: [(p.pack_time(_BOOT_UTC_MS + 1240), {})],
        rec.EVENT: [(p.pack_event(3, "bearing changed"), {})],
        200: [(b"\x01", {})],
    }


_HEAD = """\
A record becomes one message on `BASE/DEVICE/KIND/CHANNEL`, or `BASE/DEVICE/KIND` where the kind has no channel. `BASE`
is `kittiwake` unless configured, `CHANNEL` the channel's name. `publish.topics` (gateway) and `mqtt.topics` (direct
MQTT) give a kind a topic of its own. QoS is 1 unless configured.

(`device`, `journal`, `seq`) is a key for ever. A message that is repeated after a crash is the same, byte for byte, so
drop what you have seen. A gateway and a board that speaks MQTT itself publish the same bytes of the same record.

Every message has `device`, `journal`, `seq`, `boot`, `uptime_ms`, `kind` and `channel`. A field has
one JSON type in all messages, or null where its meaning says so.
"""

_TAIL = """\
## Other topics

| topic | who | what |
|---|---|---|
| `BASE/DEVICE/status` | bridge or device | `online` or `offline`, retained |
| `BASE/BRIDGE/status` | bridge | the same of the bridge itself; `offline` is its last will |
| `BASE/BRIDGE/devices` | bridge | devices that it has said to be on line, retained; for its own next start |
| `BASE/DEVICE/cmd` | you | a [command](../howto/commands.md) |
| `BASE/DEVICE/resp` | bridge or device | its response |
| `BASE/DEVICE/release` | you | which [release](../spec/mqtt.md) it is to have, retained |
| `BASE/DEVICE/update` | bridge | how it stands with that, retained |
| `PREFIX/device/DEVICE/config` | bridge | [Home Assistant](../howto/home-assistant.md)'s discovery, retained |
"""
