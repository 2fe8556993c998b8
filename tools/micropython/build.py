"""Build MicroPython for the emulated boards, from source, into a cache. `make boards` runs this.

    python tools/micropython/build.py [BOARD ...]

Knows the order of the work and says how far it is; how each step is done is in the modules beside it. Standard library
only. Environment: MICROPY_DIR (a MicroPython checkout to build from, instead of Debian's source package),
QEMU_DIR (QEMU's source, likewise), KITTIWAKE_CACHE (where to build into, instead of ~/.cache/kittiwake).
"""

import argparse
import os
import sys
import time
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_ROOT), str(_ROOT / "host")]

from kittiwake.errors import KittiwakeError, UsageError  # noqa: E402
from kittiwake.target import images  # noqa: E402
from tools import system  # noqa: E402
from tools.micropython import cache, compiler, source  # noqa: E402

# A source that is edited while it is built makes a result of no use: build again, but not for ever.
_ROUNDS = 4


def say(text: str) -> None:
    """Print one line of progress."""
    print(f"boards: {text}", file=sys.stderr, flush=True)


def needs(board: images.Board) -> list[str]:
    """List the programs that building and running a board takes, as tools/system.py calls them."""
    qemu = board.description["qemu"]
    return [*system.BUILDERS, qemu["compiler"], qemu["system"]]


def build(names: list[str]) -> dict[str, KittiwakeError]:
    """Bring the firmwares of these boards up to date, and those of the others when one cannot be had.

    Args:
        names: of boards, e.g. "qemu-virt"; empty for all.

    Returns:
        Board -> why it was not built; empty when all are there.

    Raises:
        KittiwakeError: something that every board needs is missing or fails; the mend says what to do.
    """
    boards = images.every()
    unknown = [name for name in names if name not in boards]
    if unknown:
        raise UsageError(f"no emulated board is called {unknown[0]!r}", f"use one of {', '.join(boards)}")
    needed = [boards[name] for name in names or boards]
    emulators = {board.description["qemu"]["system"] for board in needed}
    if all(images.find_image(board) for board in needed) and not system.lacking(emulators):
        return {}
    failures = _without_tools(needed)
    needed = [board for board in needed if board.name not in failures]
    with cache.locked(images.cache_dir(), say):
        tree = cross = None
        for _ in range(_ROUNDS):
            # Whoever held the lock may have built them.
            missing = [board for board in needed if board.name not in failures and images.find_image(board) is None]
            if not missing:
                break
            tree = tree or source.tree(images.cache_dir(), say)
            cross = cross or compiler.mpy_cross(tree, images.cache_dir(), say)
            for board in missing:
                try:
                    _build_one(board, tree, cross)
                except KittiwakeError as error:
                    failures[board.name] = error
        else:
            raise KittiwakeError("the boards' sources change faster than they can be built", "try again later")
        cache.prune(images.cache_dir())
    return failures


def _without_tools(needed: list[images.Board]) -> dict[str, KittiwakeError]:
    """Install what is missing for these boards where this user may. Returns those that it is still missing for."""
    everything = {program for board in needed for program in needs(board)}
    problem = system.ensure(everything)
    if not problem:
        return {}
    if system.lacking(system.BUILDERS):
        raise KittiwakeError(problem, f"run: {system.command_for(everything)}")
    failures = {}
    for board in needed:
        packages = system.lacking(needs(board))
        if packages:
            mend = f"run: {system.command_for(needs(board))}"
            failures[board.name] = KittiwakeError(f"{', '.join(packages)} missing", mend)
    return failures


def _build_one(board: images.Board, tree: Path, cross: Path) -> None:
    started = time.monotonic()
    say(f"building {board.name} ...")
    if compiler.firmware(board, tree, cross, say):
        say(f"built {board.name} in {time.monotonic() - started:.0f} s")
    else:
        say(f"{board.name} changed while it was built; building it again")


def main() -> int:
    """Run as a command.

    Returns:
        0 when every firmware is there, else the exit code of an error; one line on stderr names each.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("boards", nargs="*", metavar="BOARD", help="default: all")
    arguments = parser.parse_args()
    started = time.monotonic()
    try:
        failures = build(arguments.boards)
    except KittiwakeError as error:
        say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        say("interrupted; what was built before is kept")
        return 130
    for name, failure in failures.items():
        say(f"{name} is not built: {failure}")
    if failures:
        return max(failure.exit_code for failure in failures.values())
    say(f"up to date in {images.cache_dir()} ({time.monotonic() - started:.1f} s)")
    return 0


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
