"""Records as published, for history's tests: formed by the publisher from bytes that the firmware's codec packed."""

import json

from kittiwake.history.row import read
from kittiwake.publish import publisher
from kittiwake_node.link import payload
from kittiwake_node.link import record as rec

DEVICE, JOURNAL = "press-7", 0x1122334455667788
CHANNELS = json.dumps(
    [{"name": "vibration", "sensor_id": "vib-001", "unit": "mm/s", "scale": "1/100", "offset": "-3/10"}]
).encode()
POLICY = publisher.Policy()
EPOCH_MS = 1_800_000_000_000  # the UTC of boot 1's zero: a minute's and an hour's border


def message(
    kind, seq, content, uptime_ms, boot=1, epoch_ms=0, late=False, device=DEVICE, journal=JOURNAL, channels=CHANNELS
):
    """A record's (topic, payload).

    Args:
        kind: record type.
        seq: its number.
        content: payload bytes.
        channels: the channel description.
        uptime_ms: since that boot.
        boot: from 1.
        epoch_ms: UTC of this boot's zero; 0 when the board did not know it.
    """
    record = rec.Record(kind, rec.VERSION, 0, rec.LATE * late, 1, seq, boot, uptime_ms, epoch_ms, content)
    made = publisher.publication(POLICY, device, journal, record, channels)
    return made.topic, made.payload


def summary(seq, samples, uptime_ms, **more):
    content = payload.pack_summary(
        len(samples), min(samples), max(samples), 0, sum(samples), sum(x * x for x in samples), uptime_ms, 0
    )
    return message(rec.SUMMARY, seq, content, uptime_ms, **more)


def time_told(seq, utc_ms, uptime_ms, **more):
    return message(rec.TIME, seq, payload.pack_time(utc_ms), uptime_ms, epoch_ms=utc_ms - uptime_ms, **more)


def event(seq, text, uptime_ms, **more):
    return message(rec.EVENT, seq, payload.pack_event(7, text), uptime_ms, **more)


def as_body(made):
    """What a (topic, payload) says."""
    return json.loads(made[1])


def put(store, *messages, arrived_ms=EPOCH_MS):
    """Write messages into a store in one transaction; returns what became of them."""
    return store.write([read(*message) for message in messages], arrived_ms)
