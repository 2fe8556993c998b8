"""The wheel and the sdist: they hold firmware and boards as the checkout does, and nothing that does not belong."""

import importlib
import pkgutil
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import kittiwake
from tools import hatch_build

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


def _build(tree: Path, folder: Path, kind: str) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)]
    built = subprocess.run(command, cwd=tree, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob({"wheel": "*.whl", "sdist": "*.tar.gz"}[kind])
    return path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built from the checkout."""
    return _build(ROOT, tmp_path_factory.mktemp("wheel"), "wheel")


@pytest.fixture(scope="module")
def sdist(tmp_path_factory) -> Path:
    """The source distribution, built from the checkout."""
    return _build(ROOT, tmp_path_factory.mktemp("sdist"), "sdist")


def _tracked() -> list[str]:
    """What Git has, and what it would take with the next commit."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listing.returncode != 0:
        pytest.skip("only a checkout knows what belongs to it")
    return [name for name in listing.stdout.splitlines() if (ROOT / name).is_file()]


def test_package_wheel_holds_the_two_packages_the_main_and_the_boards_and_nothing_else(wheel):
    info = f"kittiwake-{kittiwake.__version__}.dist-info"
    parts = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
    expected = {f"{info}/{part}" for part in parts} | {"kittiwake/_firmware/main.py"}
    for name in _tracked():
        if re.match(r"host/kittiwake/|firmware/kittiwake_node/", name):
            expected.add(name.partition("/")[2])
        elif re.fullmatch(r"boards/[^/]+/board\.toml", name):
            expected.add(f"kittiwake/_{name}")
    # What npm brought, as tools/page_parts.toml pins it.
    parts = "kittiwake/window/page/parts"
    expected |= {f"{parts}/{name}" for name in ("uplot.js", "uplot.css", "uplot.LICENSE.txt", "pinned.txt")}
    with zipfile.ZipFile(wheel) as archive:
        assert set(archive.namelist()) == expected
    assert len(expected) > 300


def test_package_part_that_is_not_what_is_pinned_is_refused(tmp_path, monkeypatch):
    """The digest is over all that npm brings: another registry, or another day, brings the same or nothing."""
    monkeypatch.setattr(hatch_build, "_fetched", lambda package: b"what another registry has under this name")
    tree = tmp_path / "tools"
    tree.mkdir()
    (tmp_path / hatch_build.PARTS).parent.mkdir(parents=True)
    shutil.copy(ROOT / "tools" / "page_parts.toml", tree)
    with pytest.raises(ValueError, match="is not what"):
        hatch_build.bring(tmp_path)
    assert not hatch_build.is_there(tmp_path)


def test_package_sdist_holds_what_is_tracked_and_nothing_else(sdist):
    top = f"kittiwake-{kittiwake.__version__}/"
    expected = {top + name for name in _tracked() if not name.startswith(".")} | {top + "PKG-INFO", top + ".gitignore"}
    with tarfile.open(sdist) as archive:
        assert {member.name for member in archive if not member.isdir()} == expected
    assert any("/tests/" in name for name in expected)


def test_package_wheel_of_the_sdist_is_the_wheel_of_the_checkout(sdist, wheel, tmp_path):
    with tarfile.open(sdist) as archive:
        # Python 3.11.2, Debian 12's, knows no filter yet; the archive is of our own making.
        archive.extractall(tmp_path)
    (tree,) = tmp_path.iterdir()
    # As a user builds it: pip brings what a build needs, npm among it where this machine has none.
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(tmp_path / "dist"), str(tree)]
    subprocess.run(command, check=True)
    (again,) = (tmp_path / "dist").iterdir()
    with zipfile.ZipFile(wheel) as first, zipfile.ZipFile(again) as second:
        assert {i.filename: i.CRC for i in first.infolist()} == {i.filename: i.CRC for i in second.infolist()}


def test_package_metadata_is_what_an_index_accepts(sdist, wheel):
    command = [sys.executable, "-m", "twine", "--no-color", "check", "--strict", str(sdist), str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.count("PASSED") == 2, done.stdout + done.stderr


def test_package_first_released_entry_of_the_changelog_has_the_version_of_the_package():
    entries = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d{2}-\d{2}))?$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert entries[0] == ("Unreleased", "")
    assert entries[1][0] == kittiwake.__version__ and entries[1][1]
    assert entries[-1][0] == "0.1.0"


def test_package_wheel_gives_the_same_firmware_and_boards_as_the_checkout(wheel, tmp_path):
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


# Adapters that another program loads; tests/cli/test_beside.py installs each, and runs them.
OF_PEERS = ("kittiwake.hil.embedded", "kittiwake.hil.jumpstarter")


def test_package_every_module_imports():
    # Annotations alone can fail: array[int] did on Python 3.11, in a module that none of the quick tests import.
    names = [module.name for module in pkgutil.walk_packages(kittiwake.__path__, "kittiwake.")]
    modules = [name for name in names if ".board_code." not in name and not name.endswith("__main__")]
    assert len(modules) > 150
    for name in modules:
        if name.startswith(OF_PEERS):
            continue
        importlib.import_module(name)
