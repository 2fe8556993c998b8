"""The wheel: it holds firmware and boards as the checkout does, and nothing at the top that is not ours."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import kittiwake

ROOT = Path(__file__).resolve().parents[2]

# What an installed wheel answers, in a Python that sees nothing but the wheel.
ASK = """
import sys
import tomllib
sys.path.insert(0, sys.argv[1])
import kittiwake
for path, content in kittiwake.firmware_files().items():
    print(path, len(content))
"""


def test_package_wheel_gives_the_same_firmware_and_boards_as_the_checkout(tmp_path):
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    tops = {path.name for path in (tmp_path / "site").iterdir()}
    assert tops == {"kittiwake", "kittiwake_node", f"kittiwake-{kittiwake.__version__}.dist-info"}
    asked = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ASK, str(tmp_path / "site")], capture_output=True, text=True
    )
    assert asked.returncode == 0, asked.stderr
    here = [f"{path} {len(content)}" for path, content in kittiwake.firmware_files().items()]
    assert asked.stdout.splitlines() == here
    assert any(line.startswith("main.py ") for line in here)
    described = ROOT.glob("boards/*/board.toml")
    there = {f"{path.parent.name}/board.toml": path.read_text() for path in described}
    boards = tmp_path / "site" / "kittiwake" / "_boards"
    assert {path.relative_to(boards).as_posix(): path.read_text() for path in boards.rglob("*.toml")} == there
    assert len(there) >= 10


def test_package_extras_of_the_demo_bring_what_hearing_compiles_with():
    """Regression: without tflite the demo on a new machine left its microphone out, and said nothing."""
    makefile = (ROOT / "Makefile").read_text()
    names = re.search(r"^RUN_EXTRAS = (\S+)$", makefile, re.MULTILINE).group(1).split(",")
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    wanted = {re.split(r"[><=;\[ ]", line)[0] for name in names for line in extras[name]}
    assert {"tflite", "pymicro-wakeword"} <= wanted
