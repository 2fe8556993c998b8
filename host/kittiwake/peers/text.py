"""Text from peers: which characters MQTT and JSON carry, and the text without the others. Pure."""

from __future__ import annotations

import re

# Source: MQTT 5, section 1.5.4. Brokers may close the connection over any of them, and some do; a lone surrogate has no
# UTF-8 at all.
_NON_CHARACTERS = "".join(chr(plane | low) for plane in range(0, 0x110000, 0x10000) for low in (0xFFFE, 0xFFFF))
_BEYOND_ASCII = f"\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef{_NON_CHARACTERS}"
_UNFIT = re.compile(f"[\0-\x1f{_BEYOND_ASCII}]")
_TOLD = re.compile(f"[\0{_BEYOND_ASCII}]")
_NO_VALUE = re.compile("[\0\ud800-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def level(text: str) -> tuple[str, str]:
    """Make of a text what a topic may hold, but for `+`, `#` and `/`.

    Args:
        text: from a peer.

    Returns:
        (text with "_" for every character that MQTT does not carry, the first of them as "U+0085"). Control characters
        up to U+001F are replaced without a word, as the topics' specification says.
    """
    return _UNFIT.sub("_", text), _name(_TOLD.search(text))


def value(text: str) -> tuple[str, str]:
    """Make of a text what consumers of JSON can keep: databases take neither U+0000 nor lone surrogates.

    Args:
        text: from a peer.

    Returns:
        (text with U+FFFD for each of them, the first of them as "U+D800"), or (text, "").
    """
    return _NO_VALUE.sub("\ufffd", text), _name(_NO_VALUE.search(text))


def is_unicode(text: str) -> bool:
    """Whether a text has a UTF-8 form: it holds no lone surrogate."""
    return _SURROGATE.search(text) is None


def _name(match: re.Match[str] | None) -> str:
    return "" if match is None else f"U+{ord(match[0]):04X}"
