"""Channel descriptions: what turns a channel's integers into units. They come from devices, so nothing is believed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from kittiwake.peers import json_text, text

LIMIT_BYTES = 65536
CHANNELS_LIMIT = 256  # a record names its channel in one byte
# Bounded before it is believed: "1e999999999" is a short text and a very long number.
_DECIMAL = r"[0-9]{1,24}(?:\.[0-9]{0,24})?(?:[eE][+-]?[0-9]{1,2})?"
_NUMBER = re.compile(rf"([+-]?{_DECIMAL})(?:/({_DECIMAL}))?")


@dataclass(frozen=True)
class Channel:
    """What turns a channel's integers into units; from the channel description that its records refer to.

    Attributes:
        name: a level of topics; what MQTT does not carry is "_".
        sensor_id: as the description has it; U+0000 and lone surrogates are U+FFFD.
        unit: the same; "" for none.
        scale: units an LSB.
        offset: units at zero.
        is_raw: scale or offset could not be read: the integers are published as they are, without a unit.
        problem: what had to be replaced in them, "" for nothing.
        tells_states: a network takes its samples for a machine's states.
    """

    name: str = "0"
    sensor_id: str = ""
    unit: str = ""
    scale: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)
    is_raw: bool = False
    problem: str = ""
    tells_states: bool = False

    @cached_property
    def level(self) -> str:
        """The name as one level of a topic."""
        return topic_level(self.name)


def topic_level(name: str) -> str:
    """Make one level of a topic out of a channel's name: what a level may not hold becomes '_'."""
    return "".join("_" if c in "+#/" else c for c in text.level(name)[0])[:64] or "_"


def parse_description(raw: bytes) -> list[Channel]:
    """Read a channel description; what it lacks gets defaults.

    What is a number is defined in docs/spec/link.md.

    Args:
        raw: JSON, as the device sent it.

    Returns:
        Its channels.

    Raises:
        json_text.Refusal: it is no JSON, or no list, or beyond bounds.
    """
    entries = json_text.read(raw, LIMIT_BYTES, parse_float=str, keeps_texts=True)
    if not isinstance(entries, list):
        raise json_text.Refusal("no list of channels")
    if len(entries) > CHANNELS_LIMIT:
        raise json_text.Refusal(f"{len(entries)} channels, at most {CHANNELS_LIMIT}")
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
    name, bad_name = text.level(str(entry.get("name", number)))
    sensor_id, bad_id = text.value(str(entry.get("sensor_id", "")))
    unit, bad_unit = text.value(str(entry.get("unit", "")))
    refused = {"name": bad_name, "sensor_id": bad_id, "unit": bad_unit}
    problem = ", ".join(f"{key} holds {character}" for key, character in refused.items() if character)
    scale, offset = rational(entry.get("scale", "1")), rational(entry.get("offset", "0"))
    tells_states = entry.get("kind") == "states"
    if scale is None or offset is None:
        return Channel(name, sensor_id, is_raw=True, problem=problem, tells_states=tells_states)
    return Channel(name, sensor_id, unit, scale, offset, problem=problem, tells_states=tells_states)
