"""MicroPython's own test scripts: which there are, what each must print, and what a board made of it.

Knows the form of MicroPython's tests (a script, and what it must print in a file beside it or by CPython's word); not
which of them are known to fail (`known.py`).
"""

import functools
import re
import subprocess
import sys

from kittiwake.errors import TargetError
from kittiwake.target import images

FOLDERS = ("basics", "micropython", "float", "unicode", "inlineasm/thumb", "inlineasm/rv32")
MEND = "MicroPython's source is not here: make boards"
LONGEST_S = 60
PASSED, SKIPPED, FAILED = "passed", "skipped", "failed"
# The inline assemblers, and the builds without native code, refuse a decorator that they do not know.
_NOT_OF_THIS_BUILD = ("SyntaxError: invalid micropython decorator", "SyntaxError: invalid arch")
_DATA = "data"


def folder():
    """Where MicroPython's tests are, in the source that the emulated boards are built from."""
    return images.cache_dir() / f"source-{images.SOURCE_VERSION}" / "tree" / "tests"


def names():
    """The scripts, as `basics/int1.py`, in a fixed order; empty where there is no source."""
    root = folder()
    return [path.relative_to(root).as_posix() for part in FOLDERS for path in sorted((root / part).glob("*.py"))]


@functools.cache
def wanted(name):
    """What a script must print: by the file beside it, else by CPython."""
    script = folder() / name
    written = script.with_name(script.name + ".exp")
    if written.exists():
        return _plain(written.read_bytes())
    done = subprocess.run(
        [sys.executable, "-BS", str(script)], cwd=script.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return _plain(done.stdout)


def skips_itself(name):
    """Whether a script can find that a build lacks what it is about, and say so."""
    return 'print("SKIP")' in (folder() / name).read_text(encoding="utf-8")


def run(board, name):
    """Run a script on a board that was booted anew.

    Returns:
        PASSED, SKIPPED or FAILED; and, but for the first, why: what is missing, or the first line that differs.
    """
    board.reset()
    board.forget_console()
    script = folder() / name
    source = script.read_text(encoding="utf-8")
    if f'"{_DATA}/' in source:
        board.deploy({f"{_DATA}/{path.name}": path.read_bytes() for path in (script.parent / _DATA).iterdir()})
    error = ""
    try:
        printed = board.exec(source, LONGEST_S)
    except TargetError as raised:
        error, printed = raised.last_line, raised.printed
        if error.startswith(_NOT_OF_THIS_BUILD):
            return SKIPPED, error
        if "SystemExit" not in error:
            printed += raised.traceback + "\n"
    printed = _plain(printed.encode())
    if printed == "SKIP\n":
        return SKIPPED, "it skips itself"
    expected = wanted(name)
    if matches(expected, printed):
        return PASSED, ""
    if error.startswith("MemoryError"):
        return FAILED, error
    return FAILED, _difference(expected, printed)


def _plain(output):
    return output.decode("utf-8", "replace").replace("\r\n", "\n")


def matches(expected, printed):
    """Whether the lines are those; a line `########` stands for any lines, within a line for any text."""
    if "####" not in expected:
        return printed == expected
    pattern = ""
    for line in expected.splitlines(keepends=True):
        if line.rstrip("\n") == "########":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(re.escape(piece) for piece in re.split("#{4,}", line))
    return re.fullmatch(pattern, printed) is not None


def _difference(expected, printed):
    wanted_lines, lines = expected.splitlines(), printed.splitlines()
    for number, (wanted_line, line) in enumerate(zip(wanted_lines, lines, strict=False), 1):
        if wanted_line != line:
            return f"line {number} is {line!r}, not {wanted_line!r}"
    return f"{len(lines)} lines, not {len(wanted_lines)}; the last is {lines[-1] if lines else ''!r}"
