"""Costs of the codec: a record drafted and sealed, a frame formed and taken apart."""

from __future__ import annotations

from collections.abc import Iterator

from kittiwake import board_code
from kittiwake.bench.cases.registry import Case, register

_PAYLOAD_BYTES = 46  # an anomaly's
_FRAME_BYTES = 256


@register
def _codec(kernels: list[str]) -> Iterator[Case]:
    source = board_code.source("bench/codec")
    payload, body = (_PAYLOAD_BYTES,), (_FRAME_BYTES,)
    yield Case("record/seal", source, "record", budget=30_000, make="make_record", arguments=payload)
    yield Case("frame/encode", source, "frame", budget=100_000, make="make_encode", arguments=body)
    yield Case("frame/decode", source, "frame", budget=120_000, make="make_decode", arguments=body)
