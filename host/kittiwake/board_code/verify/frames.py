"""Answers of the suite `frames`."""

import binascii

from kittiwake_node.link import frame


def frames(argument):
    """Print a frame's bytes, and which frames a decoder finds in a stream that ends with it.

    Args:
        argument: kind, payload, bytes before the frame, bytes a call.
    """
    kind, payload, before, piece = argument
    data = frame.encode(kind, payload)
    decoder = frame.FrameDecoder()
    stream = before + data
    seen = []
    for at in range(0, len(stream), piece):
        decoder.feed(stream[at : at + piece])
        while True:
            event = decoder.next_event()
            if not event:
                break
            if event == decoder.FRAME:
                seen.append("%d:%d:%08x" % (decoder.kind, len(decoder.payload), binascii.crc32(decoder.payload)))
    print(binascii.hexlify(data).decode(), ",".join(seen))
