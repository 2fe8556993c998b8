"""What /metrics of the window and of a roll-out say: the truth, by Prometheus's rules."""

import asyncio
import json

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kittiwake.errors import KittiwakeError
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.observe.exposition import Figures
from kittiwake.rollout.members import Phase, State
from kittiwake.rollout.metrics import Exposition as RolloutExposition
from kittiwake.rollout.plan import Plan
from kittiwake.rollout.runner import Runner
from kittiwake.rollout.store import RolloutStore
from kittiwake.window.access import Access
from kittiwake.window.desk import Desk
from kittiwake.window.feed import Feed, utc_ms
from kittiwake.window.metrics import Exposition
from kittiwake.window.notes import Notes
from kittiwake.window.stream import Stream
from tests.support import promtool
from tests.support.exposition import complaints

BROKER = BrokerSection(url="mqtt://127.0.0.1:1")


def values(raw):
    """Name with its labels' values -> figure."""
    families = text_string_to_metric_families(raw.decode())
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def window(work, tmp_path):
    """What a window's pages say after `work(feed, stream, desk)`: (its figures, the raw text, status of /healthz)."""

    async def run():
        feed = Feed(BROKER, "kittiwake", (), lambda: False, lambda *_: None)
        stream = Stream(dict, utc_ms)
        stream.fleet = feed.fleet
        desk, notes = Desk(lambda name, command: False, lambda *_: None), Notes(tmp_path / "notes.sqlite")
        await work(feed, stream, desk)
        pages = Exposition(feed, stream, desk, Access(None, notes, False)).pages()
        notes.close()
        return pages["/metrics"]()[2], pages["/healthz"]()

    raw, health = asyncio.run(run())
    return values(raw), raw, health


def record(device, seq):
    body = {"device": device, "journal": "aa", "seq": seq, "kind": "reading", "channel": "x", "value": 1}
    return f"kittiwake/{device}/reading/x", json.dumps(body).encode()


def test_window_counts_records_devices_by_state_and_what_it_keeps(tmp_path):
    async def work(feed, stream, desk):
        now_ms = utc_ms()
        feed.fleet.connected(now_ms)
        feed.fleet.take("kittiwake/press-2/status", b"offline", now_ms)
        for seq in range(3):
            feed.fleet.take(*record("press-1", seq), now_ms)
        feed.fleet.take("kittiwake/press-1/reading/x", b"no JSON", now_ms)
        with pytest.raises(KittiwakeError):
            await desk.command("ann", "press-1", "ping", {})

    figures, raw, (status, _, body) = window(work, tmp_path)
    of = {(name.removeprefix("kittiwake_window_"), *labels): value for (name, *labels), value in figures.items()}
    assert (of["records_total",], of["unreadable_messages_total",], of["kept_messages",]) == (3, 1, 3)
    assert {labels[0]: count for (name, *labels), count in of.items() if name == "devices"} == {
        "online": 1, "unconfirmed": 0, "silent": 0, "unknown": 0, "offline": 1,
    }  # fmt: skip
    # The broker was away: nothing was sent, and nothing is unanswered.
    assert (of["commands_total",], of["commands_unanswered_total",]) == (0, 0)
    assert (of["broker_connected",], status, json.loads(body)["well"]) == (0, 503, False)
    assert complaints(raw) == []


def test_window_counts_pages_that_are_open_and_those_that_do_not_read(tmp_path):
    async def work(feed, stream, desk):
        reading, idle = stream.events(""), stream.events("press-1")
        await anext(reading)
        await anext(idle)
        body = {"kind": "reading"}
        for _ in range(5000):  # more than may wait for a page
            stream.on_record("press-1", body, "{}")
        while await anext(idle, None) is not None:
            pass
        work.open = reading

    figures, _, _ = window(work, tmp_path)
    assert (figures["kittiwake_window_pages",], figures["kittiwake_window_slow_pages_total",]) == (1, 1)


def rollout(tmp_path, state):
    """What a roll-out's pages say in a state: (its figures, the raw text)."""

    async def run():
        with RolloutStore(tmp_path / "r.sqlite") as store:
            kept = store.begin(Plan("press-1.4.kwu", "1.4", 7, (("press-1",), ("press-2", "press-3"))), utc_ms())
            runner = Runner(BROKER, "kittiwake", store)
            runner.step()
            if state is not State.RUNNING:
                store.ask(kept.id, state)
                runner.step()
            return RolloutExposition(runner).pages()["/metrics"]()[2]

    raw = asyncio.run(run())
    return values(raw), raw


@pytest.mark.parametrize("state", [State.RUNNING, State.PAUSED, State.ABORTED])
def test_rollout_tells_its_state_and_its_devices_by_phase(tmp_path, state):
    figures, raw = rollout(tmp_path, state)
    states = {labels[0]: on for (name, *labels), on in figures.items() if name == "kittiwake_rollout_state"}
    assert states == {each.value: float(each is state) for each in State}
    phases = {labels[0]: count for (name, *labels), count in figures.items() if name == "kittiwake_rollout_devices"}
    assert phases == {phase.value: 3.0 * (phase is Phase.WAITING) for phase in Phase}
    assert figures["kittiwake_rollout_info", "press-1.4.kwu", "1", "1.4"] == 1
    assert figures["kittiwake_rollout_decisions_total",] == (state is not State.RUNNING)
    assert complaints(raw) == []


@pytest.mark.needs("promtool")
def test_figures_of_window_and_rollout_please_promtool(tmp_path):
    async def work(feed, stream, desk):
        feed.fleet.take(*record("press-1", 1), utc_ms())

    _, raw, _ = window(work, tmp_path)
    assert promtool.complaints(raw) == []
    assert promtool.complaints(rollout(tmp_path, State.RUNNING)[1]) == []


def test_health_page_has_the_status_of_what_it_says():
    class Nothing:
        def collect(self):
            return iter(())

    told = {"well": True}
    pages = Figures(Nothing()).pages(lambda: told)
    assert pages["/healthz"]()[0] == 200 and b"process_cpu_seconds_total" in pages["/metrics"]()[2]
    told["well"] = False
    assert pages["/healthz"]() == (503, "application/json", b'{"well": false}\n')
