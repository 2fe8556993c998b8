"""How far the history is behind: by what the window has heard itself, in numbers and in time."""

import asyncio

from kittiwake.errors import KittiwakeError
from kittiwake.window.archive import Archive
from kittiwake.window.device import Device
from kittiwake.window.lag import GRACE_MS, Lag, behind

T0 = 1_800_000_000_000


def device(name, *seqs, journal="aa"):
    made = Device(name)
    for number, seq in enumerate(seqs):
        made.take({"kind": "event", "journal": journal, "seq": seq}, "{}", T0 + number * 1000)
    return made


def test_history_that_has_all_is_level():
    told = behind([device("a", 5, 6, 7)], {("a", "aa"): (7, T0 + 2000)}, T0 + 60_000)
    assert told == {"behind": 0, "since": T0 + 2000, "is_behind": False}


def test_history_that_lacks_what_came_just_now_is_not_called_late():
    kept = {("a", "aa"): (5, T0)}
    made = device("a", 5, 6, 7)
    assert behind([made], kept, T0 + 1000 + GRACE_MS) == {"behind": 2, "since": T0, "is_behind": False}
    assert behind([made], kept, T0 + 1001 + GRACE_MS)["is_behind"]


def test_history_that_never_had_the_device_lacks_what_was_heard_and_no_more():
    assert behind([device("a", 100, 101)], {}, T0 + 60_000) == {"behind": 2, "since": None, "is_behind": True}


def test_history_is_asked_for_the_journal_that_the_device_has_now():
    made = device("a", 5, journal="old")
    made.take({"kind": "event", "journal": "new", "seq": 0}, "{}", T0)
    assert behind([made], {("a", "old"): (5, T0)}, T0 + 60_000)["behind"] == 1


def test_record_that_is_sent_again_is_no_lag():
    assert behind([device("a", 7, 6, 5)], {("a", "aa"): (7, T0)}, T0 + 60_000)["behind"] == 0


def test_device_that_is_known_from_the_history_alone_does_not_count():
    silent = Device("a", heard_ms=T0, journal="aa", seq=9)
    assert behind([silent], {}, T0 + 60_000)["behind"] == 0


class Broken(Archive):
    def newest(self):
        raise KittiwakeError("it is broken", "mend it")


def test_history_that_cannot_be_asked_says_why_and_shows_no_password():
    lag = Lag(Broken("postgresql://ann:secret@db/history"), list, lambda: True, lambda: T0)

    async def work():
        task = asyncio.create_task(lag.run())
        while not lag.told:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(work())
    assert lag.told == {"database": "db/history", "problem": "it is broken", "mend": "mend it"}
