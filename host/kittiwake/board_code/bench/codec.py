"""Costs of the codec: a record drafted and sealed, a frame formed and taken apart."""

from kittiwake_node.link import frame, record


def make_record(storage, payload_bytes):
    """Make the drafting and sealing of a record.

    Args:
        storage: not used.
        payload_bytes: of the record.
    """
    payload = bytes(range(payload_bytes))

    def draft_and_seal():
        draft = record.draft(record.ANOMALY, 0, record.ALERT, 3, 123456, 1700000000000, 1, payload)
        record.seal(draft, 0, len(draft), 77)

    return draft_and_seal, ()


def make_encode(storage, body_bytes):
    """Make the forming of a frame.

    Args:
        storage: not used.
        body_bytes: of the frame.
    """
    return frame.encode, (2, bytes([i & 255 for i in range(body_bytes)]))


def make_decode(storage, body_bytes):
    """Make the taking apart of a frame.

    Args:
        storage: not used.
        body_bytes: of the frame.
    """
    data = frame.encode(2, bytes([i & 255 for i in range(body_bytes)]))
    decoder = frame.FrameDecoder()

    def decode():
        decoder.feed(data)
        while decoder.next_event():
            pass

    return decode, ()
