"""Which lines run, on a build with sys.settrace."""

import sys
from binascii import hexlify

_kw_lines = {}


def _kw_trace(frame, event, argument):
    name = frame.f_code.co_filename
    if name[0] == "<":
        return None  # typed at the prompt
    line = frame.f_lineno
    seen = _kw_lines.get(name)
    if seen is None or line >= len(seen) * 8:
        more = bytearray(line // 8 + 128)
        if seen is not None:
            more[: len(seen)] = seen
        seen = _kw_lines[name] = more
    # Bits, and room ahead: once a file is known, noting a line takes no memory.
    seen[line >> 3] |= 1 << (line & 7)
    return _kw_trace


def kw_trace_lines():
    """Begin; print whether this build can."""
    if hasattr(sys, "settrace"):
        sys.settrace(_kw_trace)
    print(hasattr(sys, "settrace"))


def kw_print_lines():
    """End; print each file's name, and its lines as bits, the first that of line 0."""
    sys.settrace(None)
    for name, seen in _kw_lines.items():
        print(name, hexlify(seen).decode(), sep="\t")
    _kw_lines.clear()
