"""Build the wheel kittiwake-boards: the emulated boards' firmwares, for whoever has no compilers for them.

    python tools/boards_wheel.py [-o FOLDER]

The same firmwares give the same bytes, wherever it is built. Knows what goes into it; how a wheel is made is
hatchling's business, and how firmwares are built that of tools/micropython.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT), str(_ROOT / "host")]

import kittiwake  # noqa: E402
from kittiwake.errors import EXIT_OK, KittiwakeError  # noqa: E402
from kittiwake.target import images  # noqa: E402

# Where Debian keeps the licences of what its compilers link into a firmware.
_DEBIAN = Path("/usr/share/doc")
_PROJECT = """
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "kittiwake-boards"
version = "{version}"
description = "MicroPython for Kittiwake's emulated boards, built."
requires-python = ">=3.11"
license-files = ["licences/*"]
readme = "README.md"
"""
_README = """# kittiwake-boards

MicroPython ({source}) for the emulated boards of Kittiwake: {boards}. They run in QEMU, which is not in here.

The licences of MicroPython, of the libraries in it, and of the C libraries that the firmwares are linked with, are in
the folder `licences` of the package's metadata.
"""


def licences() -> dict[str, Path]:
    """List the licences of what is in the firmwares.

    Returns:
        Name -> file.

    Raises:
        KittiwakeError: one is not there.
    """
    tree = images.cache_dir() / f"source-{images.SOURCE_VERSION}" / "tree"
    core = images.cache_dir() / f"core_source-{images.CORE_SHA256[:16]}" / "tree"
    files = {
        "kittiwake.txt": _ROOT / "LICENSE",
        "micropython.txt": tree / "LICENSE",
        "micropython-and-libraries.txt": tree / "debian/copyright",
        "softfloat.txt": core / "tests/fp/berkeley-softfloat-3/COPYING.txt",
        "newlib.txt": _DEBIAN / "libnewlib-arm-none-eabi/copyright",
        "picolibc.txt": _DEBIAN / "picolibc-riscv64-unknown-elf/copyright",
        "gcc-arm.txt": _DEBIAN / "gcc-arm-none-eabi/copyright",
        "gcc-riscv64.txt": _DEBIAN / "gcc-riscv64-unknown-elf/copyright",
        # The one of Debian's that has the exception for the support library, which is linked into every program.
        "gcc.txt": max(_DEBIAN.glob("gcc-*-base/copyright"), default=_DEBIAN / "gcc-base/copyright"),
    }
    missing = [str(path) for path in files.values() if not path.is_file()]
    if missing:
        raise KittiwakeError(f"licences are not there: {', '.join(missing)}", "run `make boards`")
    return files


def build(output: Path) -> Path:
    """Build the wheel.

    Args:
        output: folder that it is put into.

    Returns:
        Its path.

    Raises:
        KittiwakeError: a firmware or a licence is not there, or hatchling fails.
    """
    boards = images.boards()
    with tempfile.TemporaryDirectory(prefix="kittiwake-wheel-") as folder:
        project = Path(folder)
        source = ""
        for board in images.every().values():
            image = images.image(board)
            source = image.facts["source"]
            into = project / "kittiwake_boards" / board.name
            into.mkdir(parents=True)
            shutil.copyfile(image.firmware, into / "firmware.elf")
            facts = {name: image.facts[name] for name in ("board", "source", "sha256")}
            (into / "build.json").write_text(json.dumps(facts, indent=1) + "\n")
        (project / "kittiwake_boards/__init__.py").write_text('"""Firmwares of emulated boards: data only."""\n')
        (project / "licences").mkdir()
        for name, path in licences().items():
            shutil.copyfile(path, project / "licences" / name)
        names = ", ".join(board.target for board in boards.values())
        (project / "README.md").write_text(_README.format(source=source, boards=names))
        (project / "pyproject.toml").write_text(_PROJECT.format(version=kittiwake.__version__))
        for path in project.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(output.resolve())]
        built = subprocess.run(command, cwd=project, capture_output=True, text=True)
        if built.returncode != 0:
            raise KittiwakeError(f"hatchling failed: {(built.stderr.strip() or 'no reason').splitlines()[-1]}")
    return output / f"kittiwake_boards-{kittiwake.__version__}-py3-none-any.whl"


def main() -> int:
    """Run as a command.

    Returns:
        0, or the exit code of an error, which one line on stderr names.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=_ROOT / "dist")
    arguments = parser.parse_args()
    try:
        print(build(arguments.output))
    except KittiwakeError as error:
        print(f"boards_wheel: {error}", file=sys.stderr)
        return error.exit_code
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
