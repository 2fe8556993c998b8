"""Boards whose sessions, updates and slots are the firmware's own, on this machine: one thread carries hundreds.

The port is a socket that a real bridge opens; what starts after a reset is decided by firmware/main.py's own functions.
Only what runs in a slot is not: each board goes on with the firmware of this process, and takes its counter from the
head in the slot.
"""

import asyncio
import binascii
import json
import random
import time
from concurrent import futures
from types import SimpleNamespace
from unittest import mock

import kittiwake
from kittiwake_node import updating
from kittiwake_node.errors import FrameError
from kittiwake_node.io import build_facts
from kittiwake_node.link import messages, payload
from kittiwake_node.link import record as rec
from kittiwake_node.link.device_session import DeviceSession
from kittiwake_node.update import manifest, slots
from tests.support import release_keys
from tests.support.hil import SOAK
from tests.support.host_fs import HostFs
from tools.devices import MemoryJournal
from tools.virtual_ports import SocketPort

TURN_S = 0.1 if SOAK else 0.05
HEALTH_MS = 3000 if SOAK else 1000
STEPS = 16  # of an update, in a turn
RESTARTS_MS = 1500  # how long a board that keeps restarting runs each time
_BLOCKS = 1 << 20
_HEALTH = {"heap_free": 90_000, "loop_max_us": 9_000, "journal_bytes": 1000, "journal_limit_bytes": 9000}


class CoreBoard:
    """One board.

    Args:
        name: its id.
        folder: that becomes its file system.
        files: what the slot that runs holds.
        fault: counter of the release that makes it restart again and again; 0 for none.

    Attributes:
        ran: counters of the releases that it has started, in their order; 0 for what came by the cable.
        port: that a bridge opens.
    """

    def __init__(self, name, folder, files, fault=0):
        self.name, self._fault = name, fault
        self.fs = HostFs(folder, blocks=_BLOCKS)
        for path, content in files.items():
            at = folder / "app-a" / path
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_bytes(content)
        slots.mark(self.fs, "app-a", slots.READY, 1)
        self.journal = MemoryJournal(random.Random(name).getrandbits(64))
        self.port = SocketPort()
        self.boot, self.ran, self.is_there = 0, [], False

    def start(self):
        """Power on: the slot that main.py starts."""
        slot = self._choose()
        self.boot += 1
        self._began_s, self._health_ms = time.monotonic(), 0
        self._channel = SimpleNamespace(number=0, index=0)
        keeping = SimpleNamespace(journal=self.journal, fs=None, problem=None)
        with mock.patch.object(updating, "FolderFs", lambda root: self.fs):
            self._updating = updating.Updating(slot, [self._channel], keeping, self._note)
        self.session = DeviceSession(self.name, self.boot, self.journal, self._carry_out)
        self._add(rec.BOOT, payload.pack_boot(0, 90_000, "core"), rec.ALERT)
        self._updating.begin()
        self.counter = self._counter_of(slot)
        if self.ran[-1:] != [self.counter]:
            self.ran.append(self.counter)

    def appear(self):
        """Plug the port in."""
        self.is_there = True
        self.port.open(self._feed)

    def leave(self):
        """Pull the port's plug."""
        self.is_there = False
        self.port.close()

    def turn(self):
        """What the node's loop does in a while."""
        now_ms = self._now_ms()
        self._channel.index += 1
        if now_ms - self._health_ms >= HEALTH_MS:
            self._health_ms = now_ms
            self._add(rec.HEALTH, payload.pack_health(_HEALTH | {"samples": self._channel.index}), rec.TELEMETRY)
        for _ in range(STEPS):
            self._updating.step(self._now_ms(), False)
            if not self._updating.has_work:
                break
        is_faulty = self._fault and self.counter == self._fault and slots.number(self.fs, self._slot, slots.READY)
        if self._updating.restarts or (is_faulty and now_ms >= RESTARTS_MS):
            self._updating.close()
            self.start()
        self._pump()

    def _choose(self):
        """What firmware/main.py does before it imports anything."""
        main = {"open": lambda path, mode="r": self.fs.open(path, mode), "binascii": binascii}
        exec(_MAIN, main)
        for slot in sorted(slots.NAMES, key=main["_standing"], reverse=True):
            number, is_on_trial = main["_standing"](slot)
            if number:
                if is_on_trial:
                    main["_write_tried"](slot, slots.RESET)
                self._slot = slot
                return slot
        raise AssertionError(f"{self.name} is a brick")

    def _counter_of(self, slot):
        try:
            return manifest.read_head(slots.read(self.fs, slot + "/head", manifest.HEAD_LIMIT_BYTES)).counter
        except FrameError:
            return 0

    def _carry_out(self, op, body, now_ms):
        if op == messages.OP_IDENTIFY:
            identity = {"firmware": str(self.counter), "on": "core", "unique_id": self.name, "reset_cause": "power on"}
            return messages.OK, json.dumps(identity).encode()
        if messages.OP_UPDATE_OFFER <= op <= messages.OP_UPDATE_PROGRESS:
            return self._updating.handle(op, body, now_ms)
        return (messages.OK, b"") if op == messages.OP_TIME else (messages.UNKNOWN, b"")

    def _note(self, text):
        self._add(rec.EVENT, payload.pack_event(5, text), rec.ALERT)

    def _add(self, kind, body, cls):
        self.journal.add(kind, body, self.boot, self._now_ms(), cls)

    def _now_ms(self):
        return int(1000 * (time.monotonic() - self._began_s)) + 1

    def _feed(self, data):
        self.session.feed(data, self._now_ms())
        self._pump()

    def _pump(self):
        while self.is_there and self.port.is_free and (frame := self.session.next_output(self._now_ms())) is not None:
            self.port.write(frame)


def _main_functions():
    source = kittiwake.firmware_files()["main.py"].decode()
    return compile(source[source.index("def _number") : source.index("def _load")], "main.py", "exec")


_MAIN = _main_functions()


class CoreFleet:
    """Boards, run by a thread for as long as the context lasts. All trust the first test key, and are `arch`.

    Args:
        boards: CoreBoard of each.
        arch: as mpy-cross names it.
    """

    def __init__(self, boards, arch):
        self.boards = {board.name: board for board in boards}
        self._loop = asyncio.new_event_loop()
        self._thread = futures.ThreadPoolExecutor(1)
        self._is_over = False
        modulus = release_keys.modulus_of(release_keys.private_key(0))
        known = {"keys": [modulus], "arch": arch, "machine": "virtual board", "version": (1, 28)}
        self._patches = [
            mock.patch.object(build_facts, name, lambda value=value: value) for name, value in known.items()
        ]

    def __enter__(self):
        for patch in self._patches:
            patch.start()
        for board in self.boards.values():
            board.start()
        self._run = self._thread.submit(lambda: self._loop.run_until_complete(self._work()))
        self.appear(self.boards)
        return self

    def __exit__(self, *_):
        self._is_over = True
        self._thread.shutdown()
        self._loop.close()
        for patch in self._patches:
            patch.stop()
        self._run.result()  # what a board raised

    def appear(self, names):
        self._do(names, CoreBoard.appear)

    def leave(self, names):
        self._do(names, CoreBoard.leave)

    def running(self):
        """Counters of what boards run -> how many."""
        counters = [board.counter for board in self.boards.values()]
        return {counter: counters.count(counter) for counter in set(counters)}

    def _do(self, names, what):
        async def done():
            for name in names:
                what(self.boards[name])

        asyncio.run_coroutine_threadsafe(done(), self._loop).result(60)

    async def _work(self):
        while not self._is_over:
            for board in self.boards.values():
                board.turn()
                await asyncio.sleep(0)
            await asyncio.sleep(TURN_S)
        for board in self.boards.values():
            board.port.discard()
