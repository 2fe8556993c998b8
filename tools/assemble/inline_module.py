"""The module that MicroPython loads: machine code as words of its inline assembler, marked as generated.

Knows the form of the text and the digests in it; must not run a program. The words are for machines; the source is for
readers.
"""

import hashlib
import re
from collections.abc import Iterator

from tools.assemble.machine_code import Function
from tools.assemble.source import Declaration, Source, SourceError, digest

_HALFWORDS_A_LINE = 12
_DIGESTS = re.compile(r"^Source: (?P<source>[0-9a-f]{64})\nModule: (?P<module>[0-9a-f]{64})$", re.MULTILINE)
_HEAD = '''"""{purpose}

Generated from firmware/assembler/{set}/{name} by `make kernels`: change that, not this.
SHA-256 of the source with what it includes, and of this module without its own:

Source: {source}
Module: {module}
"""

import micropython
'''
_FUNCTION = """

{comment}
@micropython.{decorator}
def {name}({arguments}):  # noqa: D103 - the assembler takes no docstring
"""


def render(source: Source, functions: dict[str, Function]) -> str:
    """Write the module of a source.

    Args:
        source: that was assembled.
        functions: its machine code, as `machine_code.assemble` gives it.

    Returns:
        The module's text.

    Raises:
        SourceError: a function has more arguments than the inline assembler passes, or an instruction that is to be
            given by name is not known here.
    """
    kind = source.instruction_set
    parts = {"purpose": source.purpose, "set": kind.name, "name": source.path.name}
    body = "".join(_function(source, declared, functions[declared.name]) for declared in source.functions)
    parts["source"] = digest(source)
    own = _own_digest(_HEAD.format(**parts, module="") + body)
    return _HEAD.format(**parts, module=own) + body


def recorded(text: str) -> tuple[str, bool]:
    """Read what a generated module says of itself.

    Args:
        text: of the module.

    Returns:
        Digest of the source that it was made from ("" when it names none), and whether its text is as it was made.
    """
    match = _DIGESTS.search(text)
    if match is None:
        return "", False
    start, end = match.span("module")
    return match["source"], match["module"] == _own_digest(text[:start] + text[end:])


def _own_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _function(source: Source, declared: Declaration, function: Function) -> str:
    kind = source.instruction_set
    if declared.arguments > len(kind.arguments):
        raise SourceError(f"{source.path}: {declared.name} has more than {len(kind.arguments)} arguments")
    head = _FUNCTION.format(
        comment="\n".join(f"# {line}" for line in declared.comment),
        decorator=kind.decorator,
        name=declared.name,
        arguments=", ".join(kind.arguments[: declared.arguments]),
    )
    return head + "".join(f"    {line}\n" for line in _statements(source, function))


def _statements(source: Source, function: Function) -> Iterator[str]:
    start = 0
    for mark in function.by_name:
        yield from _words(function.code[start:mark])
        yield _movw(source, function.code[mark : mark + 4])
        start = mark + 4
    yield from _words(function.code[start:])


def _words(code: bytes) -> Iterator[str]:
    # Halfwords: a word's upper values are no small integers of a board's 32-bit compiler.
    words = [f"0x{int.from_bytes(code[at : at + 2], 'little'):04X}" for at in range(0, len(code), 2)]
    for at in range(0, len(words), _HALFWORDS_A_LINE):
        yield f"data(2, {', '.join(words[at : at + _HALFWORDS_A_LINE])})"


def _movw(source: Source, code: bytes) -> str:
    """Write ARMv7-M's movw by name; encoding T3 of the Architecture Reference Manual."""
    first, second = (int.from_bytes(code[at : at + 2], "little") for at in (0, 2))
    if first & 0xFBF0 != 0xF240 or second & 0x8000:
        raise SourceError(f"{source.path}: {code.hex()} is no movw, which alone is given by name")
    value = (first & 0xF) << 12 | (first >> 10 & 1) << 11 | (second >> 12 & 7) << 8 | second & 0xFF
    return f"movw(r{second >> 8 & 0xF}, {value})  # an ARMv7-M mnemonic, so that the assembler refuses an ARMv6-M here"
