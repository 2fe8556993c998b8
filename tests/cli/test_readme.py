"""The README's and the tutorial's commands, run as they stand there: those that need no board, on the unix port."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from paho.mqtt import publish

from tests.support.documents import ROOT, parse, section, shell_lines
from tests.support.free_ports import free_port
from tests.support.waiting import until

README = (ROOT / "README.md").read_text()
TUTORIAL = (ROOT / "docs/tutorial/virtual-board.md").read_text()
WITHOUT_A_BOARD = shell_lines("\n" + section(README, "Without a board"), "kittiwake")
OF_THE_TUTORIAL = [
    line
    for line in shell_lines(TUTORIAL, "kittiwake")
    if parse(line)[:1] in (("detect",), ("explain",), ("bridge",)) and "--port" not in line
]
_ENVIRONMENT = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def _sh(line, cwd):
    return subprocess.run(["sh", "-c", line], cwd=cwd, env=_ENVIRONMENT, capture_output=True, text=True, timeout=110)


@pytest.fixture
def folder(tmp_path):
    """Where a reader types: the examples are there."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return tmp_path


def test_readme_and_tutorial_have_commands_to_run():
    assert {parse(line)[0] for line in WITHOUT_A_BOARD} >= {"demo", "detect", "plot", "explain", "verify", "targets"}
    assert len(OF_THE_TUTORIAL) >= 5


@pytest.mark.parametrize("line", WITHOUT_A_BOARD, ids=lambda line: line.split("  ")[0])
def test_readme_s_command_does_what_it_says(line, folder):
    done = _sh(line, folder)
    assert done.returncode == 0, done.stderr
    if "--json" in line:
        report = json.loads(done.stdout)
        assert (report["mismatches"], report["lost"]) == (0, 0)
    if parse(line)[0] == "plot":
        assert (folder / "drift.svg").stat().st_size > 10_000
    else:
        assert done.stdout


@pytest.mark.parametrize("target", re.findall(r"^    make (\w+)", section(README, "Two commands"), re.M))
def test_readme_s_make_targets_can_be_made(target):
    done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", OF_THE_TUTORIAL)
def test_tutorial_s_command_does_what_it_says(line, folder):
    done = _sh(line, folder)
    assert done.returncode == 0, done.stderr
    told = re.search(r"\(sample (\d+), (\d+) minutes", TUTORIAL)
    if line.endswith("--detector drift"):
        first = re.search(r"^sample\s+(\d+)", done.stdout, re.M)[1]
        assert first == told[1]
        assert int(first) - 2400 == int(told[2])
    if line.endswith("--detector zscore"):
        assert "0 alerts" in done.stdout


def test_tutorial_s_reading_that_is_far_off_is_the_one_alert(folder):
    # What the ESP32's lesson injects, through the same detector on the unix port.
    text = (ROOT / "docs/tutorial/esp32.md").read_text()
    steps = section(text, "5. Make it see something")
    inject = shell_lines(steps, "kittiwake")[0]
    for line in (*shell_lines(steps, "cp"), *shell_lines(steps, "echo")):
        assert _sh(line, folder).returncode == 0
    arguments = inject.split("inject ", 1)[1].replace("--device press-7 ", "")
    done = _sh(f"kittiwake detect {arguments} --json", folder)
    alert, report = map(json.loads, done.stdout.splitlines())
    assert report["alerts"] == 1
    assert alert["index"] == 2880
    told = re.search(r"value=(\S+) unit=\S+ z_score=(\S+) mean=(\S+) stdev=(\S+) n=(\d+)", steps)
    exact = [alert["x"] / 100, alert["z_score"], alert["mean"] / 100, alert["stdev"] / 100, alert["n"]]
    assert [float(figure) for figure in told.groups()] == pytest.approx(exact, abs=0.005)


def test_tutorial_s_broker_shows_the_demo_s_alerts(folder):
    # The lines of step 3 in order, with a port of the test's own.
    port = free_port()
    url = f"mqtt://localhost:{port}"
    steps = section(TUTORIAL, "3. Use a broker of your own")
    demo = next(line for line in shell_lines(steps, "kittiwake") if "--broker" in line)
    assert shell_lines(steps, "amqtt") == ["amqtt"]
    (folder / "broker.yaml").write_text(f"listeners:\n  default:\n    type: tcp\n    bind: 127.0.0.1:{port}\n")
    broker = subprocess.Popen(
        ["amqtt", "-c", "broker.yaml"],
        cwd=folder,
        env=_ENVIRONMENT,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    watch = None
    try:
        until(lambda: _listens(port), "a broker that listens", 30)
        with open(folder / "watch.txt", "w") as shown:
            command = ["kittiwake", "watch", "--broker", url]
            watch = subprocess.Popen(command, env=_ENVIRONMENT, stdout=shown, stderr=shown)
        # An alert that nobody has subscribed to yet is not shown, so the demo waits until something is.
        topic = "kittiwake/any"
        until(lambda: _publish(topic, port) or topic in (folder / "watch.txt").read_text(), "a line", 30, 0.2)
        done = _sh(
            demo.replace("mqtt://localhost:1883", url).replace("--seconds 20", "--seconds 14") + " --json", folder
        )
        assert done.returncode == 0, done.stderr
    finally:
        for process in filter(None, (watch, broker)):
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
    seen = (folder / "watch.txt").read_text()
    assert seen.count("kittiwake/kw-demo/alert/vibration") >= 10
    assert re.search(r"value=\S+ unit=mm/s z_score=\S+ mean=\S+ stdev=\S+ n=256 detector=zscore seq=\d+", seen)


def _publish(topic, port):
    publish.single(topic, "{}", port=port)


def _listens(port):
    import socket

    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
