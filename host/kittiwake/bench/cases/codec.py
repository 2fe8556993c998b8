"""Costs of the codec: a record drafted and sealed, a frame formed and taken apart."""

from __future__ import annotations

from collections.abc import Iterator

from kittiwake.bench.cases.registry import Case, register

_PAYLOAD_BYTES = 46  # an anomaly's
_FRAME_BYTES = 256
_RECORD = """
from kittiwake_node.link import record
def make(storage):
    payload = bytes(range(PAYLOAD))
    def draft_and_seal():
        draft = record.draft(record.ANOMALY, 0, record.ALERT, 3, 123456, 1700000000000, 1, payload)
        record.seal(draft, 0, len(draft), 77)
    return draft_and_seal, ()
""".replace("PAYLOAD", str(_PAYLOAD_BYTES))
_ENCODE = """
from kittiwake_node.link import frame
def make(storage):
    return frame.encode, (2, bytes([i & 255 for i in range(FRAME)]))
""".replace("FRAME", str(_FRAME_BYTES))
_DECODE = """
from kittiwake_node.link import frame
def make(storage):
    data = frame.encode(2, bytes([i & 255 for i in range(FRAME)]))
    decoder = frame.FrameDecoder()
    def decode():
        decoder.feed(data)
        while decoder.next_event():
            pass
    return decode, ()
""".replace("FRAME", str(_FRAME_BYTES))


@register
def _codec(kernels: list[str]) -> Iterator[Case]:
    yield Case("record/seal", _RECORD, "record", budget=30_000)
    yield Case("frame/encode", _ENCODE, "frame", budget=100_000)
    yield Case("frame/decode", _DECODE, "frame", budget=120_000)
