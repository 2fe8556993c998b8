"""What a window keeps does not grow: by what is reached, over months, with nobody looking, whatever is sent."""

import asyncio
import gc
import json
import sys
from collections import deque

import pytest

from kittiwake.errors import KittiwakeError
from kittiwake.window import desk as desks
from kittiwake.window import fleet as fleets
from kittiwake.window.device import HOUR_MS, NAMES_LIMIT, RECENT, SNAPSHOTS
from kittiwake.window.fleet import Fleet
from kittiwake.window.tail import Tail

NOW_MS = 1_790_000_000_000
KINDS = ("summary", "alert", "snapshot", "health", "boot", "keyword")


def entries(root):
    """How many entries the containers have that an object leads to."""
    seen, waiting, count = set(), [root], 0
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, type) or callable(each):
            continue
        seen.add(id(each))
        if isinstance(each, dict | list | set | frozenset | tuple | deque):
            count += len(each)
        waiting += gc.get_referents(each)
    return count


def send(fleet, device, seq, now_ms, **more):
    body = {"device": device, "journal": "aa", "seq": seq, "kind": KINDS[seq % len(KINDS)], "channel": "x"}
    fleet.take(f"kittiwake/{device}/k/x", json.dumps(body | more).encode(), now_ms)


def grown(fleet, first, rounds):
    """Entries after so many rounds of all that devices and a gateway send, an hour between two."""
    for seq in range(first, first + rounds):
        now_ms = NOW_MS + seq * HOUR_MS
        for name in ("press-1", "press-2"):
            fleet.take(f"kittiwake/{name}/status", (b"online", b"offline")[seq % 2], now_ms)
            send(fleet, name, seq, now_ms, channel=f"c{seq}", firmware=f"1.{seq}")
        fleet.take("kittiwake/gate/status", b"online", now_ms)
        fleet.take("kittiwake/gate/devices", json.dumps([f"device-{seq}-{n}" for n in range(20)]).encode(), now_ms)
    return entries(fleet)


def test_fleet_has_as_many_entries_after_months_as_after_weeks_with_nobody_looking():
    fleet = Fleet("kittiwake")
    fleet.connected(NOW_MS)
    rounds = 3600  # until the rarest kind has filled what is kept of it, and names are as many as are kept
    first = grown(fleet, 0, rounds)
    # Names of a gateway's go in lists of twenty: between two clearings their number swings.
    assert abs(grown(fleet, rounds, rounds) - first) <= NAMES_LIMIT
    device = fleet.devices["press-1"]
    assert (len(device.recent), len(device.snapshots)) == (RECENT, SNAPSHOTS)
    assert len(fleet.gateways["gate"].devices) <= NAMES_LIMIT


def test_entries_notice_what_grows():
    fleet = Fleet("kittiwake")
    before = entries(fleet)
    fleet.devices["x"] = fleet.know("y")
    fleet.devices["y"].channels |= {f"c{n}": "" for n in range(100)}
    assert entries(fleet) > before + 100


def test_messages_of_all_devices_take_no_more_memory_than_is_allowed(monkeypatch):
    monkeypatch.setattr(fleets, "KEPT_LIMIT_BYTES", 1 << 20)
    fleet = Fleet("kittiwake")
    fleet.connected(NOW_MS)

    def kept_bytes():
        return sum(sys.getsizeof(text) for d in fleet.devices.values() for text in (*d.recent, *d.snapshots))

    for number in range(60):
        for seq in range(18):
            send(fleet, f"press-{number}", seq, NOW_MS, samples="x" * 1500)
        assert kept_bytes() <= 1 << 20
    assert kept_bytes() > 1 << 18
    # Who said nothing more since has made room, too, and whoever is new is no exception.
    assert {d.share_bytes for d in fleet.devices.values()} == {(1 << 20) // 128}


def test_tail_keeps_the_newest_within_both_bounds():
    tail = Tail(3)
    for number in range(5):
        tail.put(f"{number}" * 10, 1 << 20)
    assert list(tail) == ["2" * 10, "3" * 10, "4" * 10] and tail.bytes == sum(map(sys.getsizeof, tail))
    tail.put("5" * 1000, sys.getsizeof("5" * 1000))
    assert list(tail) == ["5" * 1000]
    tail.trim(10)
    assert list(tail) == [] and tail.bytes == 0


def test_desk_keeps_nothing_of_devices_whose_configuration_was_written(monkeypatch):
    monkeypatch.setattr(desks, "ANSWER_S", 0.001)
    desk = desks.Desk(lambda name, command: True, lambda *_: None)

    async def write(device):
        with pytest.raises(KittiwakeError, match="no answer"):
            await desk.command("ann", device, "config_set", {"base": {}, "config": {}})

    async def work():
        await asyncio.gather(*(write(f"press-{n % 3}") for n in range(9)))
        before = entries(desk)
        await asyncio.gather(*(write(f"press-{n}") for n in range(400)))  # more than commands that are waited for
        assert entries(desk) - before < 400 * 5

    asyncio.run(work())
    assert desk._locks == {}
