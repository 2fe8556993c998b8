"""From an assembler source to the machine code of its functions, by the instruction set's own compiler and binutils.

Must not know what becomes of the code. The compiler is asked for its preprocessor, its assembler and its linker; there
is no C in it.
"""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from kittiwake.target import images
from tools.assemble.instruction_sets import InstructionSet
from tools.assemble.source import Source, SourceError

# Symbols that begin so mark an instruction which the inline assembler is to be given by its name.
_BY_NAME = "by_name_"


class Function(NamedTuple):
    """Machine code of one function.

    Attributes:
        code: position-independent; branches reach into it only.
        by_name: offsets in it of instructions that the inline assembler is to be given by name.
    """

    code: bytes
    by_name: tuple[int, ...]


def assemble(source: Source) -> dict[str, Function]:
    """Assemble and link a source.

    Args:
        source: whose declared functions are wanted.

    Returns:
        Name -> function, in the order of the source.

    Raises:
        SourceError: it does not assemble (with what the assembler printed), or a function is missing or empty.
        FileNotFoundError: the compiler or binutils are not installed.
        NoDeviceError: the board that has the core's tables is not built.
    """
    kind = source.instruction_set
    with tempfile.TemporaryDirectory(prefix="kittiwake-assemble-") as folder:
        linked, binary = Path(folder, "linked"), Path(folder, "binary")
        # Linked, so that no branch is left open; at 0, so that symbols are offsets.
        layout = ("-nostdlib", "-Wl,--section-start=.text=0", "-Wl,--entry=0", "-Wl,--build-id=none")
        _run(source, "gcc", *kind.flags, *layout, f"-I{source.folder}", "-o", str(linked), str(source.path))
        _run(source, "objcopy", "-O", "binary", "-j", ".text", str(linked), str(binary))
        symbols = _symbols(_run(source, "nm", "--format=posix", str(linked)))
        return _part(source, binary.read_bytes(), symbols)


def _run(source: Source, tool: str, *arguments: str) -> str:
    kind = source.instruction_set
    environment = {**os.environ, **_tables(kind)}
    finished = subprocess.run([kind.tools + tool, *arguments], env=environment, capture_output=True, text=True)
    if finished.returncode != 0 or finished.stderr:  # a warning is a mistake too
        raise SourceError(f"{source.path} does not assemble:\n{finished.stderr}")
    return finished.stdout


def _tables(kind: InstructionSet) -> dict[str, str]:
    """What of the environment makes the assembler that of the core: tables which the emulated board is built with."""
    if not kind.board:
        return {}
    return {"XTENSA_GNU_CONFIG": images.image(images.boards()[kind.board]).facts["XTENSA_PLUGIN"]}


def _symbols(listing: str) -> dict[str, int]:
    rows = [line.split() for line in listing.splitlines()]
    return {row[0]: int(row[2], 16) for row in rows if row[1] in "tT"}


def _part(source: Source, binary: bytes, symbols: dict[str, int]) -> dict[str, Function]:
    missing = [function.name for function in source.functions if function.name not in symbols]
    if missing:
        raise SourceError(f"{source.path}: no code for {', '.join(missing)}")
    starts = [symbols[function.name] for function in source.functions]
    marks = sorted(address for name, address in symbols.items() if name.startswith(_BY_NAME))
    parts = {}
    for function, start, end in zip(source.functions, starts, [*starts[1:], len(binary)], strict=True):
        if start >= end:
            raise SourceError(f"{source.path}: {function.name} is empty")
        by_name = tuple(mark - start for mark in marks if start <= mark < end)
        parts[function.name] = Function(binary[start:end], by_name)
    return parts
