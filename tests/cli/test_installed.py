"""What a user installs: the wheel with its extras demo and hil, in an environment and a folder of its own, no more."""

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from kittiwake.errors import KittiwakeError
from tools import boards_wheel

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def kittiwake(tmp_path_factory):
    """Runs the command of the installed wheel, in an empty folder, with nothing of this environment."""
    folder = tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=True)
    pip = [folder / "venv/bin/python", "-m", "pip", "install", "--quiet", "--retries=1"]
    index = subprocess.run([*pip, "--dry-run", "paho-mqtt"], capture_output=True, text=True)
    if index.returncode != 0:
        pytest.skip(f"pip has no index here: {(index.stderr.strip().splitlines() or [''])[-1]}")
    installed = subprocess.run([*pip, f"kittiwake[demo,hil] @ {wheel.as_uri()}"], capture_output=True, text=True)
    assert installed.returncode == 0, installed.stderr
    empty = folder / "empty"
    empty.mkdir()
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "TMPDIR", "LANG", "TERM")}

    def run(*arguments, program="kittiwake", cwd=empty):
        command = [folder / "venv/bin" / program, *arguments]
        environment["HOME"] = str(folder / "home")
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)

    run.folder = empty
    return run


def test_installed_command_is_the_wheels(kittiwake):
    done = kittiwake("--version")
    assert done.returncode == 0 and "0.1.0" in done.stdout, done.stderr
    origin = subprocess.run(
        [kittiwake.folder.parent / "venv/bin/python", "-c", "import kittiwake; print(kittiwake.__file__)"],
        cwd=kittiwake.folder,
        capture_output=True,
        text=True,
    )
    assert Path(origin.stdout.strip()).is_relative_to(kittiwake.folder.parent / "venv")


def test_installed_demo_delivers_everything_and_names_the_extra_that_it_lacks(kittiwake):
    done = kittiwake("demo", "--seconds", "10")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no microphone in this demo: install kittiwake[wake]" in done.stderr
    figures = dict(line.split(maxsplit=1) for line in done.stdout.splitlines() if not line.startswith("alert"))
    assert figures["samples"] == "10000" and figures["lost"] == figures["mismatches"] == "0"
    assert int(figures["alerts"]) == int(figures["reference_alerts"]) > 0
    assert figures["published"] == figures["acked"] != "0"
    assert list(kittiwake.folder.iterdir()) == []
    assert Path(figures["history"]).is_relative_to(kittiwake.folder.parent / "home")


@pytest.mark.parametrize(
    ("command", "name", "extra"),
    [
        ("plot x.csv -c value -o x.svg", "x.csv", "plot"),
        ("journal x.img", "x.img", "journal"),
        ("model compile x.tflite -o x.kwm", "x.tflite", "model"),
    ],
)
def test_installed_command_whose_extra_is_missing_says_which(kittiwake, command, name, extra):
    file = kittiwake.folder / name
    file.write_text("value\n" + "1\n" * 300)
    done = kittiwake(*command.split())
    file.unlink()
    assert done.returncode == 1 and f"kittiwake[{extra}]" in done.stderr, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_installed_tests_of_another_project_pass_on_every_board(kittiwake, tmp_path):
    """The example's tests, from the wheels alone; what is skipped is the example's own list, no more and no less."""
    try:
        boards = boards_wheel.build(tmp_path)
    except KittiwakeError as error:
        pytest.skip(f"the emulated boards are not built: {error}")  # which CI does not allow
    targets = kittiwake("targets", "--install", str(boards))
    assert targets.returncode == 0 and targets.stdout.count(" ready") == 6, targets.stdout + targets.stderr
    project = tmp_path / "project"
    shutil.copytree(ROOT / "examples/hil", project)
    options = ["--board", "all", "--board", "m3-with-sensor", "--count-instructions", "--hil-json=report.json"]
    done = kittiwake(*options, program="pytest", cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    tests = json.loads((project / "report.json").read_text())["tests"]
    assert len({entry["board"] for entry in tests}) == 7
    skipped = {
        f"{entry['board']}: {entry['test'].partition('::')[2].partition('[')[0]}: {entry['why']}"
        for entry in tests
        if entry["outcome"] == "skipped"
    }
    assert skipped == set((project / "skips.txt").read_text().splitlines()[1:])
    assert all(entry["outcome"] in ("passed", "skipped") for entry in tests)
