"""Tags as people write them: `group=value`. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kittiwake.errors import UsageError

_TAG = re.compile(r"([A-Za-z0-9._-]{1,64})=([A-Za-z0-9._-]{0,64})")
_MEND = "GROUP=VALUE, of letters, digits, '.', '_' and '-', 64 of them at most"


def split(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Tell devices from tags.

    Args:
        words: devices and tags, in any order.

    Returns:
        (names of devices, group -> value; "" for a device to be taken out of the group).

    Raises:
        UsageError: a tag cannot be read, a group stands twice, or either kind is missing.
    """
    names = [word for word in words if "=" not in word]
    tags: dict[str, str] = {}
    for word in words:
        if "=" not in word:
            continue
        _put(tags, *_read(word))
    if not names or not tags:
        raise UsageError("a device or a tag is missing", f"`kittiwake fleet tag press-1 press-2 hall=4`: {_MEND}")
    return names, tags


def several(text: str) -> dict[str, str]:
    """Read all tags of a device.

    Args:
        text: `group=value`, with spaces between several; "" for none.

    Returns:
        Group -> value.

    Raises:
        UsageError: a tag cannot be read, names no value, or a group stands twice.
    """
    tags: dict[str, str] = {}
    for word in text.split():
        group, value = _read(word)
        if not value:
            raise UsageError(f"{word!r} names no value", _MEND)
        _put(tags, group, value)
    return tags


def selection(text: str) -> None:
    """Check a selection of devices.

    Args:
        text: `group=value`; "" for all.

    Raises:
        UsageError: it is none.
    """
    if text and not _read(text)[1]:
        raise UsageError(f"{text!r} names no value", _MEND)


def _put(tags: dict[str, str], group: str, value: str) -> None:
    if group in tags:
        raise UsageError(f"the group {group!r} stands twice", "a device has one value in a group")
    tags[group] = value


def _read(word: str) -> tuple[str, str]:
    match = _TAG.fullmatch(word)
    if match is None:
        raise UsageError(f"{word!r} is no tag", _MEND)
    return match[1], match[2]
