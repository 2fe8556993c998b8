"""Sources without hardware: paced by a clock that the test turns, or by whoever sends the samples."""

import struct
from array import array

import pytest

from kittiwake_node.io.link_source import LinkSource
from kittiwake_node.io.replay import Replay
from tests.support.fake_clock import FakeClock


@pytest.fixture
def clock():
    return FakeClock(1000)


def recording(tmp_path, samples):
    path = tmp_path / "samples.i16"
    path.write_bytes(array("h", samples).tobytes())
    return str(path)


def drain(source, buf):
    out = []
    while True:
        got = source.read_into(buf)
        if not got:
            return out
        out += list(buf[:got])


def test_replay_gives_each_sample_when_it_is_due(tmp_path, clock):
    source = Replay(recording(tmp_path, range(100)), 1000, clock)
    buf = array("h", bytes(64))
    assert drain(source, buf) == [0]
    assert source.next_due_ms() == 1
    clock.pass_ms(5)
    assert drain(source, buf) == [1, 2, 3, 4, 5]
    assert source.time_ms(5) == 1005
    assert source.age_us(3) == 2000
    assert source.overruns == 0


def test_replay_after_a_late_loop_gives_all_and_counts_each_late_sample_once(tmp_path, clock):
    source = Replay(recording(tmp_path, range(200)), 1000, clock)
    buf = array("h", bytes(2 * 16))
    source.read_into(buf)
    clock.pass_ms(100)
    assert drain(source, buf) == list(range(1, 101))
    assert source.overruns == 100 - 16
    clock.pass_ms(10)
    drain(source, buf)
    assert source.overruns == 100 - 16


def test_replay_at_the_end_has_ended_unless_it_follows(tmp_path, clock):
    path = recording(tmp_path, [1, 2, 3])
    buf = array("h", bytes(16))
    ends, follows = Replay(path, 0, clock), Replay(path, 0, clock, follow=True)
    assert drain(ends, buf) == drain(follows, buf) == [1, 2, 3]
    assert (ends.ended, follows.ended) == (True, False)
    with open(path, "ab") as file:
        file.write(struct.pack("<h", -4))
    assert drain(follows, buf) == [-4]


def test_injected_takes_pieces_in_order_and_says_what_it_wants(clock):
    source = LinkSource(4, clock)
    piece = struct.pack("<3h", 1, -2, 3)
    assert source.take_stimulus(0, piece) == (3, 1)
    assert source.take_stimulus(0, piece) == (3, 1)  # a repeat
    assert source.take_stimulus(5, piece) == (3, 1)  # a hole
    assert source.take_stimulus(3, struct.pack("<2h", 4, 5)) == (3, 1)  # no room
    assert source.take_stimulus(3, b"x") == (3, 1)  # half a sample
    buf = array("h", bytes(4))
    assert source.read_into(buf) == 2 and list(buf) == [1, -2]
    assert source.take_stimulus(3, struct.pack("<h", 32767)) == (4, 2)
    assert drain(source, buf) == [3, 32767]
    assert source.count == 4
