"""`kittiwake node`: configurations to start from, a schema, and a board that is kept running for other programs."""

import json
import os
import signal
import subprocess
import sys
import tomllib

import pytest

from kittiwake.boards import catalog
from kittiwake.cli import app
from kittiwake.errors import EXIT_OK, EXIT_USAGE
from kittiwake.ports import survey
from kittiwake.pytest_plugin import refuse_or_skip
from tests.support.waiting import until


def init(board, path, capsys):
    assert app.run(["node", "init", board, "-o", str(path)]) == EXIT_OK, capsys.readouterr().err
    return path.read_text()


@pytest.mark.parametrize("board", catalog.names())
def test_node_init_of_every_board_is_what_a_node_starts_with(board, tmp_path, capsys):
    path = tmp_path / "node.toml"
    text = init(board, path, capsys)
    assert app.run(["node", "check", str(path)]) == EXIT_OK, capsys.readouterr().err
    assert "channels signal" in capsys.readouterr().out
    pins = catalog.find(board).pins
    assert ("action" in tomllib.loads(text)) == (pins is not None and pins.action is not None)


def test_node_init_shows_defaults_that_are_the_firmwares(tmp_path, capsys):
    path = tmp_path / "node.toml"
    text = init("esp32-devkitc", path, capsys)
    assert app.run(["node", "check", "--json", str(path)]) == EXIT_OK
    checked = json.loads(capsys.readouterr().out)
    shown = [line for line in text.splitlines() if line.startswith("# ") and " = " in line and "  # " in line]
    assert len(shown) > 20
    path.write_text("\n".join(line[2:] if line in shown else line for line in text.splitlines()))
    assert app.run(["node", "check", "--json", str(path)]) == EXIT_OK, capsys.readouterr().err
    assert json.loads(capsys.readouterr().out) == checked


def test_node_init_overwrites_nothing_and_knows_its_boards(tmp_path, capsys):
    path = tmp_path / "node.toml"
    init("esp32-devkitc", path, capsys)
    before = path.read_text()
    assert app.run(["node", "init", "nucleo-f446re", "-o", str(path)]) == EXIT_USAGE
    assert path.read_text() == before
    assert app.run(["node", "init", "no-such-board"]) == EXIT_USAGE


def test_node_check_names_the_line_at_fault(tmp_path, capsys):
    path = tmp_path / "node.toml"
    path.write_text('device = "kw"\n[[channels]]\nsource = {kind = "link"}\nrate_khz = 1\n')
    assert app.run(["node", "check", str(path)]) == EXIT_USAGE
    said = capsys.readouterr().err
    assert f"{path}, line 4: channels[0].rate_khz: no such setting" in said and "did you mean rate_hz?" in said


def test_node_schema_has_every_setting_and_refuses_others(capsys):
    assert app.run(["node", "schema"]) == EXIT_OK
    schema = json.loads(capsys.readouterr().out)
    assert {"device", "link", "channels", "mqtt"} <= set(schema["properties"])
    assert schema["additionalProperties"] is False and schema["properties"]["block"]["type"] == "integer"
    channel = schema["properties"]["channels"]["items"]
    kinds = [kind["properties"]["kind"]["const"] for kind in channel["properties"]["source"]["oneOf"]]
    assert {"adc", "i2s", "lis3dh", "link", "replay"} <= set(kinds)
    assert channel["properties"]["scale"]["type"] == ["string", "number"]
    assert all(setting["description"] for setting in channel["properties"].values())


@pytest.fixture
def up():
    """Starts `kittiwake node up`; gives the process and what it says of its ports."""
    started = []

    def start(*arguments):
        command = [sys.executable, "-m", "kittiwake", "node", "up", "--json", *arguments]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored below a shell's background job
        )
        started.append(process)
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        return process, json.loads(line)

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_node_up_of_a_virtual_board_answers_until_ctrl_c(up):
    process, ports = up("--power-cut")
    assert (ports["console"], ports["device"]) == ("", "kittiwake")
    assert survey.ask_port(ports["link"]).detail == "kittiwake"
    os.kill(process.pid, signal.SIGUSR1)
    assert "the power was cut" in process.stderr.readline()
    until(lambda: survey.ask_port(ports["link"]).state == "node", "the node is not back after the power cut")
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(20) == EXIT_OK
    assert not os.path.exists(ports["link"])


@pytest.mark.timeout(300)
@pytest.mark.parametrize("target", [pytest.param("qemu:mps2-an385", marks=pytest.mark.soak), "qemu:virt"])
def test_node_up_is_a_board_for_every_command_that_takes_a_port(target, up, request, tmp_path, capsys):
    """What the README does with a board: asked, deployed to, judged, and mpremote."""
    refuse_or_skip(request.config, target)
    config = tmp_path / "node.toml"
    config.write_text('device = "kw-up"\n[[channels]]\nsource = {kind = "link"}\n')
    process, ports = up("--target", target, "--power-cut")
    console = ports["console"]
    assert app.run(["ports", console]) == EXIT_OK and "micropython: v1." in capsys.readouterr().out
    assert app.run(["deploy", "--port", console, "-c", str(config)]) == EXIT_OK, capsys.readouterr().err
    assert app.run(["doctor", "--port", console]) == EXIT_OK, capsys.readouterr().out
    assert "kw-up answers on this port" in capsys.readouterr().out
    mpremote = [sys.executable, "-m", "mpremote", "connect", console, "fs", "cat", ":app-a/node.json"]
    done = subprocess.run(mpremote, capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout)["device"] == "kw-up", done.stderr
    os.kill(process.pid, signal.SIGUSR1)
    until(lambda: survey.ask_port(console).detail == "kw-up", "the node is not back after the power cut", 60)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(20) == EXIT_OK


def test_node_up_runs_the_node_that_is_named_or_says_why_not(up, request, tmp_path, capsys):
    refuse_or_skip(request.config, "qemu:mps2-an385")
    config = tmp_path / "node.toml"
    config.write_text('device = "kw-mine"\n[[channels]]\nsource = {kind = "link"}\n')
    _, ports = up("--target", "qemu:mps2-an385", "-c", str(config))
    assert ports["device"] == survey.ask_port(ports["link"]).detail == "kw-mine"
    config.write_text('[[channels]]\nrate_hz = 10\nsource = {kind = "adc", pin = 1}\n')
    assert app.run(["node", "up", "-c", str(config)]) != EXIT_OK
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert app.run(["node", "up", "--target", "/dev/ttyUSB0"]) == EXIT_USAGE
