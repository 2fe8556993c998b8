"""The buffer between paho and a broker's socket: a flood of packets leaves the event loop its turns."""

import asyncio
import socket
import threading

import pytest

from kittiwake.mqtt.socket_buffer import SocketBuffer

# No block that the system gives ends with a packet of this size, which is prime.
PACKET_BYTES = 997


class Reader:
    """Takes whole packets as paho does: it asks on for the rest of one, and keeps what it has when nothing is there."""

    def __init__(self, buffer):
        self.buffer, self.packets, self.part = buffer, 0, b""

    def read(self):
        while len(self.part) < PACKET_BYTES:
            try:
                piece = self.buffer.recv(PACKET_BYTES - len(self.part))
            except BlockingIOError:
                return
            if not piece:
                self.buffer.close()
                return
            self.part += piece
        self.packets, self.part = self.packets + 1, b""


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


class Flood:
    """A socket on which a broker never stops; it gives up on a reader that does not stop either."""

    def __init__(self, sock):
        self._sock, self.blocks = sock, 0
        self.fileno, self.close = sock.fileno, sock.close

    def recv(self, size):
        self.blocks += 1
        if self.blocks > 1000:
            raise ConnectionResetError
        return size * b"x"


def test_socket_buffer_leaves_the_loop_its_turns_while_the_broker_never_stops(ends):
    ours, theirs = ends
    theirs.send(b"x")  # the system says that there is something to read, and does so for ever

    async def work():
        flood = Flood(ours)
        buffer = SocketBuffer(flood)
        reader = Reader(buffer)
        buffer.attach(asyncio.get_running_loop(), reader.read)
        for _ in range(20):
            await asyncio.sleep(0)
        buffer.close()
        return flood.blocks, reader.packets

    blocks, packets = asyncio.run(work())
    assert 10 <= blocks <= 42  # two a turn: one that the system speaks of, and one because the last was full
    assert packets == blocks * 65536 // PACKET_BYTES


def test_socket_buffer_gives_every_byte_of_a_long_burst(ends):
    ours, theirs = ends
    packets = 5000
    sender = threading.Thread(target=lambda: (theirs.sendall(packets * PACKET_BYTES * b"x"), theirs.close()))

    async def work():
        buffer = SocketBuffer(ours)
        reader = Reader(buffer)
        buffer.attach(asyncio.get_running_loop(), reader.read)
        while not buffer.is_closed:
            await asyncio.sleep(0.001)
        return reader.packets, reader.part

    sender.start()
    assert asyncio.run(asyncio.wait_for(work(), 20)) == (packets, b"")
    sender.join()
