"""One kernel's assembler source: the files it is made of, its purpose and the functions it declares.

Reads text only; must not run a program.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tools.assemble.instruction_sets import InstructionSet

_INCLUDE = re.compile(r'^#include "(?P<name>[^"]+)"', re.MULTILINE)
_KERNEL = re.compile(r"^kernel (?P<name>\w+), arguments=(?P<arguments>\d)(?:, .*)?$")


class SourceError(Exception):
    """A source that does not follow the form of docs/explanation/kernels.md; the text says which and why."""


class Declaration(NamedTuple):
    """A function that a source declares by `kernel NAME, arguments=N`, with the comment above it."""

    name: str
    arguments: int
    comment: tuple[str, ...]


class Source(NamedTuple):
    """One source.

    Attributes:
        path: of the .S file.
        folder: of all sources, where includes are looked for after the file's own folder.
        instruction_set: that it is written for.
        purpose: the first line, which is a comment.
        functions: in the order of the file.
    """

    path: Path
    folder: Path
    instruction_set: InstructionSet
    purpose: str
    functions: tuple[Declaration, ...]

    @property
    def module(self) -> str:
        """Name of the module that MicroPython loads."""
        return f"{self.instruction_set.name}_{self.path.stem}"


def read(path: Path, folder: Path, instruction_set: InstructionSet) -> Source:
    """Read what a source declares.

    Args:
        path: of the .S file.
        folder: of all sources.
        instruction_set: that it is written for.

    Raises:
        SourceError: it opens with no comment, declares no function, or has no comment right above one.
    """
    lines = path.read_text().splitlines()
    if not lines or not lines[0].startswith("// "):
        raise SourceError(f"{path}: the first line has to be a comment that says what it is for")
    functions = tuple(_declarations(lines))
    if not functions:
        raise SourceError(f"{path}: no line `kernel NAME, arguments=N`")
    bare = [function.name for function in functions if not function.comment]
    if bare:
        raise SourceError(f"{path}: no comment right above {', '.join(bare)}")
    return Source(path, folder, instruction_set, lines[0].removeprefix("// "), functions)


def _declarations(lines: list[str]) -> Iterator[Declaration]:
    comment: list[str] = []
    for line in lines:
        declared = _KERNEL.match(line)
        if declared:
            yield Declaration(declared["name"], int(declared["arguments"]), tuple(comment))
        comment = [*comment, line.removeprefix("// ")] if line.startswith("// ") else []


def files(source: Source) -> list[Path]:
    """List the source's file and what it includes, each once, in the order of inclusion.

    Raises:
        SourceError: an included file is not there.
    """
    listed: list[Path] = []
    _list(source.path, source.folder, listed)
    return listed


def _list(path: Path, folder: Path, listed: list[Path]) -> None:
    if path in listed:
        return
    listed.append(path)
    for match in _INCLUDE.finditer(path.read_text()):
        places = [place / match["name"] for place in (path.parent, folder)]
        included = next((place for place in places if place.is_file()), None)
        if included is None:
            raise SourceError(f"{path}: {match['name']} is not there")
        _list(included, folder, listed)


def digest(source: Source) -> str:
    """Compute the SHA-256 of the source and all that it includes, in hexadecimal."""
    total = hashlib.sha256()
    for path in files(source):
        total.update(path.relative_to(source.folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()
