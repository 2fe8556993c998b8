"""Whether the gateway's install stays light: wheels for every Arm a Raspberry Pi has, no compiler, and how large.

    python tools/light_install.py [--limit-mb 60]

Resolves the package's own dependencies, without extras, as pip would there; nothing is installed.
"""

import argparse
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# What pip takes on Raspberry Pi OS and Debian, 64 and 32 bits.
PLATFORMS = {
    "aarch64": ["manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"],
    "armv7l": ["manylinux_2_31_armv7l", "manylinux_2_17_armv7l", "manylinux2014_armv7l"],
}
PYTHONS = ("3.11", "3.13")
# Compiled code that Python writes beside what it imports.
_COMPILED = 1.0


def installed_mb(folder: Path) -> float:
    """MB that the wheels in `folder` take once unpacked, the compiled modules included."""
    total = 0.0
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            for entry in archive.infolist():
                total += entry.file_size * (1 + _COMPILED if entry.filename.endswith(".py") else 1)
    return total / 1e6


def resolve(machine: str, python: str, folder: Path) -> str:
    """Fetch the wheels. Returns "" or why it cannot be."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--python-version", python]
    command += ["--implementation", "cp", "--dest", str(folder)]
    for platform in PLATFORMS[machine]:
        command += ["--platform", platform]
    finished = subprocess.run([*command, *project["dependencies"]], capture_output=True, text=True)
    return "" if finished.returncode == 0 else finished.stderr.strip().splitlines()[-1]


def main() -> int:
    """Print a line a platform. Returns 0 when all of them fit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit-mb", type=float, default=60.0)
    limit_mb = parser.parse_args().limit_mb
    own_mb = sum(path.stat().st_size for part in ("host", "firmware") for path in (ROOT / part).rglob("*.py")) * 2 / 1e6
    failed = 0
    for machine in PLATFORMS:
        for python in PYTHONS:
            with tempfile.TemporaryDirectory(prefix="kittiwake-light-") as name:
                problem = resolve(machine, python, Path(name))
                size_mb = own_mb + installed_mb(Path(name))
            ok = not problem and size_mb < limit_mb
            failed += not ok
            print(f"{machine:<8} Python {python}: {problem or f'{size_mb:.0f} MB, no compiler'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
