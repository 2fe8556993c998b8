"""What operators see: exit codes and one line, health and figures over HTTP, logs, systemd, and the deployed files."""

import asyncio
import configparser
import json
import logging
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from kittiwake.bridge import settings, systemd
from kittiwake.bridge.metrics import Exposition
from kittiwake.bridge.service import Bridge
from kittiwake.observe import logs, web
from kittiwake.publish.publisher import Policy
from tests.mosquitto import Mosquitto
from tests.support.free_ports import free_port
from tests.support.processes import BridgeProcess
from tests.support.waiting import until

needs_mosquitto = pytest.mark.needs("mosquitto")
_HOLD = "import fcntl, time; f = open({!r}); fcntl.flock(f, 6); print(1, flush=True); time.sleep(60)"
DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def bridge(*arguments, seconds=20, **environment):
    command = [sys.executable, "-m", "kittiwake", "bridge", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, env=os.environ | environment)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("port", "code", "says"),
    [("/dev/nothing", 3, "is not there"), ("id:none", 3, "no adapter"), ("socket://127.0.0.1:1", 3, "nothing answers")],
)
def test_bridge_by_hand_with_a_port_that_is_not_there_ends_with_one_line(port, code, says):
    status, words = bridge("--port", port)
    assert status == code
    line = words.splitlines()[-1]
    assert line.startswith("kittiwake: ") and says in line and "Traceback" not in words


def test_bridge_by_hand_with_a_busy_port_names_who_has_it():
    main, worker = pty.openpty()
    holder = subprocess.Popen([sys.executable, "-c", _HOLD.format(os.ttyname(worker))], stdout=subprocess.PIPE)
    try:
        holder.stdout.readline()
        status, words = bridge("--port", os.ttyname(worker))
        assert status == 4 and "is in use" in words
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
        os.close(main)
        os.close(worker)


def test_bridge_by_hand_without_a_broker_ends_with_one_line():
    main, worker = pty.openpty()
    try:
        status, words = bridge("--port", os.ttyname(worker), "--broker", f"mqtt://127.0.0.1:{free_port()}")
    finally:
        os.close(main)
        os.close(worker)
    assert status == 1 and "nothing listens there" in words.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--config"),
        (["--port", "/dev/x", "--config", "x.toml"], "--config"),
        (["--config", "/nowhere/x.toml"], "bridge init"),
        (["--port", "/dev/x", "--broker", "http://x"], "not an MQTT address"),
        (["check", "--config", "/nowhere/x.toml"], "bridge init"),
    ],
)
def test_bridge_with_wrong_usage_exits_2_with_one_line(arguments, says):
    status, words = bridge(*arguments)
    assert status == 2 and says in words and len(words.splitlines()) == 1


def test_bridge_as_a_service_waits_for_what_is_not_there_and_ends_in_order(tmp_path):
    port = free_port()
    config = tmp_path / "g.toml"
    config.write_text(
        f'[bridge]\nlog = "json"\n[broker]\nurl = "mqtt://127.0.0.1:1"\n[http]\nlisten = "127.0.0.1:{port}"\n'
        '[[devices]]\nport = "/dev/nothing"\n[[devices]]\nport = "auto"\n'
    )
    with BridgeProcess.of_config(config, tmp_path / "log") as process:
        status, body = get_when_up(f"http://127.0.0.1:{port}/healthz")
        assert status == 503
        report = json.loads(body)
        assert not report["broker"]["connected"]
        assert process.is_running
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert any("is not there" in line["message"] for line in lines)
    assert any("nothing listens there" in line["message"] for line in lines)
    assert all(line["level"] in ("info", "warning", "error") for line in lines)


def get_when_up(url):
    def ask():
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return None

    return until(ask, f"an answer of {url}")


@needs_mosquitto
def test_bridge_as_a_service_tells_systemd_and_prometheus_and_releases_by_signal(tmp_path):
    port, main_worker = free_port(), pty.openpty()
    path = os.ttyname(main_worker[1])
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, Mosquitto(tmp_path) as broker:
        notify.bind(str(tmp_path / "notify"))
        notify.settimeout(15)
        config = tmp_path / "g.toml"
        config.write_text(
            f'[broker]\nurl = "{broker.url}"\n[http]\nlisten = "127.0.0.1:{port}"\n[[devices]]\nport = "{path}"\n'
        )
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "600000"}
        with BridgeProcess.of_config(config, tmp_path / "log", **environment) as process:
            told = [notify.recv(4096).decode() for _ in range(6)]
            assert "READY=1" in told
            assert sum("WATCHDOG=1" in message for message in told) >= 4
            until(lambda: get_when_up(f"http://127.0.0.1:{port}/healthz")[0] == 200, "a healthy bridge")
            text = get_when_up(f"http://127.0.0.1:{port}/metrics")[1].decode()
            assert "kittiwake_broker_connected 1.0" in text
            assert get_when_up(f"http://127.0.0.1:{port}/other")[0] == 404
            process.signal(signal.SIGUSR1)
            wait_for(port, lambda device: device["released"])
            process.signal(signal.SIGUSR2)
            wait_for(port, lambda device: not device["released"])
        while "STOPPING=1" not in told:
            told.append(notify.recv(4096).decode())
    for number in main_worker:
        os.close(number)


def wait_for(port, condition):
    url = f"http://127.0.0.1:{port}/healthz"
    until(lambda: condition(json.loads(get_when_up(url)[1])["devices"][0]), "a device that is so")


def test_metrics_of_a_bridge_parse_and_name_every_device():
    from prometheus_client.parser import text_string_to_metric_families

    async def run():
        made = Bridge(settings.of_ports(["/dev/a", "/dev/b"], "mqtt://h", Policy()))
        made.links[0].intake.health = {"heap_free": 4711, "loop_max_us": 2000}
        return Exposition(made).figures.text().decode()

    families = {family.name: family for family in text_string_to_metric_families(asyncio.run(run()))}
    assert {sample.labels["port"] for sample in families["kittiwake_device_lag_records"].samples} == {
        "/dev/a",
        "/dev/b",
    }
    assert families["kittiwake_device_heap_free_bytes"].samples[0].value == 4711
    assert families["kittiwake_device_loop_max_seconds"].samples[0].value == pytest.approx(0.002)
    assert len(families["kittiwake_device_evicted_records"].samples) == 6
    assert all(family.documentation for family in families.values())


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("GET /metrics HTTP/1.1", 200),
        ("HEAD /metrics?x=1 HTTP/1.1", 200),
        ("POST /metrics HTTP/1.1", 405),
        ("GET / HTTP/1.1", 404),
        ("nonsense", 400),
        ("\xff\xfe", 400),
    ],
)
def test_web_answers_a_request_or_says_what_is_wrong(request_line, status):
    async def run():
        ready = asyncio.get_running_loop().create_future()
        pages = {"/metrics": lambda: (200, "text/plain", b"x 1\n")}
        task = asyncio.create_task(web.serve("127.0.0.1:0", pages, ready.set_result))
        reader, writer = await asyncio.open_connection("127.0.0.1", await ready)
        writer.write(request_line.encode("latin-1") + b"\r\nHost: h\r\n\r\n")
        answer = await reader.read()
        writer.close()
        task.cancel()
        return answer

    answer = asyncio.run(run())
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert answer.endswith(b"x 1\n") is (status == 200 and request_line.startswith("GET"))


def test_systemd_without_a_socket_is_silent():
    assert not systemd.notify("READY=1", {})
    assert not systemd.notify("READY=1", {"NOTIFY_SOCKET": "/nowhere/at/all"})


def test_log_as_json_is_one_object_a_line_with_the_traceback_inside():
    try:
        raise ValueError("a\nb")
    except ValueError:
        record = logging.LogRecord("n", logging.ERROR, "f", 1, "x %s", ("é\n",), sys.exc_info())
    line = logs.JsonFormatter().format(record)
    assert "\n" not in line
    assert json.loads(line)["message"] == "x é\n" and "ValueError" in json.loads(line)["error"]


def test_unit_file_is_a_hardened_notify_service_without_root():
    text = (DEPLOY / "systemd" / "kittiwake-bridge.service").read_text()
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read_string(text)
    service = parser["Service"]
    expected = {
        "Type": "notify",
        "DynamicUser": "yes",
        "SupplementaryGroups": "dialout",
        "ProtectSystem": "strict",
        "NoNewPrivileges": "yes",
        "CapabilityBoundingSet": "",
        "DevicePolicy": "closed",
    }
    assert {key: service[key] for key in expected} == expected
    assert int(service["WatchdogSec"]) > 0
    started = re.search(r"kittiwake bridge --config (\S+gateway.toml)", service["ExecStart"])
    # A reload finds the bridge by its configuration, in the folder that systemd makes for it.
    assert service["ExecReload"].endswith(f"/kittiwake bridge reload --config {started[1]}")
    assert service["RuntimeDirectory"] == "kittiwake"
    assert "time-sync.target" in parser["Unit"]["After"].split()
    assert {"MemoryMax", "LogRateLimitIntervalSec", "LogRateLimitBurst"} <= set(service)


@pytest.mark.needs("systemd-analyze")
def test_unit_file_is_taken_by_systemd_and_exposes_little(tmp_path):
    unit = tmp_path / "kittiwake-bridge.service"
    text = (DEPLOY / "systemd" / unit.name).read_text()
    unit.write_text(text.replace("/opt/kittiwake/bin/kittiwake", sys.executable))  # systemd looks whether it is there
    verified = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60)
    assert verified.returncode == 0 and unit.name not in verified.stderr, verified.stderr
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=25", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert judged.returncode == 0, judged.stdout[-300:]
