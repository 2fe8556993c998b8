"""Channel descriptions, read on the board: what turns a channel's integers into units.

Pure. They come out of the journal, perhaps from a configuration of long ago, and nothing is believed. The gateway reads
the same with fractions and regular expressions of its own (its publish/channel_description.py); a test compares both.
"""

if False:  # for mypy alone
    from kittiwake_types import Fraction

_DIGITS_LIMIT = 24


class Described:
    """One channel: name, sensor_id and unit as text, scale and offset as (numerator, denominator > 0)."""

    def __init__(self, entry: dict[str, object], number: int) -> None:
        self.name = _text(entry.get("name", number))
        self.sensor_id = _text(entry.get("sensor_id", ""))
        self.unit = _text(entry.get("unit", ""))
        self.scale = rational(entry.get("scale"), (1, 1))
        self.offset = rational(entry.get("offset"), (0, 1))


def describe(entries: object) -> "list[Described]":
    """The channels of a description.

    Args:
        entries: what the JSON text gave; anything.

    Returns:
        List of Described; empty where it is no list.
    """
    if not isinstance(entries, list):
        return []
    return [Described(entry if isinstance(entry, dict) else {}, i) for i, entry in enumerate(entries)]


def rational(text: object, default: "Fraction") -> "Fraction":
    """Read "1/100", "0.25" or "1e-3".

    Returns:
        (numerator, denominator above 0), `default` where it is no number or one of more than 24 digits a part.
    """
    if isinstance(text, int) and not isinstance(text, bool):
        text = str(text)
    if not isinstance(text, str):
        return default
    sign = -1 if text[:1] == "-" else 1
    if text[:1] in ("-", "+"):
        text = text[1:]
    if "/" in text:
        top, bottom = text.split("/", 1)
        if not _is_number(top) or not _is_number(bottom) or not int(bottom):
            return default
        return sign * int(top), int(bottom)
    exponent = 0
    for mark in "eE":
        if mark in text:
            text, power = text.split(mark, 1)
            digits = power[1:] if power[:1] in ("-", "+") else power
            if not 1 <= len(digits) <= 2 or not digits.isdigit():
                return default
            exponent = -int(digits) if power[0] == "-" else int(digits)
            break
    whole, fraction = text.split(".", 1) if "." in text else (text, "")
    if not _is_number(whole) or (fraction and not _is_number(fraction)):
        return default
    exponent -= len(fraction)
    return sign * int(whole + fraction) * 10 ** max(0, exponent), 10 ** max(0, -exponent)


def _is_number(digits: str) -> bool:
    return 1 <= len(digits) <= _DIGITS_LIMIT and digits.isdigit()


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value)
