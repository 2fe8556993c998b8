"""What is PostgreSQL's own: several writers at a time, partitions, rights, a schema that is newer."""

import random
import subprocess
import threading

import pytest

from kittiwake.errors import KittiwakeError
from kittiwake.history import open_history, postgres_schema
from kittiwake.history.stores import open_store
from tests.history import records
from tests.history.records import DEVICE, EPOCH_MS, put
from tests.history.test_times import defined_times
from tests.postgres import Postgres
from tests.support.repository import ROOT
from tools import system

pytestmark = pytest.mark.needs("pg_ctlcluster")
WEEK_MS = postgres_schema.WEEK_MS
SCRIPT = ROOT / "deploy" / "postgresql" / "history.sql"


@pytest.mark.parametrize("seed", range(3))
def test_writers_at_the_same_time_make_one_history(postgres, seed):
    """Boots that learn the time late, copies among the writers, all in disorder: rows, times, sums as defined."""
    rng = random.Random(seed)
    messages, seq, samples = [], 0, {}
    for boot in range(1, 9):
        known_ms, known_from = 0, rng.choice((0, 20, 40, 1000))
        for minute in range(60):
            uptime_ms = minute * 60_000 + 7
            if minute == known_from:
                known_ms = EPOCH_MS + boot * 7_200_000
                messages.append(records.time_told(seq, known_ms + uptime_ms, uptime_ms, boot=boot))
                seq += 1
            samples[seq] = [rng.randint(-9, 9) for _ in range(3)]
            messages.append(records.summary(seq, samples[seq], uptime_ms, boot=boot, epoch_ms=known_ms))
            seq += 1
    failures = []

    def write(part):
        store = open_store(postgres.url)
        try:
            while part:
                count = random.Random(len(part)).randint(1, 25)
                put(store, *part[:count])
                part = part[count:]
        except Exception as error:  # noqa: BLE001 (told below)
            failures.append(error)
        store.close()

    open_store(postgres.url).write([], EPOCH_MS)
    parts = [[], [], []]
    for message in messages:
        for part in rng.sample(parts, rng.choice((1, 1, 2))):
            part.append(message)
    threads = []
    for part in parts:
        rng.shuffle(part)
        threads.append(threading.Thread(target=write, args=(part,)))
        threads[-1].start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    expected = defined_times(messages)
    with open_history(postgres.url) as history:
        kept = [m for kind in ("summary", "time") for m in history.messages(kind, limit=10_000)]
        assert len(kept) == len(messages)
        times = {(m.body["boot"], m.seq): None if m.ts is None else round(m.ts.timestamp() * 1000) for m in kept}
        assert times == expected
        for every_s in (60, 3600, 86400):
            wanted = {}
            for (_, number), ts_ms in expected.items():
                if number in samples and ts_ms is not None:
                    wanted.setdefault(ts_ms // 1000 // every_s * every_s, []).extend(samples[number])
            buckets = history.summaries(DEVICE, "vibration", every_s=every_s)
            found = {round(b.start.timestamp()): b.sums[:5] for b in buckets}
            assert found == {
                start: (len(xs), sum(xs), sum(x * x for x in xs), min(xs), max(xs)) for start, xs in wanted.items()
            }


def partitions(server):
    question = "SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
    return {name for (name,) in server.run(f"{question} WHERE nspname = 'kittiwake' AND relname ~ '^records_'")}


def test_partitions_are_made_ahead_and_for_what_comes_late_but_not_for_wrong_clocks(postgres):
    store = open_store(postgres.url)
    week = EPOCH_MS // WEEK_MS
    wrong = [records.event(seq, "x", 5, epoch_ms=ms) for seq, ms in enumerate((86_400_000, EPOCH_MS + 50 * WEEK_MS))]
    put(store, *wrong, records.event(2, "late", 5, epoch_ms=EPOCH_MS - 9 * WEEK_MS))
    weeks = {name.rsplit("_", 1)[1] for name in partitions(postgres) if name[-1].isdigit()}
    assert weeks == {str(week), str(week + 1), str(week - 9)}
    assert postgres.run("SELECT count(*) FROM records_alert_other") == [(2,)]
    # When that week has come its record lies in its partition, and a copy of it is known.
    later_ms = EPOCH_MS + 50 * WEEK_MS
    written = put(store, wrong[1], records.event(3, "y", 5, epoch_ms=later_ms), arrived_ms=later_ms)
    assert (written.new, written.known) == (1, 1)
    assert postgres.run("SELECT count(*) FROM records_alert_other") == [(1,)]
    assert postgres.run(f"SELECT count(*) FROM records_alert_{later_ms // WEEK_MS}") == [(2,)]
    store.close()


def test_newer_schema_is_refused_and_says_so(postgres):
    store = open_store(postgres.url)
    put(store, records.event(1, "x", 5))
    store.close()
    postgres.run("UPDATE version SET version = version + 1")
    told = f"has schema {postgres_schema.VERSION + 1}, this program knows {postgres_schema.VERSION}"
    with pytest.raises(KittiwakeError, match=told):
        put(open_store(postgres.url), records.event(2, "x", 5))
    with pytest.raises(KittiwakeError, match=told):
        open_history(postgres.url)


def test_views_take_what_json_takes_and_postgres_does_not(postgres):
    store = open_store(postgres.url)
    body = b'{"device":"p","journal":"1122334455667788","seq":1,"boot":1,"uptime_ms":1,"text":"a\\u0000b\\t\\\\n\\""}'
    body += b"\r\n\t"
    put(store, ("kittiwake/p/event", body), ("kittiwake/p/event/c\0d", body.replace(b'"seq":1', b'"seq":2')))
    assert postgres.run("SELECT payload FROM messages WHERE seq = 1") == [(body.decode(),)]
    assert postgres.run("SELECT device, code, text FROM events") == [("p", None, None)] * 2
    assert postgres.run("SELECT channel FROM messages WHERE seq = 2") == [("c\N{REPLACEMENT CHARACTER}d",)]
    store.close()


def test_script_makes_a_database_in_which_the_reader_only_reads(tmp_path):
    with Postgres(owner="postgres") as server:
        psql = [
            system.find("psql"),
            "-v",
            "ON_ERROR_STOP=1",
            server.url,
            "-f",
            str(ROOT / "deploy/postgresql/history.sql"),
        ]
        done = subprocess.run(psql, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        address = f"postgresql://kittiwake@127.0.0.1:{server.port}/history"
        store = open_store(address)
        assert put(store, records.event(1, "x", 5)).new == 1
        reader = address.replace("kittiwake@", "kittiwake_reader@")
        with open_history(reader) as history:
            assert history.audit()[0].rows == 1
        with pytest.raises(KittiwakeError, match="cannot be written"):
            put(open_store(reader), records.event(2, "x", 5))
        store.close()
