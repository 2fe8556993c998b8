"""Inference service and window export like the bridge: figures and log over OTLP, security events over syslog."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from tests.mosquitto import Mosquitto
from tests.observability.collector import Collector, attributes
from tests.observability.log_receiver import LogReceiver
from tests.serve import models
from tests.serve.running import Service
from tests.support.free_ports import free_port
from tests.support.processes import dying_with_us
from tests.support.waiting import until
from tests.window.plant import Command

pytestmark = pytest.mark.timeout(90)
TOKEN = "token-Zq7vX1kPw93"
ROW = {"features": [1, 2, 3, 4]}


@pytest.fixture
def receiver(certs):
    receiver = LogReceiver(free_port(), certs)
    receiver.start("broker")
    yield receiver
    receiver.stop()


def exports(collector, receiver, certs, folder):
    """Both sections of a configuration."""
    return (
        f'[otlp]\nendpoint = "{collector.url}"\nevery_s = 0.2\n'
        f'[syslog]\nserver = "127.0.0.1:{receiver.port}"\nca_file = "{certs}/ca.pem"\nfolder = "{folder}"\n'
    )


def test_service_exports_figures_log_and_refused_requests_over_the_death_of_its_worker(tmp_path, certs, receiver):
    models.put(tmp_path / "anomaly_detector.onnx", models.classifier())
    (tmp_path / "token").write_text(TOKEN + "\n")
    with Collector() as collector:
        (tmp_path / "serve.toml").write_text(
            f'[serve]\nmodels = "{tmp_path}"\ntoken_file = "{tmp_path}/token"\n'
            + exports(collector, receiver, certs, tmp_path)
        )
        service = Service(None, tmp_path / "log", "--config", str(tmp_path / "serve.toml"))
        right, wrong = ({"Authorization": f"Bearer {word}"} for word in (TOKEN, "wrong-" + TOKEN))
        try:
            assert service.get("/predict", ROW, right)[0] == 200
            assert service.get("/predict", ROW, wrong)[0] == 401
            until(lambda: receiver.names() == ["request.refused"], receiver.names, 20)
            lines = lambda: [attributes(line.attributes) for _, line in collector.lines]  # noqa: E731
            refused = lambda: sum(line.get("event") == "request.refused" and line["security"] for line in lines())  # noqa: E731
            requests = lambda: collector.counted("kittiwake-serve", "kittiwake_serve_requests_total")  # noqa: E731
            until(lambda: requests() == 2, lambda: f"{requests()} requests, of 2", 20)
            until(lambda: refused() == 1, lambda: f"{refused()} refused, of 1", 20)
            worker = service.worker()
            os.kill(worker, signal.SIGKILL)
            until(lambda: service.worker() != worker, "another worker", 20)
            assert service.get("/predict", ROW, wrong)[0] == 401
            until(lambda: receiver.names() == ["request.refused"] * 2, receiver.names, 20)
        finally:
            assert service.stop() == 0
        assert refused() == 2, "a service that ends sends what waits"
        assert {message["app"] for message in receiver.messages} == {"kittiwake-serve"}
        with sqlite3.connect(tmp_path / "serve.events.sqlite") as kept:
            assert kept.execute("SELECT count(*) FROM event").fetchone() == (0,)
        said = receiver.raw + collector.raw + (tmp_path / "log").read_bytes()
        assert TOKEN.encode() not in said, "a secret went out"


@pytest.mark.needs("mosquitto")
def test_window_exports_figures_and_refused_log_ins(tmp_path, certs, receiver):
    subprocess.run(
        [sys.executable, "-m", "kittiwake", "window", "user", "add", "ann", "--users", str(tmp_path / "users")],
        input="right-Zq7vX1kPw93\n",
        text=True,
        check=True,
        capture_output=True,
    )
    port = free_port()
    with Collector() as collector, Mosquitto(tmp_path) as broker:
        (tmp_path / "gateway.toml").write_text(
            f'[broker]\nurl = "{broker.url}"\n[bridge]\nlog = "json"\n'
            f'[window]\nlisten = "127.0.0.1:{port}"\nusers = "{tmp_path}/users"\nnotes = "{tmp_path}/notes.sqlite"\n'
            f'[[devices]]\nport = "{tmp_path}/tty"\n' + exports(collector, receiver, certs, tmp_path)
        )
        window = Command(["window", "--config", str(tmp_path / "gateway.toml")], tmp_path / "window.log")
        window.start()
        try:
            until(lambda: "window: http" in window.text, lambda: window.text, 20)
            body = json.dumps({"name": "ann", "password": "wrong-Zq7vX1kPw93"}).encode()
            headers = {"Content-Type": "application/json", "Origin": f"http://127.0.0.1:{port}"}
            request = urllib.request.Request(f"http://127.0.0.1:{port}/api/log-in", body, headers)
            with pytest.raises(urllib.error.HTTPError, match="401|403"):
                urllib.request.urlopen(request, timeout=10)
            until(lambda: receiver.names() == ["user.refused"], lambda: f"{receiver.names()} {window.text}", 20)
            logins = lambda: collector.counted("kittiwake-window", "kittiwake_window_refused_logins_total")  # noqa: E731
            until(lambda: logins() == 1, lambda: f"{logins()} refused log-ins, of 1", 20)
            events = lambda: [line.event_name for who, line in collector.lines if who == "kittiwake-window"]  # noqa: E731
            until(lambda: {"broker.connected", "user.refused"} <= set(events()), events, 20)
        finally:
            window.stop()
        assert b"Zq7vX1kPw93" not in receiver.raw + collector.raw + window.text.encode(), "a secret went out"


def test_service_without_the_packages_for_its_export_says_which(tmp_path):
    """The worker is not even begun: a service that would export nothing must not look as if it did."""
    models.put(tmp_path / "anomaly_detector.onnx", models.classifier())
    (tmp_path / "serve.toml").write_text(
        f'[serve]\nmodels = "{tmp_path}"\n[otlp]\nendpoint = "http://127.0.0.1:1"\nca_file = "{tmp_path}/none.pem"\n'
    )
    command = [sys.executable, "-m", "kittiwake", "serve", "--config", str(tmp_path / "serve.toml")]
    done = subprocess.run(dying_with_us(command), capture_output=True, text=True, timeout=30)
    assert done.returncode == 2 and "otlp.ca_file" in done.stderr and "none.pem" in done.stderr
