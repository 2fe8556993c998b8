"""A node that is told the time: `micropython clock_run.py FIRMWARE TELLINGS END_MS`; its records in hex, as JSON.

TELLINGS is JSON: [[when in the node's milliseconds, UTC in milliseconds], …].
"""

import json
import sys

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, sys.argv[0].rsplit("/", 2)[0] + "/support")

import simulated
from fake_clock import FakeClock

from kittiwake_node.io import action, machine_facts, parts
from kittiwake_node.keeping import Keeping
from kittiwake_node.node import Node

TURN_MS = 30_000


class Source(simulated.Source):
    def read_into(self, buf):
        return 0


class Port:
    is_idle = True
    connections = 0

    def __init__(self, tellings):
        self.tellings = tellings

    def poll(self, now_ms):
        return True

    def take_time(self):
        if self.tellings and self.tellings[0][0] <= clock.ms():
            when_ms, utc_ms = self.tellings.pop(0)
            return utc_ms, when_ms
        return None

    def readinto(self, buf):
        return 0

    def send(self, data):
        pass

    def flush(self):
        pass


clock = FakeClock()
keeping = Keeping(parts.make_memory, parts.make_memory, machine_facts.random_u64)
config = {"device": "d", "health_s": 600, "channels": [{"source": {"kind": "replay", "path": "-"}}]}
port = Port(json.loads(sys.argv[2]))
node = Node(config, keeping, port, clock, lambda c, k: Source(), action.VirtualPin(), machine_facts)
records, at = [], 0
while clock.ms() < int(sys.argv[3]):
    node.step()
    node.journal.commit_all()
    raw, at = node.journal.read(at, 1000)
    if raw:
        records.append(bytes(raw).hex())
        node.journal.ack(at)
    clock.pass_ms(TURN_MS)
print(json.dumps(records))
