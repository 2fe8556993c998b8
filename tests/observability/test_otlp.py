"""OTLP for real: a device, a bridge, a history, decisions, and an endpoint that decodes the protobuf or is away."""

import asyncio
import hashlib
import re
import signal
import subprocess
import sys
import time

import pytest

from kittiwake_node.link import payload
from kittiwake_node.link import record as rec
from tests.mosquitto import Mosquitto
from tests.observability.collector import Collector, attributes
from tests.serve import models
from tests.support.free_ports import free_port
from tests.support.processes import BridgeProcess, dying_with_us
from tests.support.waiting import until_async
from tools.devices import EPOCH_MS, Device
from tools.virtual_ports import PtyPort

pytestmark = [pytest.mark.needs("mosquitto"), pytest.mark.timeout(120)]
COUNT = 5
ALL = COUNT + 1  # the boot's record, too
RULE = '[[decide.rules]]\nname = "worn"\nmodel = "detector"\nfeatures = ["n", "mean", "low", "high"]\n'


def digest(device, seq, step=""):
    """As docs/howto/observability.md defines the ids."""
    journal = f"{device.journal.id:016x}"
    return hashlib.sha256(f"{device.name}/{journal}/{seq}/{step}".encode()).digest()


def write(folder, broker, device, endpoint):
    otlp = f'[otlp]\nendpoint = "{endpoint}"\nevery_s = 0.2\ntrace_share = 1.0\n'
    address = f'[broker]\nurl = "{broker.url}"\nbackoff_first_s = 0.1\nbackoff_last_s = 0.2\n'
    gateway = f'{address}[bridge]\nlog = "json"\n{otlp}[[devices]]\nport = "{device.port.url}"\n'
    gateway += f'[decide]\nmodels = "{folder}/models"\n{RULE}'
    (folder / "gateway.toml").write_text(gateway)
    (folder / "history.toml").write_text(f'{address}{otlp}[history]\ndatabase = "{folder}/history.sqlite"\n')


def start(command, log):
    with open(log, "wb") as file:
        return subprocess.Popen(dying_with_us(command), stderr=file)


@pytest.fixture
def run(tmp_path):
    """Runs work(device, bridge) with a history and decisions that export to an endpoint; all end after it."""
    (tmp_path / "models").mkdir()
    models.put(tmp_path / "models" / "detector.onnx", models.classifier())

    def run_(endpoint, work):
        async def all_of_it():
            device = Device("press-7", PtyPort(f"{tmp_path}/tty"))
            write(tmp_path, broker, device, endpoint)
            bridge = BridgeProcess.of_config(tmp_path / "gateway.toml", tmp_path / "bridge.log")
            kittiwake = [sys.executable, "-m", "kittiwake"]
            history = [*kittiwake, "history", "run", "-c", f"{tmp_path}/history.toml"]
            decide = [*kittiwake, "decide", "-c", f"{tmp_path}/gateway.toml"]
            device.start()
            bridge.start()
            logs = [tmp_path / "history.log", tmp_path / "decide.log"]
            others = [start(each, log) for each, log in zip((history, decide), logs, strict=True)]
            try:
                await until_async(lambda: all("connected to broker" in log.read_text() for log in logs), "no broker")
                await work(device, bridge)
                bridge.signal(signal.SIGTERM)
                for process in others:
                    process.terminate()
                begin = time.monotonic()
                codes = [await asyncio.to_thread(process.wait, 15) for process in (*others, bridge._process)]
                assert codes == [0, 0, 0]
                return time.monotonic() - begin
            finally:
                device.stop()
                for process in others:
                    process.kill()
                    process.wait()
                if bridge.is_running:
                    bridge.kill()

        with Mosquitto(tmp_path) as broker:
            return asyncio.run(all_of_it())

    return run_


def test_each_record_has_one_trace_from_sample_to_row_and_figures_and_log_are_there(run):
    with Collector() as collector:

        async def work(device, bridge):
            def connected(service):
                return any(line.event_name == "broker.connected" for who, line in collector.lines if who == service)

            for service in ("kittiwake-bridge", "kittiwake-history", "kittiwake-decide"):
                await until_async(lambda service=service: connected(service), f"{service} is not connected")
            for _ in range(COUNT):
                device.add(rec.SUMMARY, payload.pack_summary(5, 400, 410, 0, 2020, 816100, 5, 0))
            await until_async(lambda: len(collector.spans) >= 3 * ALL, lambda: f"{len(collector.spans)} spans")
            check_traces(device)
            await until_async(
                lambda: (
                    (
                        collector.counted("kittiwake-bridge", "kittiwake_device_records_total"),
                        collector.counted("kittiwake-history", "kittiwake_history_rows_total"),
                        collector.counted("kittiwake-decide", "kittiwake_decide_decisions_total"),
                    )
                    == (ALL, ALL, COUNT)
                ),
                lambda: f"no figures of {COUNT} records",
            )

        def check_traces(device):
            by_id = {span.span_id: (service, span) for service, span in collector.spans}
            assert len(by_id) == len(collector.spans) == 3 * ALL
            for seq in range(ALL):
                trace_id = digest(device, seq)[:16]
                service, sample = by_id.pop(digest(device, seq, "sample")[:8])
                assert (service, sample.name, sample.parent_span_id) == ("kittiwake-bridge", "sample", b"")
                assert sample.start_time_unix_nano == EPOCH_MS * 1_000_000 < sample.end_time_unix_nano
                for name, who in (("publish", "kittiwake-bridge"), ("row", "kittiwake-history")):
                    service, span = by_id.pop(digest(device, seq, name)[:8])
                    assert (service, span.name, span.parent_span_id) == (who, name, sample.span_id)
                    assert sample.end_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
                    assert span.trace_id == sample.trace_id == trace_id
                    identity = {"device": "press-7", "journal": f"{device.journal.id:016x}", "seq": seq}
                    assert attributes(span.attributes) == identity | {"kind": "summary" if seq else "boot"}

        run(collector.url, work)
        histogram = collector.figures["kittiwake-decide", "kittiwake_decide_seconds"].histogram
        (point,) = histogram.data_points
        assert sum(point.bucket_counts) == point.count == COUNT and histogram.aggregation_temporality == 2
        assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
        rows = collector.figures["kittiwake-history", "kittiwake_history_rows_total"].sum
        assert rows.is_monotonic and rows.aggregation_temporality == 2
        assert ("kittiwake-bridge", "process_resident_memory_bytes") in collector.figures


def test_collector_that_is_away_costs_no_record_and_holds_no_process_back(run, tmp_path):
    endpoint = f"http://127.0.0.1:{free_port()}"

    async def work(device, bridge):
        log = tmp_path / "bridge.log"
        await until_async(lambda: re.search("Failed to export|Transient", log.read_text()), "no complaint")
        for _ in range(COUNT):
            device.add(rec.SUMMARY, payload.pack_summary(5, 400, 410, 0, 2020, 816100, 5, 0))
        await until_async(lambda: device.journal.acked == ALL, "records stay with the device")

    assert run(endpoint, work) < 14
