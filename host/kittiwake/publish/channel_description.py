"""Channel descriptions: what turns a channel's integers into units. They come from devices, so nothing is believed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from fractions import Fraction

# Bounded before it is believed: "1e999999999" is a short text and a very long number.
_DECIMAL = r"[0-9]{1,24}(?:\.[0-9]{0,24})?(?:[eE][+-]?[0-9]{1,2})?"
_NUMBER = re.compile(rf"([+-]?{_DECIMAL})(?:/({_DECIMAL}))?")


@dataclass(frozen=True)
class Channel:
    """What turns a channel's integers into units; from the channel description that its records refer to.

    Attributes:
        name: a level of topics.
        sensor_id: as the description has it.
        unit: "" for none.
        scale: units an LSB.
        offset: units at zero.
        is_raw: scale or offset could not be read: the integers are published as they are, without a unit.
    """

    name: str = "0"
    sensor_id: str = ""
    unit: str = ""
    scale: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)
    is_raw: bool = False


def parse_description(text: bytes) -> list[Channel]:
    """Read a channel description; what it lacks gets defaults, and no JSON gives no channels.

    What is a number is defined in docs/spec/link.md.

    Args:
        text: JSON, as the device sent it.

    Returns:
        Its channels.
    """
    try:
        entries = json.loads(text, parse_float=str, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return []
    if not isinstance(entries, list):
        return []
    return [_channel(entry if isinstance(entry, dict) else {}, number) for number, entry in enumerate(entries)]


def rational(value: object) -> Fraction | None:
    """Read an integer, a decimal ("0.25", "1e-3") or a fraction of two ("1/100", "3.3/4095").

    Args:
        value: text or an integer.

    Returns:
        The exact number; None for anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    match = _NUMBER.fullmatch(str(value))
    if match is None:
        return None
    top, bottom = Fraction(match[1]), Fraction(match[2] or 1)
    return top / bottom if bottom else None


def _channel(entry: dict[str, object], number: int) -> Channel:
    name, sensor_id = str(entry.get("name", number)), str(entry.get("sensor_id", ""))
    scale, offset = rational(entry.get("scale", "1")), rational(entry.get("offset", "0"))
    if scale is None or offset is None:
        return Channel(name, sensor_id, is_raw=True)
    return Channel(name, sensor_id, str(entry.get("unit", "")), scale, offset)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
