"""What no file of the repository may say: home folders, private keys, unfinished merges; and its two versions agree."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import kittiwake
import kittiwake_node

ROOT = Path(__file__).resolve().parents[2]

# Each pattern is written so that it does not match itself.
_FORBIDDEN = {
    "somebody's home folder": r"(?<!\w)/(hom[e]|User[s])/\w",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KE[Y]-----",
    "an unfinished merge": r"(?m)^(<{7}|>{7})\s",
}


def _files() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True
    )
    if listing.returncode == 0:
        return [ROOT / name for name in listing.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
    hidden = (".venv", ".cache", "__pycache__", ".git")
    return [path for path in ROOT.rglob("*") if path.is_file() and not any(part in hidden for part in path.parts)]


def _offences(text: str) -> list[str]:
    return [what for what, pattern in _FORBIDDEN.items() if re.search(pattern, text)]


def test_tree_says_nothing_forbidden():
    files = _files()
    assert len(files) > 10
    found = {str(path.relative_to(ROOT)): _offences(path.read_text(errors="replace")) for path in files}
    assert {name: offences for name, offences in found.items() if offences} == {}


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PRIVATE KE" + "Y-----",
        "<" * 7 + " HEAD",
        "/hom" + "e/me",
    ],
)
def test_tree_check_with_a_forbidden_text_finds_it(text):
    assert len(_offences(text)) == 1


def test_versions_of_host_and_firmware_agree():
    assert kittiwake.__version__ == kittiwake_node.__version__


def test_firmware_files_hold_the_package_and_nothing_compiled():
    files = kittiwake.firmware_files()
    root = ROOT / "firmware"
    sources = {str(path.relative_to(root)) for path in root.rglob("*.py")}
    assert "main.py" in sources and sources <= files.keys()
    assert all(files[name] == (root / name).read_bytes() for name in sources)
    assert not any("__pycache__" in path for path in files)


# Made by a tool, or data: nobody reads them from the first line to the last.
_LONG = (
    "firmware/kittiwake_node/kernels/",
    "deploy/observability/grafana/",
    "docs/nab.svg",
    "examples/temperature/readings.csv",
    "tests/durations.json",
)


def test_documented_arguments_are_asked_of_everything_but_tests():
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    off = {"D", "D4", "D41", "D417"}
    assert "D" in lint["select"]
    assert not off & set(lint["ignore"])
    exempt = [files for files, rules in lint["per-file-ignores"].items() if off & set(rules)]
    assert exempt == ["tests/**", "examples/hil/tests/**"]


def test_no_file_that_people_read_is_longer_than_300_lines():
    texts = [path for path in _files() if path.suffix not in (".wav", ".gz", ".zip", ".png", ".img")]
    lines = {path.relative_to(ROOT).as_posix(): path.read_bytes().count(b"\n") for path in texts}
    assert len(lines) > 500
    assert {name: count for name, count in lines.items() if count > 300 and not name.startswith(_LONG)} == {}
