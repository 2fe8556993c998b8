"""Answers of the suite `records`."""

import binascii

from kittiwake_node.link import record


def records(argument):
    """Print a record's bytes, how many a decoder takes of them, and whether it reads the same fields back.

    Args:
        argument: type, channel, class, channel description, number, boot, time_ms, epoch_ms, payload.
    """
    kind, channel, cls, description, seq, boot, time_ms, epoch_ms, payload = argument
    draft = record.draft(kind, channel, cls, boot, time_ms, epoch_ms, description, payload)
    record.seal(draft, 0, len(draft), seq)
    r, end = record.decode(draft)
    back = (r.type, r.channel, r.cls, r.description, r.seq, r.boot, r.time_ms, r.epoch_ms, r.payload) == argument
    print(binascii.hexlify(draft).decode(), end, back)
