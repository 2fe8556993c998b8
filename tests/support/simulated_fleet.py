"""Boards as a broker shows them: statuses, health records, and how each stands with the release that it is to have.

For tests of what talks MQTT alone. One client speaks for all of them, as two bridges would.
"""

import json
import threading
import time

import paho.mqtt.client as paho

TICK_S = 0.1
HEALTH_TICKS = 5
OLD = 1


class Board:
    """One board.

    Args:
        name: its id.
        fault: what a release of `bad` does to it: "restarts", "refuses" or "".
    """

    def __init__(self, name, fault=""):
        self.name, self.fault = name, fault
        self.is_there = True
        self.boot, self.counter, self.file = 1, OLD, ""
        self.begun_s = time.monotonic()
        self.ran = [OLD]
        self.arrives_s = None

    def health(self):
        uptime_ms = int(1000 * (time.monotonic() - self.begun_s)) + 1
        counters = {"heap_free": 90_000, "loop_max_us": 9_000, "alerts": 0, "journal_bytes": 1000}
        return {"device": self.name, "boot": self.boot, "uptime_ms": uptime_ms, "journal_limit_bytes": 9000, **counters}

    def restart(self):
        self.boot += 1
        self.begun_s = time.monotonic()


class SimulatedFleet:
    """Boards behind a broker for as long as the context lasts.

    Args:
        port: of the broker.
        boards: of it.
        counters: file of a release -> its counter.
        bad: counter of the release that faults belong to.
        transfer_s: seconds until a release has arrived and proved itself.
    """

    def __init__(self, port, boards, counters, bad=0, transfer_s=0.3):
        self.boards = {board.name: board for board in boards}
        self._port, self._counters, self._bad, self._transfer_s = port, counters, bad, transfer_s
        self._lock, self._must_end = threading.Lock(), threading.Event()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.on_message = self._take
        self._ticker = threading.Thread(target=self._tick)

    def __enter__(self):
        self._client.connect("127.0.0.1", self._port)
        self._client.subscribe([("kittiwake/+/release", 1), ("kittiwake/+/cmd", 1)])
        self._client.loop_start()
        self._say("north", "devices", sorted(self.boards))
        for board in self.boards.values():
            self.appear(board.name) if board.is_there else self.leave(board.name)
        self._ticker.start()
        return self

    def __exit__(self, *_):
        self._must_end.set()
        self._ticker.join()
        self._client.disconnect()
        self._client.loop_stop()

    def appear(self, name):
        with self._lock:
            self.boards[name].is_there = True
        self._client.publish(f"kittiwake/{name}/status", b"online", 1, retain=True)

    def leave(self, name):
        with self._lock:
            self.boards[name].is_there = False
        self._client.publish(f"kittiwake/{name}/status", b"offline", 1, retain=True)

    def running(self):
        """Counters of what boards run -> how many."""
        counters = [board.counter for board in self.boards.values()]
        return {counter: counters.count(counter) for counter in set(counters)}

    def _say(self, name, leaf, body, retain=True, qos=1):
        self._client.publish(f"kittiwake/{name}/{leaf}", json.dumps(body), qos, retain)

    def _take(self, client, userdata, message):
        _, name, leaf = message.topic.split("/")
        board = self.boards.get(name)
        if board is None:
            return
        with self._lock:
            if leaf == "cmd" and board.is_there:
                answer = {"id": json.loads(message.payload)["id"], "op": "identify", "device": name, "bridge": "north"}
                self._say(name, "resp", answer | {"status": "ok", "result": {"firmware": str(board.counter)}}, False)
            elif leaf == "release" and message.payload:
                board.file = json.loads(message.payload)["file"]
                if self._counters[board.file] != board.counter and board.arrives_s is None:
                    board.arrives_s = time.monotonic() + self._transfer_s

    def _tick(self):
        tick = 0
        while not self._must_end.wait(TICK_S):
            tick += 1
            with self._lock:
                for number, board in enumerate(self.boards.values()):
                    if board.is_there:
                        self._go_on(board, (tick + number) % HEALTH_TICKS == 0)

    def _go_on(self, board, says_health):
        has_bad = board.counter == self._bad and board.fault == "restarts"
        if board.arrives_s is not None and time.monotonic() >= board.arrives_s:
            board.arrives_s = None
            counter = self._counters[board.file]
            if counter == self._bad and board.fault == "refuses":
                self._report(board, "refused", reason="its signature is not good")
                return
            board.counter = counter
            board.ran.append(counter)
            board.restart()
            self._report(board, "running")
        elif has_bad and says_health:
            board.restart()
        if says_health:
            self._say(board.name, "health", board.health(), False, 0)  # there is a next one

    def _report(self, board, state, **more):
        body = {"file": board.file, "state": state, "counter": self._counters[board.file]}
        self._say(board.name, "update", body | more)
