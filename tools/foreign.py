"""An environment with TensorFlow for the tests, apart from the project's: heavy, and so made once a machine.

`python tools/foreign.py` makes it in the cache, out of what the extra `quantise` names, and does nothing when it is
there.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "host")]

from kittiwake.errors import KittiwakeError  # noqa: E402
from kittiwake.model.make.interpreter import VARIABLE  # noqa: E402
from kittiwake.target import images  # noqa: E402
from tools.micropython import cache  # noqa: E402

_EXTRA = "quantise"


def interpreter() -> Path | None:
    """The interpreter: that which KITTIWAKE_TENSORFLOW names, or the one in the cache; None where neither is."""
    named = os.environ.get(VARIABLE)
    python = Path(named) if named else folder() / "bin" / "python"
    return python if python.exists() else None


def folder() -> Path:
    """Where the environment belongs: another one for other requirements, or another Python."""
    digest = hashlib.sha256("\n".join([sys.version, *_requirements()]).encode()).hexdigest()[:12]
    return images.cache_dir("tensorflow") / digest


def _requirements() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines: list[str] = project["optional-dependencies"][_EXTRA]
    return lines


def main() -> int:
    """Make the environment; return 0 when it is there, 1 with a line of the reason when it cannot be made."""
    if interpreter():
        return 0
    place = folder()
    try:
        with cache.locked(place.parent, _say), cache.workshop(place.parent) as work:
            if not interpreter():  # else another process has made it meanwhile
                _say(f"installing {_EXTRA} into {place}, once")
                _install(work / "made")
                (work / "made").replace(place)  # its python is used by path, not its scripts, so it may move
    except KittiwakeError as error:
        _say(f"{error}; {error.mend}" if error.mend else str(error))
        return 1
    except subprocess.CalledProcessError as error:
        _say(f"{Path(error.cmd[0]).name} {' '.join(error.cmd[1:4])} ended with {error.returncode}")
        return 1
    return 0


def _install(place: Path) -> None:
    """Make an environment with what the extra names; pip itself says what it cannot get."""
    venv.create(place, with_pip=True)
    pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *_requirements()], check=True)


def _say(line: str) -> None:
    print(f"foreign: {line}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
