"""JSON text, written as CPython's json writes it: no blanks, names in the order given, ASCII alone.

Pure. MicroPython's own json gives names in no order and characters beyond ASCII as they are, and what a board publishes
is to be what a gateway publishes, byte for byte.
"""

if False:  # for mypy alone
    from kittiwake_types import Fields

_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


class Raw:
    """A number that is text already. Args: text: as it is to stand there."""

    def __init__(self, text: str) -> None:
        self.text = text


def dump(fields: "Fields") -> str:
    """The JSON text of an object. Allocates.

    Args:
        fields: list of (name, value); a value is None, a bool, an int, a str, a Raw or a list of ints.
    """
    return "{" + ",".join([quote(name) + ":" + _value(value) for name, value in fields]) + "}"


def quote(text: str) -> str:
    """A string as JSON has it, what is not printable ASCII by its number in hex, beyond 16 bits as a pair."""
    if _is_plain(text):
        return '"' + text + '"'
    return '"' + "".join([_character(c) for c in text]) + '"'


def _is_plain(text: str) -> bool:
    for c in text:
        if not " " <= c <= "~" or c == '"' or c == "\\":
            return False
    return True


def _character(c: str) -> str:
    if c in _SHORT:
        return _SHORT[c]
    if " " <= c <= "~":
        return c
    code = ord(c)
    if code < 0x10000:
        return "\\u%04x" % code
    code -= 0x10000
    return "\\u%04x\\u%04x" % (0xD800 | code >> 10, 0xDC00 | code & 0x3FF)


def _value(value: object) -> str:
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, list):
        return "[" + ",".join([str(number) for number in value]) + "]"
    return str(value)
