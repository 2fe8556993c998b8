"""Health: the counters that tell how a node is, read from those who keep them. It counts nothing itself."""

from .link import payload, record

if False:  # for mypy alone
    from typing import Any


def counters(facts: "Any", keeping: "Any", port: "Any", session: "Any", channels: "list[Any]") -> dict[str, int]:
    """What of payload.HEALTH_FIELDS is kept outside the node's loop, by name.

    Args:
        facts: module io.machine_facts, or the like.
        keeping: keeping.Keeping.
        port: see io/port.py.
        session: of the link.
        channels: the node's.
    """
    journal, wear = keeping.journal, keeping.wear
    values = {
        "heap_free": facts.heap_free(),
        "samples": sum([c.index for c in channels]),
        "overruns": sum([c.source.overruns for c in channels]),
        "bus_errors": sum([c.source.bus_errors for c in channels]),
        "reconnects": max(0, port.connections - 1),
        "clipped": sum([c.clipped for c in channels]),
        "alerts": sum([c.alerts for c in channels]),
        "held_back": sum([c.held_back for c in channels]),
        "snapshots_refused": sum([c.snapshots_refused for c in channels]),
        "evicted_raw": journal.evicted[record.RAW],
        "evicted_telemetry": journal.evicted[record.TELEMETRY],
        "evicted_alert": journal.evicted[record.ALERT],
        "damaged": journal.damaged,
        "journal_bytes": journal.used_bytes,
        "journal_limit_bytes": journal.limit_bytes,
        "commits": journal.commits,
        "frames_rejected": session.rejected,
        "resends": session.resends,
        "bytes_programmed": wear.programmed_bytes if wear else 0,
        "blocks_erased": wear.erased_blocks if wear else 0,
        "storage_state": payload.STORAGE_STATES.index(keeping.state),
    }
    values.update(_of_microphones(channels))
    return values


def _of_microphones(channels: "list[Any]") -> dict[str, int]:
    """Of the microphone that is worst off."""
    worst = None
    for channel in channels:
        meter = channel.meter
        if meter and (worst is None or meter.state > worst.state):
            worst = meter
    if worst is None:
        return {}
    return {
        "microphone_state": worst.state,
        "microphone_level": worst.level,
        "microphone_offset": worst.offset,
        "microphone_clipped_ppm": worst.clipped_ppm,
    }
