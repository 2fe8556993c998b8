"""JSON from peers, read within bounds: bytes, depth, number of values, and numbers and texts that JSON may carry. Pure.

Python's reader takes more than JSON is (NaN, lone surrogates, numbers that become infinite), and nests as deep as the
stack allows; whoever handles such a value later fails far from its source.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable

from kittiwake.peers import text

DEPTH_LIMIT = 32
VALUES_LIMIT = 65536


class Refusal(Exception):
    """What a peer said is no value: the message says why, without repeating it."""


def read(
    raw: bytes, limit_bytes: int, parse_float: Callable[[str], object] | None = None, keeps_texts: bool = False
) -> object:
    """Read JSON.

    Args:
        raw: as the peer sent it.
        limit_bytes: more is refused unread.
        parse_float: makes a value of a number with a point or an exponent; None for the nearest float.
        keeps_texts: texts without a UTF-8 form are given as they are; the caller puts them right.

    Returns:
        The value: nested DEPTH_LIMIT deep at most, VALUES_LIMIT values at most, every float finite.

    Raises:
        Refusal: it is no JSON, or beyond these bounds.
    """
    if len(raw) > limit_bytes:
        raise Refusal(f"{len(raw)} bytes, at most {limit_bytes}")
    try:
        value = json.loads(raw, parse_float=parse_float, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Refusal("not JSON, or nested too deep") from error
    _check(value, keeps_texts)
    return value


def _check(value: object, keeps_texts: bool) -> None:
    # A loop with a list of its own: the depth of the stack is not the peer's to use.
    to_do, count = [(value, 1)], 0
    while to_do:
        current, depth = to_do.pop()
        count += 1
        if count > VALUES_LIMIT:
            raise Refusal(f"more than {VALUES_LIMIT} values")
        if depth > DEPTH_LIMIT:
            raise Refusal(f"nested more than {DEPTH_LIMIT} deep")
        if isinstance(current, dict):
            to_do.extend((key, depth) for key in current)
            to_do.extend((inner, depth + 1) for inner in current.values())
        elif isinstance(current, list):
            to_do.extend((inner, depth + 1) for inner in current)
        elif isinstance(current, float) and not math.isfinite(current):
            raise Refusal("a number too large")
        elif isinstance(current, str) and not keeps_texts and not text.is_unicode(current):
            raise Refusal("a text that holds half a character (a lone surrogate)")


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
