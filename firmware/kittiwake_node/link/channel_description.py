"""Channel descriptions, read on the board: what turns a channel's integers into units.

Pure. They come out of the journal, perhaps from a configuration of long ago, and nothing is believed. What is a number
is defined in docs/spec/link.md; the gateway reads the same with fractions and regular expressions of its own (its
publish/channel_description.py), and a test compares both.
"""

from . import exact_json

if False:  # for mypy alone
    from collections.abc import Callable
    from typing import Any

    from kittiwake_types import Fraction

_DIGITS_LIMIT = 24


class Described:
    """One channel: name, sensor_id and unit as text, scale and offset as (numerator, denominator > 0) in lowest terms.

    With a scale or an offset that is no number its values are the integers themselves, without a unit.
    """

    def __init__(self, entry: dict[str, object], number: int) -> None:
        self.name = _text(entry.get("name", number))
        self.sensor_id = _text(entry.get("sensor_id", ""))
        scale, offset = rational(entry.get("scale", "1"), None), rational(entry.get("offset", "0"), None)
        is_readable = scale is not None and offset is not None
        self.unit = _text(entry.get("unit", "")) if is_readable else ""
        self.scale: "Fraction" = _reduced(scale) if scale is not None and is_readable else (1, 1)
        self.offset: "Fraction" = _reduced(offset) if offset is not None and is_readable else (0, 1)


def read(raw: bytes, parse_json: "Callable[[str], Any]") -> "list[Described]":
    """Read a channel description.

    Args:
        raw: JSON text.
        parse_json: gives the value of a text; raises ValueError.

    Returns:
        List of Described; empty where it is no JSON, or no list. Allocates.
    """
    try:
        entries = exact_json.parse(raw, parse_json)
    except ValueError:
        return []
    if not isinstance(entries, list):
        return []
    return [Described(entry if isinstance(entry, dict) else {}, i) for i, entry in enumerate(entries)]


def _reduced(fraction: "Fraction") -> "Fraction":
    a, b = abs(fraction[0]), fraction[1]
    while a:
        a, b = b % a, a
    return fraction[0] // b, fraction[1] // b


def rational(value: object, default: "Fraction | None") -> "Fraction | None":
    """Read an integer, a decimal ("0.25", "1e-3") or a fraction of two ("1/100", "3.3/4095").

    Args:
        value: text or an integer; a float is no number, as it is not what was written.
        default: what is given for anything else.

    Returns:
        (numerator, denominator above 0), or `default`.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return default
    sign = -1 if value[:1] == "-" else 1
    top, slash, bottom = (value[1:] if value[:1] in ("-", "+") else value).partition("/")
    numerator = _decimal(top)
    denominator = _decimal(bottom) if slash else (1, 1)
    if numerator is None or denominator is None or not denominator[0]:
        return default
    return sign * numerator[0] * denominator[1], numerator[1] * denominator[0]


def _decimal(text: str) -> "Fraction | None":
    exponent = 0
    for mark in "eE":
        if mark in text:
            text, power = text.split(mark, 1)
            digits = power[1:] if power[:1] in ("-", "+") else power
            if len(digits) > 2 or not _is_number(digits):
                return None
            exponent = -int(digits) if power[0] == "-" else int(digits)
            break
    whole, fraction = text.split(".", 1) if "." in text else (text, "")
    if not _is_number(whole) or (fraction and not _is_number(fraction)):
        return None
    exponent -= len(fraction)
    return int(whole + fraction) * 10 ** max(0, exponent), 10 ** max(0, -exponent)


def _is_number(digits: str) -> bool:
    return 1 <= len(digits) <= _DIGITS_LIMIT and all(["0" <= digit <= "9" for digit in digits])


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value)
