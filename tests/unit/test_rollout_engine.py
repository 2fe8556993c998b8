"""The roll-out's engine over simulated boards: waves, gates, halts, boards that are away, and a process that dies."""

import random
from dataclasses import replace
from datetime import time

import pytest

from kittiwake.errors import UsageError
from kittiwake.rollout import plan as plans
from kittiwake.rollout.engine import Rollout
from kittiwake.rollout.gates import Measures, judge
from kittiwake.rollout.members import Action, Back, Phase, Sighting, State

OLD, NEW, AGAIN = 7, 8, 6
BACK = Back("press-1.3-again.kwu", AGAIN)
MINUTE_MS = 60_000
HEALTHY = Measures(3, 86_400_000, 24, 0, 90_000, 8_000, 0.1)


class Board:
    """A board as its reports show it; steps of a minute.

    Args:
        name: its id.
        fault: what the new release does to it.
    """

    def __init__(self, name, fault="", takes_min=1):
        self.name, self.fault, self.takes_min = name, fault, takes_min
        self.is_there, self.counter, self.is_proved, self.problem = True, OLD, True, ""
        self.measures = HEALTHY
        self.asked = []
        self._ends_in, self._target = None, OLD

    def ask(self, action):
        self.asked.append(action)
        target = NEW if action is Action.OFFER else AGAIN
        if target != self._target:
            self._ends_in = None
        self._target = target
        if self.counter != target and self._ends_in is None:
            self._ends_in = self.takes_min

    def minute(self):
        if not self.is_there:
            return
        m = self.measures = replace(self.measures, uptime_ms=self.measures.uptime_ms + MINUTE_MS)
        if self._ends_in is not None:
            self._ends_in -= 1
            if self._ends_in <= 0:
                self._switch(m)
        elif self.counter == NEW and self.fault == "restarts":
            self.measures = replace(m, boot=m.boot + 1, uptime_ms=1000, alerts=0)

    def _switch(self, m):
        self._ends_in = None
        fresh = replace(m, boot=m.boot + 1, uptime_ms=1000, alerts=0)
        if self._target == AGAIN:
            self.counter, self.measures = AGAIN, fresh
        elif self.fault == "refuses":
            self.problem = "its signature is not good"
        elif self.fault != "silent":
            self.counter, self.measures = NEW, fresh
            if self.fault == "leaks":
                self.measures = replace(fresh, heap_free=20_000)

    @property
    def sighting(self):
        return Sighting(self.is_there, self.counter, self.is_proved, self.problem, self.measures)


class Site:
    """Boards, a roll-out over them and the time."""

    def __init__(self, boards, **more):
        self.boards = {board.name: board for board in boards}
        waves = plans.waves(self.boards, "press-1.4")
        self.plan = plans.Plan("press-1.4.kwu", "1.4", NEW, waves, **({"trial_s": 600, "watch_s": 300} | more))
        self.decisions = []
        self.rollout = Rollout(self.plan, self.decisions.append)
        self.now_ms = 1_767_323_045_000
        self.offered = []

    def run(self, minutes):
        for _ in range(minutes):
            for board in self.boards.values():
                board.minute()
            sightings = {name: board.sighting for name, board in self.boards.items()}
            for name, action in self.rollout.step(sightings, self.now_ms):
                self.offered.append(name)
                self.boards[name].ask(action)
            self.now_ms += MINUTE_MS
        return self

    def restart(self):
        """The process dies, and begins anew from what was written."""
        members = [replace(member) for member in self.rollout.members.values()]
        self.rollout = Rollout(self.plan, self.decisions.append, members, self.rollout.state, self.rollout.back)

    def phases(self):
        return {phase.value: count for phase, count in self.rollout.counts().items()}


def boards(count, fault_of=lambda number: ""):
    return [Board(f"kw-{number:03d}", fault_of(number)) for number in range(count)]


def test_good_release_reaches_all_in_waves():
    site = Site(boards(100))
    assert [len(wave) for wave in site.plan.waves] == [1, 9, 40, 50]
    site.run(3)
    assert site.offered == list(site.plan.waves[0])
    site.run(60)
    assert site.rollout.state is State.DONE and site.phases() == {"passed": 100}
    order = {name: number for number, wave in enumerate(site.plan.waves) for name in wave}
    assert [order[name] for name in site.offered] == sorted(order[name] for name in site.offered)
    assert all(board.asked == [Action.OFFER] for board in site.boards.values())


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("restarts", "restarts: 1, at most 0"),
        ("leaks", "free heap: 20000 bytes, at least 67500; 90000 before"),
        ("refuses", "its signature is not good"),
        ("silent", "not confirmed in 600 s of being there"),
    ],
)
def test_bad_release_is_halted_at_the_canary(fault, words):
    site = Site(boards(50, lambda number: fault)).run(30)
    (canary,) = site.plan.waves[0]
    assert site.rollout.state is State.HALTED and set(site.offered) == {canary}
    assert words in site.rollout.members[canary].why
    assert site.decisions[-1].device == "" and words in site.decisions[-1].text


def test_release_that_makes_a_tenth_restart_is_halted_in_its_first_share_and_taken_back():
    chance = random.Random(4)
    bad = set(chance.sample(range(500), 50))
    site = Site(boards(500, lambda number: "restarts" if number in bad else ""))
    site.run(60)
    assert site.rollout.state is State.HALTED and site.rollout.wave == 1
    touched = {name for wave in site.plan.waves[:2] for name in wave}
    assert set(site.offered) == touched
    site.rollout.take_back(BACK, site.now_ms)
    site.run(10)
    assert site.phases() == {"returned": len(touched), "waiting": 500 - len(touched)}
    assert {name for name, board in site.boards.items() if board.counter == AGAIN} == touched
    assert {board.counter for board in site.boards.values()} == {AGAIN, OLD} and site.rollout.is_over
    assert all(board.asked.count(Action.RETURN) == 1 for name, board in site.boards.items() if name in touched)


def test_release_that_is_on_its_way_when_it_is_taken_back_does_not_arrive():
    slow = Board("slow", takes_min=5)
    site = Site([slow]).run(2)
    site.rollout.take_back(BACK, site.now_ms)
    site.run(10)
    assert slow.counter == AGAIN and site.phases() == {"returned": 1}


def test_boards_that_are_away_are_offered_it_when_they_come_and_are_never_late():
    site = Site(boards(40))
    away = [board for board in site.boards.values() if board.name not in site.plan.waves[0]][:12]
    for board in away:
        board.is_there = False
    site.run(60)
    assert site.phases() == {"passed": 28, "waiting": 12} and site.rollout.state is State.RUNNING
    leaver = away[0]
    leaver.is_there, leaver.takes_min = True, 5
    site.run(2)
    leaver.is_there = False
    site.run(100)
    assert site.rollout.members[leaver.name].phase is Phase.OFFERED, "it was there for a minute or two only"
    for board in away:
        board.is_there = True
    site.run(30)
    assert site.rollout.state is State.DONE and site.phases() == {"passed": 40}


def test_process_that_dies_at_any_time_goes_on():
    whole = Site(boards(60)).run(80)
    chance = random.Random(9)
    broken = Site(boards(60))
    for _ in range(80):
        broken.run(1)
        if chance.random() < 0.3:
            broken.restart()
    assert broken.phases() == whole.phases() == {"passed": 60}
    assert broken.decisions == whole.decisions


def test_pause_offers_nothing_and_goes_on_looking():
    site = Site(boards(10)).run(1)
    site.rollout.set_state(State.PAUSED, "asked for", site.now_ms)
    site.run(30)
    assert len(site.offered) == 1 and site.phases() == {"passed": 1, "waiting": 9}
    site.rollout.set_state(State.RUNNING, "asked for", site.now_ms)
    assert site.run(60).phases() == {"passed": 10}


def test_resume_after_a_halt_forgives_who_has_failed_and_nobody_else():
    site = Site(boards(30))
    first, second = (next(iter(wave)) for wave in site.plan.waves[:2])
    site.boards[first].fault = site.boards[second].fault = "refuses"
    site.run(10)
    assert site.rollout.state is State.HALTED
    site.rollout.set_state(State.RUNNING, "asked for", site.now_ms)
    site.run(20)
    assert site.rollout.state is State.HALTED and site.rollout.members[second].phase is Phase.FAILED
    site.rollout.set_state(State.RUNNING, "asked for", site.now_ms)
    site.run(60)
    assert site.rollout.state is State.DONE and site.phases() == {"passed": 28, "failed": 2}


def test_share_of_a_wave_may_fail_but_of_the_canary_nobody():
    site = Site(boards(200), failures=0.1)
    for name in site.plan.waves[1][:1] + site.plan.waves[2][:8]:
        site.boards[name].fault = "refuses"
    assert site.run(80).phases() == {"passed": 191, "failed": 9}
    other = Site(boards(200), failures=0.1)
    other.boards[other.plan.waves[0][0]].fault = "refuses"
    assert other.run(20).rollout.state is State.HALTED


def test_nothing_is_offered_outside_its_window():
    site = Site(boards(5), windows=((time(22), time(5)),))
    site.now_ms = 1_767_225_600_000 + 20 * 3_600_000  # 20:00
    site.run(119)
    assert site.offered == []
    site.run(5)
    assert len(site.offered) == 1


def test_board_without_a_health_record_is_not_offered_it():
    board = Board("new")
    site = Site([board])
    measures, board.measures = board.measures, None
    board.minute = lambda: None
    site.run(5)
    assert site.offered == []
    board.measures = measures
    site.run(1)
    assert site.offered == ["new"]


def test_waves_are_the_same_each_time_and_others_for_another_release():
    names = [f"kw-{number}" for number in range(200)]
    assert plans.waves(names, "a") == plans.waves(reversed(names), "a")
    assert plans.waves(names, "a")[0] != plans.waves(names, "b")[0]
    flat = [name for wave in plans.waves(names, "a") for name in wave]
    assert sorted(flat) == sorted(names)
    assert plans.waves(["one"], "a") == (("one",),)


@pytest.mark.parametrize(
    ("names", "canary", "shares"),
    [([], 1, (1.0,)), (["a"], 0, (1.0,)), (["a"], 1, ()), (["a"], 1, (0.5,)), (["a"], 1, (0.5, 0.2, 1.0))],
)
def test_waves_that_do_not_rise_to_all_are_refused(names, canary, shares):
    with pytest.raises(UsageError):
        plans.waves(names, "a", canary, shares)


@pytest.mark.parametrize("text", ["", "22", "22:00", "22:00-22:00", "25:00-26:00", "a-b", "22:00+02:00-05:00+02:00"])
def test_window_that_is_none_is_refused(text):
    with pytest.raises(UsageError):
        plans.window(text)


def test_gate_of_each_figure_has_its_edge():
    limits, confirmed = plans.Limits(), replace(HEALTHY, boot=4, uptime_ms=1000, alerts=0)
    # 24 alerts a day are one an hour; of that 4 deviations and 5 more: 10 in an hour.
    good = replace(confirmed, uptime_ms=3_600_000, alerts=10, heap_free=67_500, loop_max_us=50_000, journal_share=0.35)
    assert judge(HEALTHY, confirmed, good, limits) == []
    for worse, words in (
        ({"boot": 5}, "restarts: 1"),
        ({"evicted": 1}, "evicted records: 1"),
        ({"heap_free": 67_499}, "free heap: 67499 bytes"),
        ({"loop_max_us": 50_001}, "longest turn of the loop: 50001 us"),
        ({"journal_share": 0.36}, "journal: 36% full"),
        ({"alerts": 11}, "alerts: 11 in 60 min, at most 10; 1.0 were usual"),
    ):
        (text,) = judge(HEALTHY, confirmed, replace(good, **worse), limits)
        assert text.startswith(words)
