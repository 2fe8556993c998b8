"""The made fleet: all that its devices made is at the broker, and in a history that listened; a seed is a life."""

import json
import subprocess
import sys

import pytest

from kittiwake.history import open_history
from kittiwake.simulate.device import Happened, SimulatedDevice, gateway_session
from kittiwake_node.link import record as rec
from tests.history.running import Process, times_known
from tests.mosquitto import Mosquitto
from tests.support.processes import dying_with_us
from tests.support.waiting import until

UTC_MS = 1_800_000_000_000


def history_of_a_fleet(tmp_path, *options):
    """What a fleet with faults says became of it, and the audits and the history of a process that listened."""
    path, log = tmp_path / "h.sqlite", tmp_path / "log"
    with Mosquitto(tmp_path) as broker:
        process = Process(broker, path, log=log)
        until(lambda: times_known(log.read_text()), "a history that the broker knows", 30)
        command = [sys.executable, "-m", "kittiwake", "simulate", "--broker", broker.url, "--json", "--seed", "3"]
        done = subprocess.run(dying_with_us([*command, *options]), capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stderr
        outcome = json.loads(done.stdout)

        def audits():
            with open_history(path) as history:
                return history.audit()

        until(lambda: sum(a.rows for a in audits()) >= outcome["records"], "every row", 60, 0.2)
        assert process.end()[0] == 130
    assert outcome["records"] == outcome["confirmed"] == sum(a.rows for a in audits()) and outcome["left"] == 0
    assert {a.missing for a in audits()} == {0}
    return outcome, audits(), path


@pytest.mark.needs("mosquitto")
def test_history_has_every_record_that_a_fleet_with_faults_made(tmp_path):
    options = ["--devices", "40", "--rate", "400", "--seconds", "4", "--bridges", "2"]
    outcome, audits, path = history_of_a_fleet(tmp_path, *options)
    assert len(audits) == 40 and outcome["records"] > 1200 and outcome["connections"] == 2
    assert min(outcome[name] for name in ("unset", "reboots", "offline")) > 0
    with open_history(path) as history:
        assert any(m.is_repaired for m in history.messages("summary", limit=100_000))


@pytest.mark.needs("mosquitto")
def test_history_has_every_record_of_devices_that_speak_mqtt_themselves(tmp_path):
    options = ["--devices", "20", "--rate", "300", "--seconds", "2", "--direct"]
    outcome, audits, path = history_of_a_fleet(tmp_path, *options)
    assert len(audits) == 20 and outcome["records"] > 60 and outcome["connections"] >= 20
    with open_history(path) as history:
        assert {m.body["t"] for m in history.messages("alert")} <= {"5/2"}
        (span,) = {(s.unit, s.scale) for s in history.described()}
    assert span == ("mm/s", "1/100")


def life_of(seed):
    """A device's journal after a while, and what happened."""
    happened = Happened()
    device = SimulatedDevice("sim-1", seed, True, happened, 1000, UTC_MS, gateway_session)
    records = []
    for turn in range(3000):
        device.work(1000 + turn * 500, UTC_MS + turn * 500)
        raw, after = device.journal.read(device.journal.acked, 1 << 20)
        at = 0
        while at < len(raw):
            record, at = rec.decode(raw, at)
            records.append(record)
        device.journal.ack(after)
    return records, happened


def test_life_follows_from_the_seed_and_is_a_board_s():
    records, happened = life_of(7)
    again, _ = life_of(7)
    assert [vars(r) for r in records] == [vars(r) for r in again]
    assert [vars(r) for r in records] != [vars(r) for r in life_of(8)[0]]
    assert [r.seq for r in records] == list(range(happened.records))
    assert happened.reboots > 2 and happened.floods and happened.offline and happened.unset
    assert {r.boot for r in records} == set(range(1, happened.reboots + 2))
    boots = {}
    for record in records:
        boots.setdefault(record.boot, []).append(record)
    for boot in boots.values():
        assert boot[0].type == rec.BOOT and [r.time_ms for r in boot] == sorted(r.time_ms for r in boot)
        # Without a time until a TIME record, and never without one after it.
        told = [bool(r.epoch_ms) for r in boot]
        first = told.index(True) if True in told else len(told)
        assert all(told[first:]) and (first == 0 or first == len(told) or boot[first].type == rec.TIME)
