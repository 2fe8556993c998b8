"""A journal in words and in JSON: each record as the bridge would publish it, and where it stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from kittiwake.journal.reading import CLASSES, Entry, Journal
from kittiwake.publish import publisher


def records(journal: Journal) -> Iterator[dict[str, Any]]:
    """Each record as a dict: the published payload but for the device's name, which no journal has, and its place.

    Args:
        journal: read.

    Yields:
        kind, class, acked, path, offset, and the payload's own keys.
    """
    former = publisher.Former(publisher.Policy(), "", journal.id)
    for entry in journal.entries:
        number = entry.record.description
        if not former.knows(number):
            former.describe(number, journal.layouts.get(number, b"{}"))
        message = former.form(entry.record)
        body = json.loads(message.payload)
        del body["device"]
        place = {"kind": message.kind, "class": CLASSES[entry.record.cls], "acked": entry.is_acked}
        yield place | {"path": entry.path, "offset": entry.offset} | body


def summary(journal: Journal) -> dict[str, Any]:
    """The journal as one dict: counts by class, the state, files, damages.

    Args:
        journal: read.
    """
    state = journal.state
    waiting = [0] * len(CLASSES)
    for entry in journal.entries:
        waiting[entry.record.cls] += not entry.is_acked
    return {
        "journal": f"{journal.id:016x}",
        "version": journal.version,
        "boots": state.boots,
        "acked": state.acked,
        "next_seq": journal.next_seq,
        "records": len(journal.entries),
        "waiting": dict(zip(CLASSES, waiting, strict=True)),
        "dropped": dict(zip(CLASSES, state.dropped, strict=True)),
        "missing": journal.missing,
        "unexplained": journal.unexplained,
        "files": [
            {"path": s.path, "bytes": s.size, "records": len(s.records), "marks": s.marks} for s in journal.segments
        ],
        "other_files": journal.other_files,
        "damages": [{"path": d.path, "offset": d.offset, "bytes": d.size, "what": d.what} for d in journal.damages],
        "sound": journal.is_sound,
    }


def line(entry: Entry, body: dict[str, Any]) -> str:
    """One record for people: number, whether it waits, class, kind, time, channel, and what it says.

    Args:
        entry: the record.
        body: as `records` gives it.
    """
    record = entry.record
    when = f"boot {record.boot} +{record.time_ms / 1000:.3f} s"
    if record.utc_ms is not None:
        when = datetime.fromtimestamp(record.utc_ms / 1000, UTC).isoformat(timespec="milliseconds")[:23] + "Z"
    keys = ("text", "value", "z_score", "count", "mean", "min", "max", "samples", "hex")
    fields = ", ".join(f"{key} {body[key]}" for key in keys if body.get(key) is not None)
    mark = " " if entry.is_acked else "*"
    return f"{record.seq:>8}{mark} {CLASSES[record.cls]:<9} {body['kind']:<11} {when:<26} {record.channel} {fields}"[
        :160
    ]


def closing_lines(journal: Journal) -> Iterator[str]:
    """What a person wants to know at the end: counts, then every damage with its place.

    Args:
        journal: read.
    """
    s = summary(journal)
    yield (
        f"journal {s['journal']}, version {s['version']}: {s['records']} records in {len(s['files'])} files,"
        f" {sum(s['waiting'].values())} waiting (*), next number {s['next_seq']}, {s['boots']} boots"
    )
    yield "dropped: " + ", ".join(f"{count} {name}" for name, count in s["dropped"].items())
    if s["unexplained"]:
        yield f"{s['unexplained']} numbers are missing and nothing says why"
    for damage in s["damages"]:
        yield f"damaged: {damage['path']} at byte {damage['offset']}, {damage['bytes']} bytes: {damage['what']}"
    yield "sound" if s["sound"] else "NOT sound; nothing was changed"
