"""A history behind three NATS servers: its own is killed and comes back, it is killed itself; nothing is missing."""

import os
import random
import threading

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from kittiwake.errors import KittiwakeError
from kittiwake.history import open_history
from tests.history import records
from tests.history.running import Process, times_known
from tests.nats import PASSWORDS, Cluster
from tests.support import chaos_tally
from tests.support.hil import SOAK
from tests.support.waiting import until

pytestmark = pytest.mark.needs("nats-server")

RECORDS = 20_000 if SOAK else 600
EPOCH_MS = records.EPOCH_MS


@pytest.fixture
def cluster(tmp_path):
    with Cluster(tmp_path) as opened:
        yield opened


def publish(cluster, number, messages, on_count):
    """Publish at QoS 1 through a node, a bounded number on the way; returns when all are confirmed."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="publisher", clean_session=False)
    client.username_pw_set("bridge", PASSWORDS["bridge"])
    client.tls_set(str(cluster.certificates / "ca.pem"))
    room, done = threading.Semaphore(100), []

    def confirmed(*_):
        done.append(1)
        room.release()

    client.on_publish = confirmed
    client.connect("127.0.0.1", cluster.mqtt_ports[number])
    client.loop_start()
    for count, (topic, payload) in enumerate(messages):
        assert room.acquire(timeout=60), f"{len(done)} of {count} confirmed"
        client.publish(topic, payload, 1)
        on_count(count)
    until(lambda: len(done) == len(messages), lambda: f"{len(done)} of {len(messages)} confirmed", 120, 0.1)
    client.disconnect()
    client.loop_stop()


def rows(path):
    try:
        with open_history(path) as history:
            return sum(audit.rows for audit in history.audit())
    except KittiwakeError:
        return 0


@pytest.mark.timeout(1800 if SOAK else 300)
def test_records_survive_a_node_and_the_history_killed(cluster, tmp_path, monkeypatch):
    path, log, config = tmp_path / "h.sqlite", tmp_path / "history.log", tmp_path / "history.toml"
    monkeypatch.setitem(os.environ, "KITTIWAKE_BROKER__PASSWORD", PASSWORDS["history"])
    config.write_text(
        f'[broker]\nurl = "{cluster.url(1)}"\nusername = "history"\nca_file = "{cluster.certificates}/ca.pem"\n'
        f'backoff_first_s = 0.1\nbackoff_last_s = 1.0\n[history]\ndatabase = "{path}"\n'
    )
    process = Process(None, None, config, log)
    until(lambda: times_known(log.read_text()), lambda: log.read_text()[-500:], 60, 0.1)
    rng = random.Random(3)
    made = {seq: records.summary(seq, [rng.randint(-99, 99)], seq * 10, epoch_ms=EPOCH_MS) for seq in range(RECORDS)}
    happened = []

    def on_count(count):
        nonlocal process
        if count == RECORDS // 4:
            process.kill()
            process = Process(None, None, config, log)
            happened.append("history killed")
        elif count == RECORDS // 2:
            cluster.kill(1)
            happened.append("node killed")
        elif count == RECORDS * 3 // 4:
            cluster.start(1)
            happened.append("node started")

    publish(cluster, 0, list(made.values()), on_count)
    until(lambda: rows(path) >= RECORDS, lambda: f"{rows(path)} of {RECORDS}: {log.read_text()[-800:]}", 180, 0.5)
    assert process.end()[0] == 130
    assert happened == ["history killed", "node killed", "node started"]
    with open_history(path) as history:
        (audit,) = history.audit()
        kept = {m.seq: m.payload for m in history.messages("summary", limit=RECORDS + 1)}
        assert sum(b.sums.n for b in history.summaries("press-7", "vibration", every_s=86400)) == RECORDS
    assert (audit.rows, audit.missing) == (RECORDS, 0)
    assert kept == {seq: payload.decode() for seq, (_, payload) in made.items()}
    chaos_tally.add(
        f"history behind three NATS nodes: records {RECORDS}, rows {len(kept)}, a node and a history killed"
    )
