"""An environment with TensorFlow for the tests, apart from the project's: heavy, and so made once a machine.

`python tools/foreign.py` makes it in the cache, out of what the extra `quantise` names, and does nothing when it is
there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "host")]

from kittiwake.model.make.interpreter import VARIABLE  # noqa: E402
from kittiwake.target import images  # noqa: E402

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
    """Make the environment; return 0 when it is there, 1 with pip's own message when it cannot be made."""
    if interpreter():
        return 0
    place, part = folder(), folder().with_suffix(".part")
    print(f"foreign: installing {_EXTRA} into {place}, once", file=sys.stderr)
    shutil.rmtree(part, ignore_errors=True)
    venv.create(part, with_pip=True)
    pip = [str(part / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.call([*pip, *_requirements()]) != 0:
        shutil.rmtree(part, ignore_errors=True)
        return 1
    part.replace(place)  # its python is used by path, not its scripts, so it may move
    return 0


if __name__ == "__main__":
    sys.exit(main())
