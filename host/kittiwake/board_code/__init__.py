"""Programs that the host runs at a board's prompt: files here, under the room that sends them, and how they get there.

A file defines functions. The host hands its text over once, then calls the functions with Python literals; what they
answer, they print. The files follow the firmware's rules: MicroPython's language, its modules and the firmware, nothing
of the host. A single line, such as `print(gc.mem_free())`, may stand where it is used; what is longer, or takes values
that came from outside, is a file here and a `call`.

This module knows files and literals, no board.
"""

from __future__ import annotations

import ast
import functools
from importlib import resources


@functools.cache
def source(name: str) -> str:
    """Give a program's text as it travels: without docstrings and comments, each line with the number it has here.

    Args:
        name: of the file, without `.py`: "doctor/sensor".

    Returns:
        Source that ends with a line end.

    Raises:
        FileNotFoundError: no program has that name.
    """
    text = resources.files(__name__).joinpath(f"{name}.py").read_text(encoding="utf-8")
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            docstring = node.body[0]
            for number in range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1):
                lines[number - 1] = ""
    return "".join("\n" if line.lstrip().startswith("#") else f"{line}\n" for line in lines)


def call(function: str, *arguments: object) -> str:
    """Write a call of a board's function; its arguments arrive equal to these, whatever they hold.

    Args:
        function: its name on the board.
        arguments: numbers, texts, bytes, True, False, None, and tuples, lists and dicts of these.

    Returns:
        One line of source, without a line end.

    Raises:
        TypeError: an argument is something else, which a line of source cannot carry.
    """
    return f"{function}({', '.join(literal(argument) for argument in arguments)})"


def literal(value: object) -> str:
    """Write a value as Python source that means it.

    Args:
        value: as `call` takes its arguments.

    Returns:
        Source, on one line.

    Raises:
        TypeError: it is no literal.
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    if isinstance(value, tuple):
        return "(" + "".join(f"{literal(item)}, " for item in value) + ")"
    # Not their subclasses: an IntEnum's repr is no number.
    if value is None or type(value) in (bool, int, str, bytes):
        return repr(value)
    if type(value) is float and value - value == 0:  # neither infinite nor NaN, which have no literals
        return repr(value)
    raise TypeError(f"{value!r} is no literal that a board could be given")
