"""The window that a bridge starts: `[window] enabled = true` in its configuration."""

import contextlib
import json
import os
import re
import signal
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from kittiwake.cli import app
from kittiwake.errors import EXIT_USAGE
from tests.support.free_ports import free_port
from tests.support.processes import BridgeProcess
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(120)

CONFIG = """
[broker]
url = "mqtt://127.0.0.1:{away}"
[http]
listen = "127.0.0.1:{http}"
[window]
enabled = true
listen = "{listen}"
notes = "{folder}/notes.sqlite"
hosts = ["gate.example"]
[[devices]]
port = "{folder}/none"
"""


def asked(url, **headers):
    """(status, text) of an answer; None while nothing listens."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return None


def window_of(bridge):
    """Process ids of the windows that a bridge has started."""
    pid = bridge._process.pid
    windows = []
    for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if b"window" in Path(f"/proc/{each}/cmdline").read_bytes():
                windows.append(int(each))
    return windows


@pytest.fixture
def started(tmp_path):
    """A bridge with a window, (bridge, address of the window, of the bridge's pages); the first may name another."""
    made = []

    def start(listen=None):
        ports = {"away": free_port(), "http": free_port(), "listen": listen or f"127.0.0.1:{free_port()}"}
        config = tmp_path / "gateway.toml"
        config.write_text(CONFIG.format(folder=tmp_path, **ports))
        bridge = BridgeProcess.of_config(config, tmp_path / "bridge.log")
        made.append(bridge)
        bridge.start()
        return bridge, f"http://{ports['listen']}/", f"http://127.0.0.1:{ports['http']}/healthz"

    yield start
    for bridge in made:
        if bridge.is_running:
            bridge.kill()


def test_window_of_a_bridge_comes_comes_again_and_goes_with_it(started, tmp_path):
    bridge, url, health = started()
    assert until(lambda: asked(url, Host="gate.example"), "the window", 60)[0] == 200
    assert json.loads(asked(health)[1])["window"] == {"running": True, "problem": ""}
    (first,) = window_of(bridge)
    os.kill(first, signal.SIGKILL)
    until(lambda: window_of(bridge) not in ([], [first]) and asked(url), "another window", 60)
    assert "window.ended" not in (tmp_path / "bridge.log").read_text()  # that is the event's name, in JSON alone
    assert re.search(r"window: it ended with -9;.* again in \d s", (tmp_path / "bridge.log").read_text())
    (second,) = window_of(bridge)
    bridge.signal(signal.SIGTERM)
    bridge._process.wait(30)
    assert asked(url) is None and not Path(f"/proc/{second}").exists()


def test_window_dies_with_a_bridge_that_is_killed(started):
    bridge, url, _ = started()
    until(lambda: asked(url), "the window", 60)
    bridge.kill()
    until(lambda: asked(url) is None, "an end of the window")


def test_window_that_would_let_others_in_is_refused_and_the_bridge_goes_on(started, tmp_path):
    bridge, _, health = started("0.0.0.0:0")
    told = until(lambda: (asked(health) or (0, ""))[1], "the bridge", 60)
    problem = until(lambda: json.loads(asked(health)[1])["window"]["problem"], lambda: told, 60)
    assert f"ended with {EXIT_USAGE}" in problem
    assert "can be reached from elsewhere" in (tmp_path / "bridge.log").read_text()
    assert bridge.is_running


def test_window_takes_from_a_configuration_what_no_option_says(tmp_path, capsys):
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG.format(folder=tmp_path, away=free_port(), http=free_port(), listen="nowhere"))
    assert app.run(["window", "-c", str(config)]) == EXIT_USAGE
    assert "'nowhere' is no address" in capsys.readouterr().err
    assert app.run(["window", "-c", str(config), "--listen", "elsewhere"]) == EXIT_USAGE
    assert "'elsewhere' is no address" in capsys.readouterr().err
