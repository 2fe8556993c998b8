"""Both ends of the link over a simulated line, on a fake clock: what the broker has, the journal frees, and no more."""

import pytest

from kittiwake_node.link import messages as m
from tests.support.sessions import World

FAULTS = {
    "clean": {},
    "loss": {"lose": 0.05},
    "repeats": {"repeat": 0.05},
    "reordering": {"reorder": 0.03},
    "corruption": {"corrupt": 0.05},
    "cuts": {"cut": 0.05},
    "garbage": {"garbage": 0.05},
    "everything": {"lose": 0.02, "repeat": 0.02, "reorder": 0.01, "corrupt": 0.02, "cut": 0.02, "garbage": 0.02},
}


def _fill(world, count, gaps=0.0):
    for _ in range(count):
        layout = 1 + world.journal.next_seq // 700
        world.journal.add(world.rng.randbytes(world.rng.randrange(80)), layout)
    dropped = [seq for seq in list(world.journal.records) if world.rng.random() < gaps]
    world.journal.evict(dropped)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", FAULTS)
def test_sessions_over_a_bad_line_deliver_everything_in_order(name, seed):
    world = World(seed, dict(FAULTS[name]))
    _fill(world, 2000)
    want = {seq: raw[28:-4] for seq, raw in world.journal.records.items()}
    world.run_until_drained()
    assert world.published == want
    assert world.journal.acked == world.journal.next_seq == 2000
    faults_seen = world.device.resends + world.gateway.holes + world.gateway.decoder.rejected + world.gateway.duplicates
    assert (faults_seen > 0) is (name != "clean")
    if name == "clean":
        assert (world.repeats, world.device.resends, world.gateway.holes) == (0, 0, 0)
        assert world.device.decoder.rejected == world.gateway.decoder.rejected == 0


@pytest.mark.parametrize("seed", range(4))
def test_sessions_with_restarts_of_both_ends_deliver_everything(seed):
    world = World(seed, dict(FAULTS["everything"]))
    want = {}
    for _ in range(40):
        _fill(world, 100)
        want.update({seq: raw[28:-4] for seq, raw in world.journal.records.items()})
        for _ in range(world.rng.randrange(150)):
            world.step()
        world.rng.choice((world.restart_device, world.start_gateway, world.gateway.reopen, lambda: None))()
    world.heal()
    world.run_until_drained()
    assert world.published == want and len(want) == 4000


@pytest.mark.parametrize("seed", range(4))
def test_sessions_with_evicted_gaps_deliver_the_rest(seed):
    world = World(seed, dict(FAULTS["everything"]))
    _fill(world, 3000, gaps=0.5)
    world.journal.evict(range(400, 1200))
    for _ in range(300):
        world.step()
    world.journal.evict(range(1500, 1900))  # some of it under way
    rest = set(world.journal.records)
    world.run_until_drained()
    assert rest <= set(world.published)


def test_sessions_with_nothing_left_behind_the_last_record_stay_quiet():
    # Regression: the device took the gap at the end as sent, and sent it again every second for ever.
    world = World(1)
    _fill(world, 50)
    world.journal.evict(range(40, 50))
    world.run_until_drained()
    for _ in range(1000):
        world.step()
    assert world.device.resends == 0
    _fill(world, 20)
    world.run_until_drained()
    assert (world.device.resends, world.gateway.holes, world.journal.acked) == (0, 0, 70)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("window", [1, 8, 64])
def test_sessions_with_a_slow_broker_keep_to_the_window(window, seed):
    world = World(seed, {"lose": 0.02}, window=window, broker_delay_ms=2000)
    _fill(world, 300)
    for _ in range(3000):
        world.step()
    # The frame that reaches the window may go over it; no record is smaller than its overhead of 32 bytes.
    assert world.most_in_flight < window + 1024 // 32
    world.broker_delay_ms = 10
    world.run_until_drained()


def test_sessions_while_the_broker_is_away_free_nothing_and_resend_nothing():
    world = World(5, broker_delay_ms=10**9)
    _fill(world, 500)
    for _ in range(3000):
        world.step()
    assert (world.journal.acked, world.device.resends) == (0, 0)
    assert world.published and world.repeats == 0


@pytest.mark.parametrize("seed", range(4))
def test_sessions_over_a_bad_line_do_every_command_once(seed):
    # Regression: more commands under way than the device remembers answers for were done again.
    world = World(seed, dict(FAULTS["everything"]))
    world.run_until_drained()
    while not world.gateway.is_open:
        world.step()
    del world.faults["garbage"]
    world.faults.update(reorder=0.0)  # what restarts a session forgets its commands; see the test below
    requests = [world.gateway.request(m.OP_PING, b"%d" % i) for i in range(60)]
    session = world.gateway._session
    while len(world.answers) < len(requests) and world.now_ms < 600_000:
        world.step()
    assert world.gateway._session == session, "seed restarts the session"
    assert sorted(world.done) == sorted((m.OP_PING, b"%d" % i) for i in range(60))
    assert sorted(world.answers) == sorted((r, m.OK, b"%d" % i) for i, r in enumerate(requests))


def test_sessions_with_a_command_whose_body_is_made_when_sent_send_the_newest():
    world = World(1)
    while not world.gateway.is_open:
        world.step()
    world.down.faults["lose"] = 1.0
    world.gateway.request(m.OP_TIME, lambda: b"%d" % world.now_ms)
    for _ in range(100):
        world.step()
    asked_ms = world.now_ms
    world.heal()
    while not world.done:
        world.step()
    assert int(world.done[0][1]) >= asked_ms - 1000


def test_gateway_of_a_silent_device_opens_again_and_drops_commands():
    world = World(1)
    while not world.gateway.is_open:
        world.step()
    world.gateway.request(m.OP_PING)
    world.up.faults["lose"] = 1.0
    session = world.gateway._session
    for _ in range(600):
        world.step()
    assert not world.gateway.is_open and world.gateway._session != session
    world.heal()
    for _ in range(200):
        world.step()
    assert world.gateway.is_open and world.device.is_open
