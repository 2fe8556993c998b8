"""Values that a board works out, as text on their way to this machine."""

from __future__ import annotations

import ast
from typing import Any

from kittiwake.errors import TargetError


def question(expression: str) -> str:
    """Give source that prints an expression's value.

    Args:
        expression: in the board's Python.
    """
    return f"print(repr(({expression}\n)))"


def value(expression: str, printed: str) -> Any:
    """Read what the source printed.

    Args:
        expression: that was asked for.
        printed: by `question`.

    Returns:
        Numbers, texts, bytes, booleans, None, and tuples, lists, dicts and sets of these.

    Raises:
        TargetError: the value is something else.
    """
    text = printed.strip()
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError) as error:
        raise TargetError(f"{expression} is {text}, which has no literal", "make it numbers, text or bytes") from error
