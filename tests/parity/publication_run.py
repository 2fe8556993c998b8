"""What the board publishes: `PYTHON publication_run.py FIRMWARE CASES` prints topic and payload of every case.

A case is a line: description as JSON, a tab, the record in hex. Run by MicroPython and by CPython.
"""

import binascii
import json
import sys

sys.path.insert(0, sys.argv[1])

from kittiwake_node.link import channel_description, record
from kittiwake_node.mqtt import publication

publisher = publication.Publisher("plant/a", {"boot": "plant/boots"}, "dev-1", 0x0123456789ABCDEF)
with open(sys.argv[2]) as cases:
    for line in cases:
        text, raw = line.rstrip("\n").split("\t")
        channels = channel_description.read(text.encode(), json.loads)
        found, _ = record.decode(binascii.unhexlify(raw))
        topic, body = publisher.form(found, channels)
        print(topic + "\t" + body.decode())
