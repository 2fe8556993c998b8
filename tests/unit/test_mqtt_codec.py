"""MQTT packets of the board: bytes derived by hand from the OASIS standard, and a reader that believes nothing."""

import random

import pytest

from kittiwake_node.errors import FrameError
from kittiwake_node.mqtt import packets


def read_packets(reader):
    out = []
    while True:
        packet = reader.next_packet()
        if packet is None:
            return out
        out.append(packet)


def test_connect_has_will_user_and_kept_session():
    expected = bytes.fromhex(
        "10 2a"  # CONNECT, 42 bytes
        "00 04 4d515454 04"  # MQTT, level 4
        "ec"  # user, password, will retained, QoS 1, will; not clean
        "00 1e"  # 30 s
        "00 02 6b77"
        "00 08 6b2f642f73746174"
        "00 07 6f66666c696e65"
        "00 02 6d65"
        "00 03 707721"
    )
    assert packets.connect("kw", 30, "k/d/stat", b"offline", "me", "pw!") == expected
    assert packets.connect("kw", 30, "k/d/stat", b"offline")[9] == 0x2C


def test_publish_subscribe_and_puback_are_the_standards():
    assert packets.publish("a/b", b"hi", 10) == bytes.fromhex("32 09 0003 612f62 000a 6869")
    assert packets.publish("a/b", b"hi", 10, True, True)[0] == 0x3B
    assert packets.publish("t", bytes(321), 1)[:3] == bytes.fromhex("32 c6 02")  # 326 = 0x46 | 2 * 128
    assert packets.subscribe(10, "a/b") == bytes.fromhex("82 08 000a 0003 612f62 01")
    assert packets.puback(0x1234) == bytes.fromhex("40 02 1234")
    assert bytes.fromhex("c000 e000") == packets.PING + packets.GOODBYE


STREAM = (
    bytes.fromhex("20 02 01 00") + bytes.fromhex("40 02 1234") + bytes.fromhex("d0 00")
    + bytes.fromhex("32 c8 01 0003 612f62 000a") + bytes(193)
)  # fmt: skip


def test_reader_takes_a_stream_whole_byte_by_byte_and_in_any_prefix():
    reader = packets.PacketReader()
    reader.feed(STREAM)
    whole = read_packets(reader)
    assert [kind for kind, _, _ in whole] == [packets.CONNACK, packets.PUBACK, packets.PINGRESP, packets.PUBLISH]
    assert packets.read_connack(whole[0][2]) == (True, 0)
    assert packets.read_id(whole[1][2]) == 0x1234
    assert packets.read_publish(whole[3][1], whole[3][2]) == (b"a/b", bytes(193), 10)
    pieces = packets.PacketReader()
    seen = []
    for byte in STREAM:
        pieces.feed(bytes([byte]))
        seen += read_packets(pieces)
    assert seen == whole
    for cut in range(len(STREAM)):
        reader = packets.PacketReader()
        reader.feed(STREAM[:cut])
        first = read_packets(reader)
        reader.feed(STREAM[cut:])
        assert first + read_packets(reader) == whole


def test_reader_of_a_packet_beyond_its_limit_keeps_its_beginning_and_goes_on():
    long = b"\x32" + bytes([0xE8, 0x07]) + b"\0\3a/b\0\7" + bytes(993)
    for step in (1, 7, 64, 2000):
        reader = packets.PacketReader(limit_bytes=64)
        seen = []
        data = long + packets.puback(9)
        for at in range(0, len(data), step):
            reader.feed(data[at : at + step])
            seen += read_packets(reader)
            assert len(reader._held) <= 64 + 5 + step
        assert [kind for kind, _, _ in seen] == [packets.PUBLISH, packets.PUBACK]
        assert packets.read_publish(seen[0][1], seen[0][2])[2] == 7
        assert reader.cut == 1


@pytest.mark.parametrize(
    "flags_and_body", [(2, b""), (2, b"\0"), (2, b"\0\5abc"), (2, b"\0\1a\0"), (4, b"\0\1a\0\1"), (0, b"\0\2a")]
)
def test_read_publish_shorter_than_it_says_or_at_another_qos_is_refused(flags_and_body):
    with pytest.raises(FrameError):
        packets.read_publish(*flags_and_body)


def test_reader_of_noise_raises_nothing_else_and_keeps_its_bounds():
    rng = random.Random(3)
    for _ in range(3000):
        reader = packets.PacketReader(limit_bytes=256)
        data = bytearray(STREAM)
        for _ in range(rng.randrange(1, 5)):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        try:
            for at in range(0, len(data), 50):
                reader.feed(bytes(data[at : at + 50]))
                for kind, flags, body in read_packets(reader):
                    if kind == packets.PUBLISH:
                        packets.read_publish(flags, body)
                    elif kind == packets.CONNACK:
                        packets.read_connack(body)
                    elif kind in (packets.PUBACK, packets.SUBACK):
                        packets.read_id(body)
                assert len(reader._held) <= 256 + 5 + 50
        except FrameError:
            pass


def test_reader_of_a_length_without_an_end_says_so():
    reader = packets.PacketReader()
    reader.feed(b"\x32\xff\xff\xff\xff\x01")
    with pytest.raises(FrameError, match="mqtt-length"):
        reader.next_packet()
