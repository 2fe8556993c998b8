"""The chaos test's ledger, on to the database: bridge, broker, histories and PostgreSQL fail, and each record is a row.

Devices are the firmware's sessions over bad lines; two history processes write each record, and the database keeps it
once. It is held against what the devices made, against an independent ledger of what the broker said, and against
roll-ups that are made from nothing.
"""

import asyncio
import json
from collections import Counter

import psycopg
import pytest

from kittiwake.history import open_history
from kittiwake.history.row import read
from kittiwake.history.stores import open_store
from tests.chaos import chaos
from tests.history.running import Process, times_known, wait_until_saved
from tests.mosquitto import Mosquitto
from tests.postgres import Postgres
from tests.support import chaos_tally
from tests.support.hil import SOAK
from tests.support.waiting import until
from tools.devices import EPOCH_MS

pytestmark = [pytest.mark.needs("mosquitto"), pytest.mark.needs("pg_ctlcluster")]

RECORDS = 200_000 if SOAK else 10_000
MIB = 1 << 20
FULL = "could not extend file"
HISTORY_KINDS = ("history a killed", "history b killed", "database killed", "database full")
LIMIT_S = 900 if SOAK else 120


class SavedMosquitto(Mosquitto):
    """Is killed only when its disk has what it has confirmed: Mosquitto confirms first, and saves later.

    It saves when it is told to: it writes all that it has each time, and does nothing else meanwhile. Regression: saved
    every second, 90 MB of queued records took longer than that, and it read a packet between two of them.
    """

    bridge = None

    def __init__(self, folder, config):
        super().__init__(folder, f"{config}\nautosave_on_changes false\nautosave_interval 0")

    def kill(self):
        self.bridge.freeze()
        wait_until_saved(self, self.save)
        super().kill()
        self.bridge.thaw()


class Run(chaos.Run):
    """A chaos run whose records go on into PostgreSQL.

    Args:
        server: that they go to.
        folder, more: as chaos.Run's.
    """

    broker_class = SavedMosquitto

    def __init__(self, server, folder, **more):
        super().__init__(folder, **more)
        self.server, self.histories = server, {}

    async def _kill_broker(self):
        await asyncio.to_thread(self.broker.kill)

    async def _run(self):
        for name in "ab":
            self._start_history(name)
        try:
            await asyncio.to_thread(until, self._are_known, "histories that the broker knows", 60)
            await super()._run()
            await asyncio.to_thread(until, self._is_complete, self._behind, LIMIT_S, 0.5)
        finally:
            ends = [process.end() for process in self.histories.values()]
        assert [code for code, _ in ends] == [130, 130]

    def _bridge_started(self):
        self.broker.bridge = self.bridge

    def _start_history(self, name):
        config = self.folder / f"history-{name}.toml"
        config.write_text(
            f'[broker]\nurl = "{self.broker.url}"\nclient_id = "history-{name}"\nbackoff_first_s = 0.1\n'
            f'backoff_last_s = 0.5\n[history]\ndatabase = "{self.server.url}"\nretry_s = 0.2\n'
        )
        self.histories[name] = Process(self.broker, None, config, self.folder / f"history-{name}.log")

    def _fill_disk(self):
        before = self._log().count(FULL)
        until(lambda: self.server.largest_bytes() >= MIB, "a large file", LIMIT_S)
        self.server.limit_files(MIB)
        until(lambda: self._log().count(FULL) > before, "a database that is full", LIMIT_S)
        self.server.limit_files(None)

    def _log(self):
        return "".join((self.folder / f"history-{name}.log").read_text() for name in "ab")

    def _are_known(self):
        return times_known(self._log()) >= 2

    def _rows(self):
        try:
            return self.server.run("SELECT count(*) FROM records")[0][0]
        except psycopg.Error:
            return 0

    def _is_complete(self):
        return self._rows() >= len(self.made)

    def _behind(self):
        return f"{self._rows()} of {len(self.made)} rows: {self._log()[-2000:]}"

    async def _disasters(self):
        await asyncio.gather(super()._disasters(), self._disasters_of_the_history())

    async def _disasters_of_the_history(self):
        coming = []
        while not self.is_over and self.figures.events["database full"] < (8 if SOAK else 1):
            if not coming:
                coming = list(HISTORY_KINDS)
            what = coming.pop(0)
            await asyncio.sleep(self.rng.uniform(0.2, 1.8) * self.pause_s)
            self.figures.events[what] += 1
            if what == "database killed":
                await asyncio.to_thread(self.server.kill)
                await asyncio.sleep(self.rng.random())
                self.server.start()  # by a thread of its own it would end with that thread
            elif what == "database full":
                await asyncio.to_thread(self._fill_disk)
            else:
                name = what.split()[1]
                self.histories[name].kill()
                self._start_history(name)


def first_payloads(path):
    """{key: payload} of the ledger: what the broker said of each record first."""
    first = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            text = json.loads(line)["payload"]
            if text.startswith("{"):
                body = json.loads(text)
                first.setdefault((body["device"], int(body["journal"], 16), body["seq"]), text)
    return first


def expected_buckets(made, every_s):
    """{(device, start): (n, s, q, min, max)} of the summaries that the devices made."""
    sums = {}
    for (device, _, _), (kind, must) in made.items():
        if kind == "summary":
            start = (EPOCH_MS + must["uptime_ms"]) // 1000 // every_s * every_s
            n, s, q, least, most = sums.get((device, start), (0, 0, 0, 1 << 40, -(1 << 40)))
            values = n + must["n"], s + must["s"], q + must["q"], min(least, must["min"]), max(most, must["max"])
            sums[device, start] = values
    return sums


@pytest.mark.timeout(3600 if SOAK else 300)
def test_each_record_is_one_row_through_bridge_broker_histories_and_database(tmp_path):
    more = {"pause_s": 3.0, "most_disasters": 90} if SOAK else {"pause_s": 0.6, "most_disasters": 14}
    # Small pieces, so that a file of the server reaches the limit that stands for a full disk.
    with Postgres(initdb=("--wal-segsize=1",), config="max_wal_size = 64MB") as server:
        run = Run(server, tmp_path, seed=5, records=RECORDS, **more)
        result = run.go()
        assert (result.lost, result.altered, result.unknown) == (0, 0, 0)
        assert result.events.keys() == {*chaos.KINDS, *HISTORY_KINDS}
        rows = server.run("SELECT device, journal, seq, kind, channel, payload FROM messages")
        keys = Counter((device, int(journal, 16), seq) for device, journal, seq, *_ in rows)
        assert keys.keys() == run.made.keys() and set(keys.values()) == {1}
        first = first_payloads(tmp_path / "ledger.jsonl")
        assert {(device, int(journal, 16), seq): text for device, journal, seq, _, _, text in rows} == first
        again = open_store(str(tmp_path / "again.sqlite"))
        topics = [f"kittiwake/{device}/{kind}/{channel}" for device, _, _, kind, channel, _ in rows]
        again.write([read(topic, row[5].encode()) for topic, row in zip(topics, rows, strict=True)], EPOCH_MS)
        again.close()
        with open_history(server.url) as history, open_history(tmp_path / "again.sqlite") as from_nothing:
            assert [audit.missing for audit in history.audit()] == [0] * chaos.DEVICES
            for every_s in (60, 3600, 86400):
                expected = expected_buckets(run.made, every_s)
                for device in {device for device, _ in expected}:
                    buckets = history.summaries(device, "vibration", every_s=every_s)
                    assert buckets == from_nothing.summaries(device, "vibration", every_s=every_s)
                    found = {(device, round(b.start.timestamp())): b.sums[:5] for b in buckets}
                    assert found == {key: sums for key, sums in expected.items() if key[0] == device}
    happened = ", ".join(f"{name} {count}" for name, count in sorted(result.events.items()))
    chaos_tally.add(f"history: records {len(run.made)}, rows {len(rows)}, each once (PostgreSQL; {happened})")
