"""Link versions one apart, a window that changes, and what is late: both ends over a simulated line."""

import pytest

from kittiwake_node.link import messages as m
from kittiwake_node.link.device_session import DeviceSession
from kittiwake_node.link.frame import FrameDecoder
from kittiwake_node.link.gateway_session import GatewaySession
from tests.support.sessions import World


def _fill(world, count):
    for number in range(count):
        world.journal.add(b"%d" % number)


@pytest.mark.parametrize(
    ("gateway", "device", "agreed"),
    [((1, 2), (1, 1), 1), ((1, 1), (1, 2), 1), ((1, 2), (1, 2), 2), ((2, 2), (1, 2), 2)],
    ids=["new gateway, old device", "old gateway, new device", "both new", "gateway that dropped the old"],
)
def test_sessions_of_versions_one_apart_agree_on_the_newest_of_both(gateway, device, agreed):
    world = World(1)
    world.device = DeviceSession("dev-1", 1, world.journal, world._on_command, versions=device)
    world.gateway = GatewaySession(lambda: world.rng.randrange(1, 1 << 32), versions=gateway)
    _fill(world, 200)
    seen = []
    send = world.up.send

    def watch(data, now_ms):
        decoder = FrameDecoder()
        decoder.feed(data)
        while decoder.next_event():
            if decoder.kind != m.HELLO:
                seen.append(decoder.version)
        send(data, now_ms)

    world.up.send = watch
    world.run_until_drained()
    assert set(seen) == {agreed}


@pytest.mark.parametrize(("gateway", "device"), [((2, 2), (1, 1)), ((1, 1), (2, 2))])
def test_sessions_without_a_common_version_say_so_and_move_nothing(gateway, device):
    world = World(1)
    world.device = DeviceSession("dev-1", 1, world.journal, world._on_command, versions=device)
    world.gateway = GatewaySession(lambda: world.rng.randrange(1, 1 << 32), versions=gateway)
    said = []
    handle = world._handle
    world._handle = lambda event: (said.append(event), handle(event))
    _fill(world, 20)
    for _ in range(300):
        world.step()
    assert world.published == {} and not world.gateway.is_open
    assert set(said) == {
        (
            "refused",
            f"device speaks link versions {device[0]} to {device[1]}, this gateway {gateway[0]} to {gateway[1]}",
        )
    }


def test_sessions_with_a_window_made_smaller_keep_to_it():
    world = World(1, window=64, broker_delay_ms=10**9)
    _fill(world, 300)
    for _ in range(300):
        world.step()
    assert len(world.published) >= 64
    world = World(1, window=64, broker_delay_ms=10**9)
    while not world.gateway.is_open:
        world.step()
    world.gateway.set_window(4)
    for _ in range(20):
        world.step()
    _fill(world, 300)
    for _ in range(300):
        world.step()
    assert 0 < len(world.published) < 4 + 1024 // 32


def _run(world, ms):
    for _ in range(ms // 10):
        world.step()


def test_sessions_mark_as_late_what_is_made_five_seconds_into_an_outage():
    world = World(1)
    device = world.device
    assert not device.update_lateness(0), "a device that has just started is not late"
    _run(world, 1000)
    assert not device.update_lateness(world.now_ms)
    world.gateway.set_stalled(True)
    _run(world, 4000)
    assert not device.update_lateness(world.now_ms)
    _run(world, 1500)
    assert device.update_lateness(world.now_ms)
    world.gateway.set_stalled(False)
    _run(world, 100)
    assert not device.update_lateness(world.now_ms)
    world.down.faults["lose"] = world.up.faults["lose"] = 1.0
    now_ms = world.now_ms
    while not device.update_lateness(world.now_ms):
        world.step()
    assert 5000 <= world.now_ms - now_ms <= 12_000
    world.heal()
    _run(world, 2000)
    assert not device.update_lateness(world.now_ms)


def test_sessions_without_a_gateway_are_late_after_five_seconds():
    world = World(1)
    assert not world.device.update_lateness(100_000)
    assert not world.device.update_lateness(104_999)
    assert world.device.update_lateness(105_000)
