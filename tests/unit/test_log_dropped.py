"""Lines that the log's limits left out are told: /metrics and /healthz have their number."""

import json
import logging
import os
import pty
import time
import urllib.error
import urllib.request

from kittiwake.peers.complaints import Complaints
from tests.support.free_ports import free_port
from tests.support.processes import BridgeProcess
from tests.support.waiting import until

LINES = 2000
TOTAL = "kittiwake_log_lines_dropped_total "


def page(port, name):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{name}", timeout=5) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:  # healthz, without a broker
        return error.read().decode()
    except OSError:
        return ""


def figure(metrics, name):
    for line in metrics.splitlines():
        if line.startswith(name):
            return float(line.split()[-1])
    return None


def test_log_lines_that_a_devices_noise_costs_are_told(tmp_path):
    main, worker = pty.openpty()
    http, config = free_port(), tmp_path / "gateway.toml"
    config.write_text(
        f'[broker]\nurl = "mqtt://127.0.0.1:1"\n[http]\nlisten = "127.0.0.1:{http}"\n'
        f'[[devices]]\nport = "{os.ttyname(worker)}"\n'
    )
    with BridgeProcess.of_config(config, tmp_path / "log"):
        until(lambda: figure(page(http, "metrics"), TOTAL) == 0, "a page")
        for number in range(LINES):
            os.write(main, f"noise {number} {'x' * 60}\r\n".encode())
            if number % 20 == 19:
                time.sleep(0.001)  # the line's buffer is small
        until(lambda: figure(page(http, "metrics"), TOTAL) > 0.8 * LINES, lambda: page(http, "metrics"))
        metrics = page(http, "metrics")
        # The first that is dropped is told of, and that line is no dropped one.
        assert figure(metrics, TOTAL) == figure(metrics, "kittiwake_device_console_lines_dropped_total{") - 1
        assert json.loads(page(http, "healthz"))["log"]["lines_dropped"] >= figure(metrics, TOTAL)
        assert 0 < (tmp_path / "log").read_text().count("console: noise") < 200
    os.close(main)
    os.close(worker)


def test_complaints_that_are_not_logged_are_counted_over_all_kinds(caplog):
    before, log = Complaints.all_dropped, logging.getLogger("test")
    kinds = [Complaints(log, 60.0, lambda: 0.0) for _ in range(3)]
    for kind in kinds:
        for _ in range(5):
            kind.tell("again")
    assert Complaints.all_dropped - before == 12 and len(caplog.records) == 3
