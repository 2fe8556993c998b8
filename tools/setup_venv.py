"""Make the project's virtual environment and install the project into it; do nothing when that was done already.

Run by `make setup` with the system's Python, so it keeps to what any Python 3 understands and imports nothing of the
project.
"""

import hashlib
import os
import shutil
import subprocess
import sys

_NEEDS = (3, 11)


def main(argv: "list[str]") -> int:
    """Bring `VENV` up to date with pyproject.toml.

    Args:
        argv: the folder of the environment, then the extras, comma-separated.

    Returns:
        0 when it is ready, 1 with one line on stderr when it cannot be made.
    """
    venv, extras = argv[0], argv[1]
    if sys.version_info[:2] < _NEEDS:
        return _fail(
            "Python %d.%d is too old: Kittiwake needs %d.%d or later" % (sys.version_info[:2] + _NEEDS),
            "make setup PYTHON=python3.11 (or later); on Debian and Ubuntu: apt-get install python3.11 python3.11-venv",
        )
    python = os.path.join(venv, "bin", "python")
    stamp = os.path.join(venv, ".kittiwake-" + extras.replace(",", "-"))
    if _read(stamp) == _inputs(extras) and os.path.exists(python):
        return 0
    if not _runs(python):
        if _read(os.path.join(venv, "pyvenv.cfg")):
            shutil.rmtree(venv)  # its Python is gone or was moved: nothing in it works
        try:
            import ensurepip  # noqa: F401 (Debian ships venv without it)
            import venv as _  # noqa: F401
        except ImportError:
            package = "python%d.%d-venv" % sys.version_info[:2]
            return _fail("this Python cannot make virtual environments", "apt-get install %s, then again" % package)
        _say("making %s with Python %s" % (venv, sys.version.split()[0]))
        if subprocess.call([sys.executable, "-m", "venv", venv]) != 0:
            return _fail("the virtual environment could not be made", "remove %s and try again" % venv)
    _say("installing kittiwake[%s]" % extras)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-e", ".[%s]" % extras]
    if subprocess.call(pip) != 0:
        return _fail("pip could not install the project", "see its message above; `make clean` starts from nothing")
    with open(stamp, "w") as file:
        file.write(_inputs(extras))
    return 0


def _inputs(extras: str) -> str:
    """Digest of all that decides what gets installed."""
    digest = hashlib.sha256(extras.encode())
    for path in ("pyproject.toml", os.path.join("tools", "page_parts.toml"), __file__):
        digest.update(_read(path).encode())
    digest.update(os.path.abspath(".").encode())
    return digest.hexdigest()


def _runs(python: str) -> bool:
    try:
        return subprocess.call([python, "-c", "import pip"], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def _say(text: str) -> None:
    sys.stderr.write("setup: %s\n" % text)


def _fail(problem: str, mend: str) -> int:
    sys.stderr.write("setup: %s; %s\n" % (problem, mend))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
