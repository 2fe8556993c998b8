"""Payloads: what each record type carries, as integers, packed and unpacked (docs/spec/record.md).

Each `pack_*` returns bytes and allocates; each `unpack_*` returns a dict with the names used there. Payloads longer
than a reader knows are later versions that only append: the tail is ignored. Shorter ones raise FrameError.
"""

import struct

from ..errors import FrameError

if False:  # for mypy alone
    from typing import Any

    from kittiwake_types import Boot, Buffer, Event, Keyword, Snapshot

AUDIO = 1  # keyword flag: the second of audio before it stands in snapshots that came before the record

_SNAPSHOT = "<HHIH"
_SUMMARY = "<IiiIqQIHH"
_KEYWORD = "<HHIIIHBB"
_READING = "<iIH"
_TIME = "<IHH"
_BOOT = "<BBHI"

HEALTH_FIELDS = (
    "heap_free",
    "loop_max_us",
    "action_max_us",
    "samples",
    "overruns",
    "clipped",
    "alerts",
    "evicted_raw",
    "evicted_telemetry",
    "evicted_alert",
    "damaged",
    "journal_bytes",
    "journal_limit_bytes",
    "commits",
    "frames_rejected",
    "resends",
    "bytes_programmed",
    "blocks_erased",
    "storage_state",
    "held_back",
    "snapshots_refused",
    "bus_errors",
    "reconnects",
    "microphone_state",
    "microphone_level",
    "microphone_offset",
    "microphone_clipped_ppm",
    "models_refused",
)
STORAGE_STATES = ("ok", "absent", "full", "read-only", "foreign", "failed")


def pack_snapshot(part: int, parts: int, index: int, samples: bytes) -> bytes:
    """Part `part` of `parts` of a snapshot: the index of its first sample, and int16 samples as bytes."""
    return struct.pack(_SNAPSHOT, part, parts, index & 0xFFFFFFFF, index >> 32) + samples


def unpack_snapshot(payload: bytes) -> "Snapshot":
    """The dict behind `pack_snapshot`: part, parts, index, samples (a list)."""
    part, parts, low, high = unpack(_SNAPSHOT, payload)
    raw = payload[struct.calcsize(_SNAPSHOT) :]
    count = len(raw) // 2
    return {
        "part": part,
        "parts": parts,
        "index": high << 32 | low,
        "samples": list(struct.unpack("<%dh" % count, raw[: 2 * count])),
    }


def pack_summary(
    count: int, low: int, high: int, anomalies: int, total: int, squares: int, index: int, clipped: int
) -> bytes:
    """One interval of a channel: count, extremes, exact sums, anomalies in it, and the index after its last sample."""
    return struct.pack(
        _SUMMARY,
        count,
        low,
        high,
        anomalies,
        total,
        squares,
        index & 0xFFFFFFFF,
        index >> 32,
        min(clipped, 0xFFFF),
    )


def unpack_summary(payload: bytes) -> dict[str, int]:
    """The dict behind `pack_summary`: n, min, max, anomalies, sum, sum_sq, index, clipped."""
    v = unpack(_SUMMARY, payload)
    return {
        "n": v[0],
        "min": v[1],
        "max": v[2],
        "anomalies": v[3],
        "sum": v[4],
        "sum_sq": v[5],
        "index": v[7] << 32 | v[6],
        "clipped": v[8],
    }


def pack_keyword(flags: int, name: str, window: int, total: int, limit: int, index: int) -> bytes:
    """A word was heard.

    Args:
        flags: bit 0, AUDIO.
        name: of the word, up to 31 bytes of UTF-8.
        window: outputs in the sliding mean.
        total: their sum, each a probability in 256ths.
        limit: which the sum had to exceed.
        index: samples of the channel since boot up to the last one that the decision needed, below 2^48.
    """
    raw = name.encode()
    head = struct.pack(_KEYWORD, window, flags, total, limit, index & 0xFFFFFFFF, index >> 32, len(raw), 0)
    return head + raw


def unpack_keyword(payload: bytes) -> "Keyword":
    """The dict behind `pack_keyword`: flags, name, window, sum, limit, index."""
    v = unpack(_KEYWORD, payload)
    start = struct.calcsize(_KEYWORD)
    if not v[0] or len(payload) < start + v[6]:
        raise FrameError("payload-short", "a window of %d, a name of %d bytes" % (v[0], v[6]))
    name = text_of(payload[start : start + v[6]])
    return {"flags": v[1], "name": name, "window": v[0], "sum": v[2], "limit": v[3], "index": v[5] << 32 | v[4]}


def pack_reading(x: int, index: int) -> bytes:
    """One sample, int32, and its index on the channel since boot."""
    return struct.pack(_READING, x, index & 0xFFFFFFFF, index >> 32)


def unpack_reading(payload: bytes) -> dict[str, int]:
    """The dict behind `pack_reading`: x, index."""
    x, low, high = unpack(_READING, payload)
    return {"x": x, "index": high << 32 | low}


def pack_time(utc_ms: int) -> bytes:
    """The moment in UTC, milliseconds since 1970, that the record's own time stands for."""
    return struct.pack(_TIME, utc_ms & 0xFFFFFFFF, utc_ms >> 32, 0)


def unpack_time(payload: bytes) -> dict[str, int]:
    """The dict behind `pack_time`: utc_ms."""
    low, high, _ = unpack(_TIME, payload)
    return {"utc_ms": high << 32 | low}


def pack_boot(reset_cause: int, heap_free: int, text: str) -> bytes:
    """A boot: `machine.reset_cause()` (0 when unknown), free heap in bytes, and the firmware in words (UTF-8)."""
    return struct.pack(_BOOT, reset_cause, 0, 0, min(heap_free, 0xFFFFFFFF)) + text.encode()


def unpack_boot(payload: bytes) -> "Boot":
    """The dict behind `pack_boot`: reset_cause, heap_free, firmware."""
    cause, _, _, heap = unpack(_BOOT, payload)
    return {"reset_cause": cause, "heap_free": heap, "firmware": text_of(payload[8:])}


def pack_health(values: dict[str, int]) -> bytes:
    """The node's counters, one uint32 a name of HEALTH_FIELDS, missing names as 0; larger counts saturate."""
    out = bytearray(4 * len(HEALTH_FIELDS))
    for i, name in enumerate(HEALTH_FIELDS):
        struct.pack_into("<I", out, 4 * i, min(values.get(name, 0), 0xFFFFFFFF))
    return bytes(out)


def unpack_health(payload: bytes) -> dict[str, int]:
    """The dict behind `pack_health`; fields that the sender did not know yet are left out."""
    known = min(len(payload) // 4, len(HEALTH_FIELDS))
    return {HEALTH_FIELDS[i]: struct.unpack_from("<I", payload, 4 * i)[0] for i in range(known)}


def pack_event(code: int, text: str) -> bytes:
    """A log event: a number of the application's choosing and a line of text (UTF-8)."""
    return struct.pack("<H", code) + text.encode()


def unpack_event(payload: bytes) -> "Event":
    """The dict behind `pack_event`: code, text."""
    return {"code": unpack("<H", payload)[0], "text": text_of(payload[2:])}


def unpack(form: str, payload: bytes) -> "tuple[Any, ...]":
    """What a payload begins with. Allocates.

    Args:
        form: of `struct`.
        payload: at least as long.

    Raises:
        FrameError: it is shorter.
    """
    if len(payload) < struct.calcsize(form):
        raise FrameError("payload-short", "%d bytes, needs %d" % (len(payload), struct.calcsize(form)))
    return struct.unpack_from(form, payload, 0)


def text_of(raw: "Buffer") -> str:
    """A text of UTF-8; where it is damaged, its printable ASCII characters, the others as '?'. Allocates.

    Args:
        raw: its bytes.
    """
    # MicroPython's decode knows no error handlers, and a damaged string must not stop a bridge.
    try:
        return bytes(raw).decode()
    except (UnicodeError, ValueError):
        return "".join(chr(b) if 32 <= b < 127 else "?" for b in raw)
