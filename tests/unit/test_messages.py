"""Messages of the link against the tables of docs/spec/link.md."""

import pytest

from kittiwake_node.errors import FrameError
from kittiwake_node.link import gateway_messages as gm
from kittiwake_node.link import messages as m

# (packed by the codec, bytes by docs/spec/link.md's tables, unpack, fields, bytes that must be there)
MESSAGES = {
    "hello": (
        m.pack_hello(0x01020304, 1024, 0x1122334455667788, 5, 6, 7, "dev-1"),
        "04030201 01 01 0004 8877665544332211 05000000 06000000 07000000 6465762d31",
        gm.unpack_hello,
        (0x01020304, 1, 1, 1024, 0x1122334455667788, 5, 6, 7, "dev-1"),
        29,
    ),
    "open": (gm.pack_open(9, 2048, 64), "09000000 01 01 0008 4000", m.unpack_open, (9, 1, 1, 2048, 64), 10),
    "ack": (
        gm.pack_ack(9, 5, 6, 64, m.REWIND), "09000000 05000000 06000000 4000 01", m.unpack_ack, (9, 5, 6, 64, 1), 15,
    ),
    "status": (
        m.pack_status(9, 1, 2, (3, 4, 5)), "09000000 01000000 02000000 03000000 04000000 05000000", gm.unpack_status,
        (9, 1, 2, (3, 4, 5)), 24,
    ),
    "records": (m.pack_records(9, 7, b"rr"), "09000000 07000000 7272", gm.unpack_records, (9, 7, b"rr"), 8),
    "layout": (m.pack_description(9, 258, b"[]"), "09000000 0201 5b5d", gm.unpack_description, (9, 258, b"[]"), 6),
    "command": (gm.pack_request(9, 8, 1, b"x"), "09000000 08000000 01 78", m.unpack_request, (9, 8, 1, b"x"), 9),
    "response": (m.pack_reply(9, 8, 2, b"x"), "09000000 08000000 02 78", gm.unpack_reply, (9, 8, 2, b"x"), 9),
}  # fmt: skip


@pytest.mark.parametrize("name", MESSAGES)
def test_message_is_packed_to_the_bytes_of_the_specification_and_read_back(name):
    packed, want, unpack, fields, _ = MESSAGES[name]
    assert packed == bytes.fromhex(want)
    assert unpack(packed) == fields


@pytest.mark.parametrize("name", MESSAGES)
def test_message_cut_short_is_refused(name):
    packed, _, unpack, _, fixed = MESSAGES[name]
    for size in range(fixed):
        with pytest.raises(FrameError):
            unpack(packed[:size])


@pytest.mark.parametrize("name", ["open", "ack", "status"])
def test_message_of_a_later_version_is_read_as_far_as_it_is_known(name):
    packed, _, unpack, fields, _ = MESSAGES[name]
    assert unpack(packed + b"later") == fields


def test_kinds_operations_and_states_have_the_numbers_of_the_specification():
    assert (m.HELLO, m.RECORDS, m.STATUS, m.REPLY, m.DESCRIPTION, m.OPEN, m.ACK, m.REQUEST) == (
        1,
        2,
        4,
        5,
        6,
        17,
        18,
        20,
    )
    assert (m.OP_PING, m.OP_TIME, m.OP_IDENTIFY, m.OP_STIMULUS) == (1, 2, 3, 4)
    assert (m.OK, m.UNKNOWN, m.REFUSED, m.REWIND, m.NO_SESSION) == (0, 1, 2, 1, 0)


@pytest.mark.parametrize("name", [b"a", b"Dev_1.x-y", b"x" * 64])
def test_device_id_fit_for_a_topic_is_taken(name):
    assert m.is_device_id(name)


@pytest.mark.parametrize("name", [b"", b"x" * 65, b"a/b", b"a b", b"+", b"#", b"a\0", b"\xc3\xa9", b"a\n", b"$SYS"])
def test_device_id_unfit_for_a_topic_is_refused(name):
    assert not m.is_device_id(name)
