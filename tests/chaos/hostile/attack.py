"""The attackers' process: devices on sockets that say what moves.py draws, and an MQTT client that does the same.

    python -m tests.chaos.hostile.attack --seed N --messages N --devices N --broker PORT

prints its ports as JSON, begins at a line on stdin, and prints what it did as JSON when all is sent. Batches of moves
have seeds of their own, so that `--first-batch` begins a replay anywhere.
"""

import argparse
import asyncio
import json
import random
import sys
import time
from collections import Counter

import paho.mqtt.client as paho

from kittiwake_node.link import messages as m
from kittiwake_node.link import record as rec
from kittiwake_node.link.frame import FrameDecoder, encode
from tests.chaos.hostile import moves
from tools.devices import LAYOUT
from tools.virtual_ports import SocketPort

BATCH = 125  # bursts
PASSES = 4  # each burst comes so often, in another order each time: to draw them costs more than to take them
CLIENT_ID = "attacker"
PATIENCE = 100  # times 2 ms until it speaks out of turn


class Attacker:
    """One hostile device: it opens sessions as a good one does, for what is said outside of one is dropped unread.

    Args:
        number: of the attacker.
    """

    def __init__(self, number):
        self.name = f"evil-{number}"
        self.port = SocketPort()
        self.journal = 0xE0000000 + number
        self.counts = Counter()
        self._decoder = FrameDecoder()
        self._session = m.NO_SESSION
        self._seq = 0
        self._asked = []  # numbers of requests without a reply
        self._described = []
        self._greeting = None  # a hostile HELLO, for the next session

    @property
    def is_ready(self):
        """Whether what it says now is heard."""
        return self._session != m.NO_SESSION and self.port.is_free

    def start(self):
        self.port.open(self._feed)

    def perform(self, what, rest):
        """Make one move."""
        self.counts[what] += 1
        getattr(self, f"_{what}")(*rest)

    def _feed(self, data):
        self._decoder.feed(data)
        while event := self._decoder.next_event():
            if event == FrameDecoder.FRAME:
                self._take(self._decoder.kind, self._decoder.payload)

    def _take(self, kind, body):
        if kind == m.OPEN:
            self._session = m.unpack_open(body)[0]
            self._asked.clear()
            self._greet()
            self._described = [1]
            self._send(m.DESCRIPTION, m.pack_description(self._session, 1, LAYOUT))
            self.counts["sessions"] += 1
        elif kind == m.ACK:
            _, _, received, _, flags = m.unpack_ack(body)
            if flags & m.REWIND:
                self._seq = received
        elif kind == m.REQUEST:
            self._asked = [*self._asked[-7:], m.unpack_request(body)[1]]

    def _greet(self):
        if self._greeting is None:
            self.journal += 1 << 32
            self._seq = 0
            self._send(m.HELLO, m.pack_hello(self._session, 1024, self.journal, 1, 0, 1 << 20, self.name))
            return
        head, self._seq, name = self._greeting
        self._greeting = None
        self._send(m.HELLO, self._session.to_bytes(4, "little") + head[4:] + name)

    def _send(self, kind, body):
        self.port.write(encode(kind, body[: moves.BODY_LIMIT_BYTES + 8] or b"\0"))

    def _description(self, number, raw):
        self._described = [*self._described[-20:], number]
        self._send(m.DESCRIPTION, m.pack_description(self._session, number, raw))

    def _record(self, typed_body, version, channel, cls, description, boot, time_ms, epoch_ms, jump):
        kind, body = typed_body
        if description == moves.NEWEST:
            description = self._described[-1] if self._described else 1
        draft = rec.draft(kind, channel, cls, boot, time_ms, epoch_ms, description, body, version)
        seq = min(max(0, self._seq + jump), rec.SEQ_LIMIT - 1)
        rec.seal(draft, 0, len(draft), seq)
        self._send(m.RECORDS, m.pack_records(self._session, self._seq, bytes(draft)))
        if description not in self._described:
            return  # it is not taken
        self._seq = max(self._seq, seq + 1)
        if jump > 1:
            self._begin_anew()  # what follows would all be a repeat, or there is no number left

    def _status(self, acked, next_seq, evicted):
        self._send(m.STATUS, m.pack_status(self._session, acked, next_seq, evicted))

    def _reply(self, is_asked, request, status, body):
        if is_asked and self._asked:
            request = self._asked.pop(0)
        self._send(m.REPLY, m.pack_reply(self._session, request, status, body))

    def _hello(self, session, max_frame, journal, boot, acked, next_seq, name, versions):
        head = m.pack_hello(self._session ^ 1, max_frame, journal, boot, acked, next_seq, "", versions)
        if session == "other":
            self._send(m.HELLO, head + name)
            return
        if session == "open":
            self._greeting = head, acked, name
        self._begin_anew()

    def _begin_anew(self):
        self._send(m.HELLO, m.pack_hello(m.NO_SESSION, 1024, self.journal, 1, 0, 1, self.name))
        self._session = m.NO_SESSION  # until it is opened anew

    def _text(self, text):
        self.port.write(text.replace(b"\xc0", b"") + b"\n")

    def _frame(self, kind, is_in_session, body):
        self._send(kind, (self._session.to_bytes(4, "little") if is_in_session else b"") + body)


async def _draw(options, queue):
    """Put bursts into the queue until so many messages are in them; say how far it is after each batch."""
    loop, done, batch, started = asyncio.get_running_loop(), 0, options.first_batch, time.monotonic()
    while done < options.messages:
        number = options.seed * 1_000_003 + batch
        # Beside the speaking: what had to wait for the drawing would come in floods.
        drawn, order = await loop.run_in_executor(None, moves.bursts_of, number, BATCH), random.Random(number)
        for _ in range(PASSES):
            order.shuffle(drawn)
            for burst in drawn:
                done += len(burst)
                await queue.put((burst, started + done / options.rate if options.rate else 0))
        batch += 1
        print(json.dumps({"batch": batch, "messages": done}), flush=True)
    await queue.join()


async def _speak(attacker, queue, publish):
    while True:
        burst, due_s = await queue.get()
        await asyncio.sleep(max(0, due_s - time.monotonic()))
        patience = PATIENCE
        while not attacker.is_ready and (patience := patience - 1):
            await asyncio.sleep(0.002)
        for what, *rest in burst:
            if what == "publish":
                publish(*rest)
            else:
                attacker.perform(what, rest)
        queue.task_done()


async def attack(options):
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=CLIENT_ID)
    client.connect("127.0.0.1", options.broker)
    client.loop_start()
    attackers = [Attacker(number) for number in range(options.devices)]
    for attacker in attackers:
        attacker.start()
    print(json.dumps([attacker.port.url for attacker in attackers]), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    counts, started = Counter(), time.monotonic()
    queue = asyncio.Queue(PASSES * BATCH)

    def publish(topic, payload, retain):
        counts["publish"] += 1
        client.publish(topic, payload, 0, retain)

    speakers = [asyncio.create_task(_speak(attacker, queue, publish)) for attacker in attackers]
    await _draw(options, queue)
    for speaker in speakers:
        speaker.cancel()
    for attacker in attackers:
        counts += attacker.counts
    print(json.dumps({"counts": counts, "seconds": time.monotonic() - started}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    client.disconnect()
    client.loop_stop()


def main():
    parser = argparse.ArgumentParser()
    for name in ("--seed", "--messages", "--devices", "--broker"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--first-batch", type=int, default=0)
    parser.add_argument("--rate", type=float, default=0.0)
    asyncio.run(attack(parser.parse_args()))


if __name__ == "__main__":
    main()
