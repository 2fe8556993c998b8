"""Frames: golden bytes from docs/spec/link.md, then everything a line can do to them."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kittiwake_node.errors import FrameError
from kittiwake_node.link.frame import BODY_LIMIT_BYTES, FrameDecoder, encode
from tests.support import spec

# docs/spec/link.md, the example: ACK of session 0A0B0C0D.
ACK_PAYLOAD = bytes.fromhex("0d0c0b0a 03000000 c0000000 4000 00")
ACK_FRAME = bytes.fromhex("c0 0112 0d0c0b0a dbde000000 dbdc000000 4000 00 aae1aed1 c0")


def _events(decoder, data, piece=None):
    """("frame", version, kind, payload) and ("text", bytes), neighbouring text joined."""
    out = []
    step = piece or max(1, len(data))
    for at in range(0, len(data), step):
        decoder.feed(data[at : at + step])
        while True:
            event = decoder.next_event()
            if not event:
                break
            if event == FrameDecoder.FRAME:
                out.append(("frame", decoder.version, decoder.kind, decoder.payload))
            elif out and out[-1][0] == "text":
                out[-1] = ("text", out[-1][1] + decoder.text)
            else:
                out.append(("text", decoder.text))
    return out


def _frames(events):
    return [event[1:] for event in events if event[0] == "frame"]


def test_frame_of_the_specification_is_encoded_to_its_bytes():
    assert encode(18, ACK_PAYLOAD) == ACK_FRAME


def test_frame_of_the_specification_is_decoded():
    decoder = FrameDecoder()
    assert _events(decoder, ACK_FRAME) == [("frame", 1, 18, ACK_PAYLOAD)]
    assert decoder.rejected == 0


@given(st.binary(min_size=1, max_size=BODY_LIMIT_BYTES - 6), st.integers(0, 255), st.sampled_from([1, 2, 4, 5, 6]))
def test_frame_of_anything_agrees_with_the_specification_and_comes_back(payload, kind, version):
    frame = encode(kind, payload, version)
    assert frame == spec.frame(kind, payload, version)
    assert 0x03 not in frame and frame.count(0xC0) == 2
    assert _events(FrameDecoder(), frame) == [("frame", version, kind, payload)]


def test_frame_of_every_byte_value_has_no_ctrl_c():
    payload = bytes(range(256)) * 3 + b"\xdb\xdc\xdb\xdd\xdb\xde\xc0\xdb\x03"
    frame = encode(3, payload)
    assert 0x03 not in frame
    assert _frames(_events(FrameDecoder(), frame)) == [(1, 3, payload)]


def test_frame_without_payload_is_refused():
    with pytest.raises(FrameError, match="frame-empty"):
        encode(1, b"")


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 64, None])
def test_frames_in_pieces_of_any_size_come_out_whole(piece):
    data = b"".join(encode(kind, bytes([kind]) * 50) for kind in range(1, 40))
    assert _frames(_events(FrameDecoder(), data, piece)) == [(1, kind, bytes([kind]) * 50) for kind in range(1, 40)]


def test_frames_with_one_delimiter_between_them_come_out_both():
    data = encode(1, b"one")[:-1] + encode(2, b"two")
    assert _frames(_events(FrameDecoder(), data)) == [(1, 1, b"one"), (1, 2, b"two")]


@pytest.mark.parametrize("size", range(len(ACK_FRAME)))
def test_frame_cut_short_is_none_and_the_next_one_arrives(size):
    decoder = FrameDecoder()
    events = _events(decoder, ACK_FRAME[:size] + encode(7, b"next"))
    # What is short of its last delimiter only is whole all the same: the next frame's first one closes it.
    want = [(1, 18, ACK_PAYLOAD)] if size == len(ACK_FRAME) - 1 else []
    assert _frames(events) == [*want, (1, 7, b"next")]


@pytest.mark.parametrize("at", range(len(ACK_FRAME)))
@pytest.mark.parametrize("bit", range(8))
def test_frame_with_a_flipped_bit_is_rejected_and_the_next_ones_arrive(at, bit):
    damaged = bytearray(ACK_FRAME)
    damaged[at] ^= 1 << bit
    frames = _frames(_events(FrameDecoder(), encode(6, b"before") + bytes(damaged) + encode(7, b"a") + encode(8, b"b")))
    assert frames[0] == (1, 6, b"before") and frames[-2:] == [(1, 7, b"a"), (1, 8, b"b")]
    # A damaged delimiter next to an undamaged one costs nothing; everything else costs the frame.
    assert frames[1:-2] == ([(1, 18, ACK_PAYLOAD)] if at == len(ACK_FRAME) - 1 and len(frames) == 4 else [])


@pytest.mark.parametrize("seed", range(20))
def test_frames_among_garbage_lose_no_byte_and_good_ones_arrive(seed):
    rng = random.Random(seed)
    decoder, data, want = FrameDecoder(), b"", []
    for i in range(100):
        data += rng.randbytes(rng.randrange(60)).replace(b"\xc0", b"\xc1")
        payload = rng.randbytes(rng.randrange(1, 200))
        data += encode(i, payload)
        want.append((1, i, payload))
    assert _frames(_events(decoder, data, rng.choice((1, 5, None)))) == want
    assert decoder.rejected > 0


@settings(max_examples=300)
@given(st.lists(st.binary(max_size=80), max_size=20))
def test_decoder_with_anything_never_raises_and_loses_nothing_but_delimiters(chunks):
    decoder = FrameDecoder(limit_bytes=32)
    passed = 0
    for chunk in chunks:
        for event in _events(decoder, chunk):
            passed += len(event[-1])
    passed += sum(len(event[-1]) for event in _events(decoder, b"\xc0"))
    assert passed <= sum(map(len, chunks)) + 1
    text_only = b"".join(chunks).replace(b"\xc0", b"")
    assert passed == len(text_only)  # no piece of such garbage has a CRC that holds


def test_decoder_with_an_endless_piece_keeps_little():
    decoder = FrameDecoder(limit_bytes=100)
    for _ in range(10_000):
        decoder.feed(b"\x01" * 50)
        while decoder.next_event():
            pass
        assert len(decoder._buf) <= 2 * 100 + 2 + 50
    assert _frames(_events(decoder, b"\xc0" + ACK_FRAME)) == [(1, 18, ACK_PAYLOAD)]


def test_decoder_after_a_piece_that_was_too_long_does_not_take_its_end_for_a_frame():
    decoder = FrameDecoder(limit_bytes=100)
    assert _frames(_events(decoder, b"\x01" * 300)) == []
    assert _frames(_events(decoder, ACK_FRAME[1:])) == []


def test_frame_at_the_limit_is_taken_and_one_byte_more_is_not():
    assert len(_frames(_events(FrameDecoder(), encode(1, b"\xc0" * (BODY_LIMIT_BYTES - 6))))) == 1
    assert _frames(_events(FrameDecoder(), encode(1, b"\xc0" * (BODY_LIMIT_BYTES - 5)))) == []


def test_text_comes_out_at_each_line_without_waiting_for_a_frame():
    decoder = FrameDecoder()
    assert _events(decoder, b"MPY: soft reboot\r\nTraceback (most") == [("text", b"MPY: soft reboot\r\n")]
    assert _events(decoder, b" recent call last):\n") == [("text", b"Traceback (most recent call last):\n")]
    assert _events(decoder, ">>> é".encode() + ACK_FRAME) == [("text", ">>> é".encode()), ("frame", 1, 18, ACK_PAYLOAD)]
    assert decoder.rejected == 0


def test_text_between_frames_is_passed_on_as_it_came():
    data = ACK_FRAME + b"hello\nworld" + ACK_FRAME
    assert [event[0] for event in _events(FrameDecoder(), data)] == ["frame", "text", "frame"]


@pytest.mark.parametrize("junk", [b"\x00\x01\x02", b"\x01\x12short", b"\xff\x00" * 20])
def test_piece_that_is_neither_frame_nor_text_is_counted(junk):
    decoder = FrameDecoder()
    assert _events(decoder, b"\xc0" + junk + b"\xc0") == [("text", junk)]
    assert decoder.rejected == 1
