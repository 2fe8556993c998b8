"""Channel descriptions: what turns a channel's integers into units. They come from devices, so nothing is believed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from fractions import Fraction

_RATIONAL = re.compile(r"[+-]?\d{1,24}(\.\d{0,24})?([eE][+-]?\d\d?)?|[+-]?\d{1,24}/\d{1,24}")


@dataclass(frozen=True)
class Channel:
    """What turns a channel's integers into units; from the channel description that its records refer to."""

    name: str = "0"
    sensor_id: str = ""
    unit: str = ""
    scale: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)


def parse_layout(text: bytes) -> list[Channel]:
    """Read a channel description (docs/spec/link.md); what it lacks gets defaults, and no JSON gives no channels."""
    try:
        entries = json.loads(text)
    except ValueError:
        return []
    channels: list[Channel] = []
    for entry in entries if isinstance(entries, list) else []:
        entry = entry if isinstance(entry, dict) else {}
        channels.append(
            Channel(
                name=str(entry.get("name", len(channels))),
                sensor_id=str(entry.get("sensor_id", "")),
                unit=str(entry.get("unit", "")),
                scale=_rational(entry.get("scale"), Fraction(1)),
                offset=_rational(entry.get("offset"), Fraction(0)),
            )
        )
    return channels


def _rational(text: object, default: Fraction) -> Fraction:
    # Bounded before it is believed: "1e999999999" is a short text and a very long number.
    if not _RATIONAL.fullmatch(str(text)):
        return default
    try:
        return Fraction(str(text))
    except (ValueError, ZeroDivisionError):
        return default
