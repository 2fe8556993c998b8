"""Records in a file, each with its length and a CRC-32: what a power cut tears off is dropped when it is read."""

import binascii
import struct

_HEAD = ">HI"


def append(path, record):
    """Add a record, 1 to 65535 bytes; it is in the file when this returns."""
    with open(path, "ab") as file:
        file.write(struct.pack(_HEAD, len(record), binascii.crc32(record)) + record)


def read(path):
    """List the whole records, in order, up to the first that is not."""
    records = []
    try:
        file = open(path, "rb")
    except OSError:
        return records
    with file:
        while True:
            head = file.read(struct.calcsize(_HEAD))
            if len(head) < struct.calcsize(_HEAD):
                return records
            length, crc = struct.unpack(_HEAD, head)
            record = file.read(length)
            if len(record) < length or binascii.crc32(record) != crc:
                return records
            records.append(record)
