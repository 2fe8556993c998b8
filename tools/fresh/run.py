"""From nothing to green: `make demo` as an ordinary user and `make test` as root, each first on a machine of its own.

    python tools/fresh/run.py [--only demo|test|boards] [--suite SUITE] [--folder DIR] [--keep] [ARGUMENT ...]

`--only boards` builds the emulated boards, as root. Each runs on a minimal Debian (this system's release, or SUITE)
with python3, python3-venv, make, git and ca-certificates alone, on a clone of what is committed here, the first time
and nothing before it. The last lines are figures. Needs root. ARGUMENTs go to `make test`, e.g. T=tests/unit.
"""

import argparse
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tools import system  # noqa: E402
from tools.fresh import settings  # noqa: E402
from tools.fresh.machine import USER, Machine, MachineError, require_root  # noqa: E402

# The packages that `make test` installs take 2.5 GB, two bare machines, the environment and downloads half as much.
_FREE_GB = 8
_RUNS = {"demo": USER, "test": "root", "boards": "root"}
_ALWAYS = ("demo", "test")
_SUMMARY = re.compile(r"=+ (.*\b\d+ (?:passed|failed|errors?)\b.*?) =+")


def say(text: str) -> None:
    """Print one line of progress."""
    print(f"fresh: {text}", file=sys.stderr, flush=True)


def run_once(base: Machine, goal: str, arguments: list[str], folder: Path) -> tuple[bool, str]:
    """Run one goal of the Makefile on a copy of the machine.

    Args:
        base: the machine with nothing on it.
        goal: of the Makefile.
        arguments: more for make.
        folder: for the copy and what make printed.

    Returns:
        Whether it passed, and a line of figures.
    """
    user = _RUNS[goal]
    tree = ("/root" if user == "root" else f"/home/{user}") + "/kittiwake"
    machine = base.copy(folder / goal)
    if goal == "test":
        # Where all can be installed nothing may be skipped, so that what does not build cannot pass.
        machine.environment["CI"] = "true"
    try:
        machine.clone(ROOT, tree, user)
        say(f"make {' '.join([goal, *arguments])}, as {user}")
        log = folder / f"{goal}.log"
        started = time.monotonic()
        status = machine.run(["make", goal, *arguments], user=user, folder=tree, log=log)
        seconds = time.monotonic() - started
        text, size_gb = log.read_text(errors="replace"), machine.size_gb()
    finally:
        machine.remove()
    summaries = _SUMMARY.findall(text)
    result = "passed" if status == 0 else f"exit {status}"
    words = [f"make {' '.join([goal, *arguments])}", f"as {user}", f"the first time: {result}", f"{seconds:.0f} s"]
    return status == 0, ", ".join([*words, *summaries[-1:], f"{size_gb:.1f} GB of disk"])


def main() -> int:
    """Make the machines, run, print the figures.

    Returns:
        0 when all passed, 1 when something failed or no machine could be made.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=_RUNS, help="run one of them (default: demo and test)")
    parser.add_argument("--suite", default="", help="another Debian, e.g. trixie, from this system's mirror")
    parser.add_argument("--folder", type=Path, help="a folder with room for the machines (default: TMPDIR)")
    parser.add_argument("--keep", action="store_true", help="leave the folder with the empty machine and the logs")
    parser.add_argument("arguments", nargs="*", metavar="ARGUMENT", help="for `make test`, e.g. T=tests/unit")
    options = parser.parse_args()
    # A termination takes the same way out as an interruption, past the removal of what was made.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = None
    try:
        require_root()
        problem = system.ensure(system.FRESH)
        if problem:
            raise MachineError(f"{problem}; run: {system.command_for(system.FRESH)}")
        if subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True).stdout:
            say("what is not committed here is left out")
        if options.folder:
            Path(options.folder).mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="kittiwake-fresh-", dir=options.folder))
        free_gb = shutil.disk_usage(folder).free / 1e9
        if free_gb < _FREE_GB:
            raise MachineError(f"{folder.parent} has {free_gb:.0f} GB free, {_FREE_GB} are needed; use --folder")
        figures = _run_all(folder, options)
    except MachineError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    finally:
        if folder and options.keep:
            say(f"kept in {folder}")
        elif folder:
            Machine(folder).remove()
    for _, line in figures:
        print(line)
    return 0 if all(passed for passed, _ in figures) else 1


def _run_all(folder: Path, options: argparse.Namespace) -> list[tuple[bool, str]]:
    started = time.monotonic()
    say("making a machine with nothing on it ...")
    base = Machine(folder / "base")
    base.bootstrap(options.suite)
    base.environment, base.mounts = settings.carry(base.root, options.suite)
    say(f"made in {time.monotonic() - started:.0f} s")
    goals = [options.only] if options.only else list(_ALWAYS)
    return [run_once(base, goal, options.arguments if goal == "test" else [], folder) for goal in goals]


if __name__ == "__main__":
    sys.exit(main())
