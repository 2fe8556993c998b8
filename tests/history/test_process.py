"""The process as an operator sees it: its log, /metrics, retention, a server that is gone or has a new password."""

import asyncio
import os
import urllib.request

import pytest

from kittiwake.history import metrics, open_history
from kittiwake.history.retention import DAY_MS
from kittiwake.history.service import HistoryService
from kittiwake.history.settings import HistorySection, RetentionSection, Settings
from kittiwake.history.stores import open_store
from kittiwake.mqtt.settings import BrokerSection
from tests.history import records
from tests.history.running import Publisher
from tests.mosquitto import Mosquitto
from tests.postgres import Postgres
from tests.support import promtool
from tests.support.free_ports import free_port
from tests.support.waiting import until_async

pytestmark = pytest.mark.needs("mosquitto")
EPOCH_MS = records.EPOCH_MS


@pytest.fixture
def broker(tmp_path):
    (tmp_path / "broker").mkdir()
    with Mosquitto(tmp_path / "broker") as opened:
        yield opened


def run_service(settings, store, work):
    """Run a service while `work(service)` does; returns it."""

    async def main():
        service = HistoryService(settings, store)
        task = asyncio.create_task(service.run())
        try:
            await until_async(lambda: service.mqtt.is_connected, "a connection")
            await work(service)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            store.close()
        return service

    return asyncio.run(asyncio.wait_for(main(), 90))


def figures(port):
    text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
    lines = [line.split(" ") for line in text.splitlines() if not line.startswith("#")]
    return text, {name.removeprefix("kittiwake_history_"): float(value) for name, value in lines}


@pytest.mark.needs("promtool")
def test_metrics_are_what_the_process_counts_and_prometheus_takes_them(broker, tmp_path):
    port = free_port()
    settings = Settings(broker=BrokerSection(url=broker.url))
    seen = {}

    async def work(service):
        server, _ = metrics.serve(service, f"127.0.0.1:{port}")
        publisher = Publisher(broker)
        for seq in range(20):
            publisher.send(*records.event(seq, "x", seq, epoch_ms=EPOCH_MS))
        publisher.send(*records.event(0, "x", 0, epoch_ms=EPOCH_MS))
        publisher.send("kittiwake/press-7/status", b"online")
        await until_async(lambda: service.counts.new == 20 and service.counts.known and service.counts.others)
        seen["text"], seen["figures"] = await asyncio.to_thread(figures, port)
        server.shutdown()
        server.server_close()
        publisher.close()

    run_service(settings, open_store(str(tmp_path / "h.sqlite")), work)
    told = seen["figures"]
    assert (told["rows_total"], told["copies_total"], told["other_messages_total"]) == (20, 1, 1)
    assert (told["database_working"], told["broker_connected"], told["waiting_rows"]) == (1, 1, 0)
    assert told["altered_copies_total"] == told["failed_transactions_total"] == 0 and "lag_seconds" in told
    assert promtool.complaints(seen["text"].encode()) == []


def test_retention_runs_beside_the_writing(broker, tmp_path):
    path = str(tmp_path / "h.sqlite")
    store = open_store(path)
    now_ms = EPOCH_MS + 100 * DAY_MS
    old = [records.summary(seq, [seq], seq, epoch_ms=EPOCH_MS) for seq in range(5000)]
    records.put(store, *old, records.event(5000, "x", 1, epoch_ms=EPOCH_MS))
    settings = Settings(broker=BrokerSection(url=broker.url), retention=RetentionSection(telemetry_days=30, every_s=1))

    async def work(service):
        service._wall_ms = lambda: now_ms
        publisher = Publisher(broker)
        publisher.send(*records.summary(5001, [1], 1, epoch_ms=now_ms))
        await until_async(lambda: service.counts.dropped == 5000 and service.counts.new == 1)
        publisher.close()

    assert run_service(settings, store, work).counts.dropped_bytes > 5000 * 200
    with open_history(path) as history:
        (audit,) = history.audit()
        assert (audit.rows, audit.dropped, audit.missing) == (2, 5000, 0)
        assert sum(b.sums.n for b in history.summaries("press-7", "vibration", every_s=86400)) == 5001


@pytest.mark.needs("pg_ctlcluster")
def test_server_that_is_gone_then_has_another_password_gets_everything_after(broker, tmp_path, monkeypatch, caplog):
    """One line in the log for each reason, a state in the figures, and no record is lost or there twice."""
    passwords = tmp_path / "pgpass"
    monkeypatch.setenv("PGPASSFILE", str(passwords))

    def write_password(word):
        passwords.write_text(f"127.0.0.1:*:*:kittiwake:{word}\n")
        os.chmod(passwords, 0o600)

    write_password("first")
    with Postgres(auth="scram-sha-256") as server:
        settings = Settings(
            broker=BrokerSection(url=broker.url), history=HistorySection(database=server.url, retry_s=0.2)
        )
        problems = []

        async def work(service):
            publisher = Publisher(broker)
            sent = 0

            def send(count):
                nonlocal sent
                for seq in range(sent, sent + count):
                    publisher.send(*records.event(seq, "x", seq, epoch_ms=EPOCH_MS))
                sent += count

            async def all_there():
                await until_async(lambda: service.counts.new == sent and not service.problem, "all rows", 40)

            send(300)
            await all_there()
            server.kill()
            send(700)
            await until_async(lambda: service.counts.failures > 2, "a server that is missed", 40)
            problems.append(service.problem)
            server.start()
            await all_there()
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid()"
            server.run(f"ALTER ROLE kittiwake PASSWORD 'second'; {ended}")
            before = service.counts.failures
            send(500)
            await until_async(lambda: service.counts.failures > before + 2, "a refusal", 40)
            problems.append(service.problem)
            write_password("second")
            await all_there()
            publisher.close()

        with caplog.at_level("INFO", "kittiwake.history"):
            service = run_service(settings, open_store(server.url), work)
        assert "connection" in problems[0] and "password authentication failed" in problems[1]
        assert (service.counts.new, service.counts.altered) == (1500, 0)
        with open_history(server.url) as history:
            (audit,) = history.audit()
        assert (audit.rows, audit.missing) == (1500, 0)
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == len(set(warnings)) <= 6
    assert not any("second" in warning or "first" in warning for warning in warnings)


def test_address_of_metrics_that_is_taken_is_one_error(broker):
    from kittiwake.errors import ConfigError

    with pytest.raises(ConfigError, match=r"\[http\] listen"):
        metrics.serve(None, f"127.0.0.1:{broker.port}")
