"""JSON in which 0.1 is a tenth: decimal numbers as the text that they are written in.

Pure. A board's floats have 24 bits on many chips, and no float is a tenth. So in settings and channel descriptions a
number with a point or an exponent is its own text, on the board as at the gateway, which asks the same of its parser.
"""

if False:  # for mypy alone
    from collections.abc import Callable
    from typing import Any

DEPTH_LIMIT = 16  # settings are nested half as deep
_NUMBER = "+-.0123456789eE"


def parse(raw: "str | bytes", parse_json: "Callable[[str], Any]") -> "Any":
    """Read JSON with its decimal numbers as text. Allocates.

    Args:
        raw: JSON text.
        parse_json: gives the value of a text; raises ValueError.

    Returns:
        The value: of numbers, integers stay integers.

    Raises:
        ValueError: it is no JSON, or nested more than DEPTH_LIMIT deep.
    """
    text = raw if isinstance(raw, str) else bytes(raw).decode()
    value = parse_json(text)
    return parse_json(quoted(text)) if _has_float(value) else value


def quoted(text: str) -> str:
    """Put quotation marks around every number of a JSON text that has a point or an exponent. Allocates.

    Args:
        text: valid JSON.

    Returns:
        JSON.
    """
    pieces: list[str] = []
    at = copied = 0
    while at < len(text):
        if text[at] == '"':
            at += 1
            while at < len(text) and text[at] != '"':
                at += 2 if text[at] == "\\" else 1
            at += 1
        elif text[at] in "-0123456789":
            start = at
            while at < len(text) and text[at] in _NUMBER:
                at += 1
            number = text[start:at]
            if "." in number or "e" in number or "E" in number:
                pieces += [text[copied:start], '"', number, '"']
                copied = at
        else:
            at += 1
    return "".join(pieces) + text[copied:]


def _has_float(value: object) -> bool:
    # A loop, level by level: how deep the stack goes is not for whoever wrote the text to say.
    level, has_float = [value], False
    for _ in range(DEPTH_LIMIT):
        inner: "list[Any]" = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
            elif isinstance(item, float):
                has_float = True
        if not inner:
            return has_float
        level = inner
    raise ValueError("nested too deep")
