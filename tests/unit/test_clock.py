"""What devices are told of the time by a gateway whose clock is slow, jumps, steps back or is not known; and what
consumers see of it."""

import json
import re
import struct

import pytest

from kittiwake.bridge import clock as clock_module
from kittiwake.bridge import command_codec
from kittiwake.bridge.clock import GatewayClock
from kittiwake.bridge.time_teller import EVERY_MS, HOLD_MS, TimeTeller
from kittiwake.publish.publisher import Former, Policy
from kittiwake_node.link import messages
from kittiwake_node.link import record as rec
from tests.support.fake_clock import FakeClock
from tests.support.micropython import FIRMWARE, ROOT, run_script
from tests.support.sessions import World

NOW_MS = 1_800_000_000_000  # 2027-01-15T08:00:00Z
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
SIX_YEARS = 6 * 365 * DAY


class Machine:
    """A gateway's clocks: the steady one passes, the other is that and what it was set to."""

    def __init__(self, wrong_ms=0, files=(), rule="auto"):
        self.steady, self.wrong_ms, self.files = FakeClock(), wrong_ms, set(files)
        self.clock = GatewayClock(rule, self.utc_ms, self.steady.ms, self.files.__contains__)

    def utc_ms(self):
        return NOW_MS + self.steady.ms() + self.wrong_ms


class OpenSession:
    """A GatewaySession as far as a TimeTeller needs it: what is asked, when, and what was taken back."""

    is_open = True

    def __init__(self):
        self.requests, self.cancelled = [], []

    def request(self, op, body):
        assert op == messages.OP_TIME
        self.requests.append(body)
        return len(self.requests)

    def cancel(self, number):
        self.cancelled.append(number)


def tellings(machine, until_ms, story=lambda now_ms: None):
    """[(when, UTC told), …] of a session that opens at 0; `story(now_ms)` may set the clock, once a second."""
    session, told = OpenSession(), []
    teller = TimeTeller(session, machine.clock)
    teller.begin(0)
    while True:
        for body in session.requests[len(told) :]:
            told.append([machine.steady.ms(), *struct.unpack("<Q", body())])
        if machine.steady.ms() >= until_ms:
            return told
        machine.steady.pass_ms(SECOND)
        wrong_ms = story(machine.steady.ms())
        machine.wrong_ms = machine.wrong_ms if wrong_ms is None else wrong_ms
        machine.clock.look()
        teller.tick(machine.steady.ms())


def test_clock_that_is_right_is_told_at_the_start_and_every_hour():
    told = tellings(Machine(), 3 * HOUR)
    assert told == [[at_ms, NOW_MS + at_ms] for at_ms in (0, HOUR, 2 * HOUR, 3 * HOUR)]
    assert EVERY_MS == HOUR


def test_clock_six_years_slow_is_not_told_until_it_was_set():
    machine = Machine(-SIX_YEARS)
    assert "before 2026-" in machine.clock.problem and machine.clock.now_ms() is None
    told = tellings(machine, HOUR, lambda now_ms: 0 if now_ms >= 10 * MINUTE else None)
    assert told == [[10 * MINUTE, NOW_MS + 10 * MINUTE]]
    assert machine.clock.problem == ""


def test_clock_set_forward_and_back_is_told_within_a_second():
    steps = {20 * MINUTE: 5 * SECOND, 40 * MINUTE: -HOUR}
    told = tellings(Machine(), HOUR - SECOND, steps.get)
    assert told == [[0, NOW_MS], *([at_ms, NOW_MS + at_ms + wrong_ms] for at_ms, wrong_ms in steps.items())]


def test_clock_that_jumps_all_the_time_is_told_now_and_then_and_rightly_in_the_end():
    def story(now_ms):
        return 0 if now_ms > MINUTE else (HOUR if now_ms // SECOND % 2 else -HOUR)

    machine = Machine()
    told = tellings(machine, 2 * MINUTE, story)
    times = [at_ms for at_ms, _ in told]
    assert min(after - before for before, after in zip(times, times[1:], strict=False)) >= HOLD_MS
    assert 3 <= len(told) <= 1 + 2 * MINUTE // HOLD_MS
    assert told[-1][1] == NOW_MS + told[-1][0]
    assert machine.clock.steps == 61


def test_clock_slewed_in_small_steps_is_told_before_it_is_far_off():
    told = tellings(Machine(), 50 * MINUTE, lambda now_ms: now_ms // 10_000)  # 100 parts in a million fast
    assert [at_ms for at_ms, _ in told] == [0, 1000 * SECOND, 2000 * SECOND, 3000 * SECOND]


@pytest.mark.parametrize("rule", ["auto", "trusted"])
def test_clock_that_systemd_has_not_set_is_told_where_the_rule_trusts_it(rule):
    def story(now_ms):
        if now_ms == DAY:
            machine.files.add("/run/systemd/timesync/synchronized")

    machine = Machine(files={"/run/systemd/timesync"}, rule=rule)
    told = tellings(machine, DAY + MINUTE, story)
    assert told[0] == ([DAY, NOW_MS + DAY] if rule == "auto" else [0, NOW_MS])


def test_clock_set_to_where_it_cannot_be_is_told_no_more():
    machine = Machine()
    machine.wrong_ms = -SIX_YEARS
    machine.clock.look()
    assert machine.clock.now_ms() is None and machine.clock.problem
    assert tellings(machine, HOUR) == []


def test_time_that_was_not_answered_gives_way_to_the_newest():
    machine, session = Machine(), OpenSession()
    teller = TimeTeller(session, machine.clock)
    teller.begin(0)
    teller.tick(HOUR)
    assert session.cancelled == [1]
    teller.begin(HOUR + 1)  # a new session: the number is another request's there
    assert session.cancelled == [1]


def test_time_on_a_real_session_reaches_the_device_again_after_a_step():
    world, machine = World(1), Machine()
    teller = TimeTeller(world.gateway, machine.clock)
    for _ in range(3000):
        was_open = world.gateway.is_open
        world.step()
        machine.steady.pass_ms(10)
        if world.gateway.is_open and not was_open:
            teller.begin(world.now_ms)
        if world.now_ms == 15_000:
            machine.wrong_ms = -HOUR
            machine.clock.look()
        teller.tick(world.now_ms)
    told = [struct.unpack("<Q", body)[0] for op, body in world.done if op == messages.OP_TIME]
    assert len(told) == 2 and abs(told[0] - NOW_MS) < SECOND and abs(told[1] - (NOW_MS - HOUR + 15_000)) < SECOND


def test_time_command_is_refused_while_the_gateway_does_not_know_it():
    command = command_codec.parse(b'{"id": "1", "op": "time"}', frozenset(["time"]))
    exchange = command_codec.start_of("dev-1", command, Machine(-SIX_YEARS).clock.now_ms)()
    with pytest.raises(command_codec.ReplyError, match="the gateway does not know the time") as refusal:
        next(exchange)
    assert refusal.value.status == "refused"


def test_clock_s_earliest_month_is_that_of_the_newest_release():
    newest = re.search(r"^## \[\d.*\] - (\d{4}-\d{2})-\d{2}$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert f"{newest[1]}-01" == clock_module.RELEASED


def published(told, until_ms):
    """What consumers get of a node that is told this: the messages' kinds and fields, in order."""
    former, out = Former(Policy(), "d", 7), []
    for chunk in run_script("tests/unit/clock_run.py", str(FIRMWARE), json.dumps(told), str(until_ms)):
        raw, offset = bytes.fromhex(chunk), 0
        while offset < len(raw):
            record, offset = rec.decode(raw, offset)
            if not former.knows(record.description):
                former.describe(record.description, b'[{"name":"v"}]')
            message = former.form(record, None)
            out.append((message.kind, json.loads(message.payload)))
    seqs = [fields["seq"] for _, fields in out]
    assert seqs == list(range(len(out))) and len(out) > until_ms // (20 * MINUTE)
    return out


def utc(text):
    """Milliseconds since 1970, without the code that wrote it."""
    year, month, day, hour, minute, second, milli = (int(part) for part in re.findall(r"\d+", text))
    days = (year - 1970) * 365 + (year - 1969) // 4 + [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][month - 1]
    days += day - 1 + (year % 4 == 0 and month > 2)
    return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + milli


def test_consumers_of_a_node_that_boots_without_time_for_a_day_get_null_and_then_the_time():
    machine = Machine(-SIX_YEARS)
    told = tellings(machine, DAY + HOUR, lambda now_ms: 0 if now_ms >= DAY else None)
    messages_seen = published(told, DAY + HOUR)
    kinds = [kind for kind, _ in messages_seen]
    assert kinds[0] == "boot" and kinds.count("time") == 1
    leap = kinds.index("time")
    for _, fields in messages_seen[:leap]:
        assert fields["ts"] is None and fields["boot"] == 1
    for _, fields in messages_seen[leap:]:
        assert utc(fields["ts"]) == NOW_MS + fields["uptime_ms"]
    # What a consumer may work out for those before: the same boot's zero, by any later message.
    zero_ms = utc(messages_seen[leap][1]["ts"]) - messages_seen[leap][1]["uptime_ms"]
    assert zero_ms == NOW_MS


def test_consumers_of_a_gateway_that_was_two_days_slow_get_its_time_until_it_was_set():
    # A clock kept in a file while the machine was off: later than the release, and nobody there who says it is wrong.
    machine = Machine(-2 * DAY)
    told = tellings(machine, 3 * HOUR, lambda now_ms: 0 if now_ms >= 2 * HOUR else None)
    seen = published(told, 3 * HOUR)
    wrong = {utc(fields["ts"]) - NOW_MS - fields["uptime_ms"] for _, fields in seen if fields["ts"]}
    assert wrong == {-2 * DAY, 0}
    assert [kind for kind, _ in seen].count("time") == 2
    assert all(utc(f["ts"]) == NOW_MS + f["uptime_ms"] for _, f in seen if f["uptime_ms"] >= 2 * HOUR)


def test_consumers_of_a_gateway_that_steps_back_get_a_message_that_says_so_and_times_that_repeat():
    told = tellings(Machine(), 4 * HOUR - SECOND, {2 * HOUR + MINUTE: -HOUR}.get)
    seen = published(told, 4 * HOUR)
    times = [(utc(fields["ts"]), kind) for kind, fields in seen if fields["ts"]]
    falls = [after for before, after in zip(times, times[1:], strict=False) if after < before]
    assert falls == [(NOW_MS + HOUR + MINUTE, "time")]
    # What is told every hour and has not changed is not journalled.
    assert [kind for kind, _ in seen].count("time") == 2
