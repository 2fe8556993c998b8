"""Updates: gives each device the release that it is to have, a piece at a time, and says how it stands.

The device says what it wants next, so that nothing is kept here: after any cut on either side it is asked again. What a
release is worth, the device judges; whoever gives it cannot install anything that was not signed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from kittiwake.observe.events import event
from kittiwake.supply.shelf import Shelf, Stored, Wanted, wanted_of
from kittiwake_node.link import messages as m

log = logging.getLogger(__name__)

_REPLY = "<BHIIIB"
_REPLY_BYTES = struct.calcsize(_REPLY)
# What a device's reply says first (docs/spec/link.md).
_IDLE, _BUSY, _WANTS, _HERE, _REFUSED, _ON_TRIAL, _BACK = range(7)
_NAMES = ("waiting", "receiving", "receiving", "starting", "refused", "trial", "back")
_RESET = "it was reset before it had proved itself"
_PIECE_BYTES = 512
_SLOW_S = 2.0  # one that is on trial
_SAY_S = 1.0
_TICK_S = 0.02
_REPEATS = 2  # of a release whose trial ended in a reset: the supply may have failed


class Link(Protocol):
    """A way to one device."""

    @property
    def device(self) -> str | None:
        """Its id, None before it has said it."""

    @property
    def is_online(self) -> bool:
        """Whether it can be asked."""

    def request(self, op: int, body: bytes) -> int:
        """Send a request of the link's messages; gives the number that its reply will carry."""

    def cancel(self, request: int) -> None:
        """Have no reply to a request come any more, and the request not sent again."""


class Updates:
    """The updates of all devices that one process gives releases to.

    Args:
        shelf: with the releases.
        base: first levels of every topic.
        find: gives the link of a device id, or None.
        say: called as say(topic, payload) to leave a retained message.
        ask_s: a device that is busy is asked again after so many seconds.
        patience_s: one that does not reply, after so many.
    """

    def __init__(
        self,
        shelf: Shelf,
        base: str,
        find: Callable[[str], Link | None],
        say: Callable[[str, bytes], None],
        ask_s: float = 0.03,
        patience_s: float = 2.0,
    ):
        self._ask_s, self._patience_s = ask_s, patience_s
        self._shelf, self._base, self._find, self._say = shelf, base, find, say
        self._wanted: dict[str, Wanted] = {}
        self._running: dict[str, _Update] = {}

    @property
    def filters(self) -> tuple[str, ...]:
        """Topics to subscribe to: none without a folder of releases."""
        return (f"{self._base}/+/release",) if self._shelf.is_there else ()

    async def watch(self) -> None:
        """Ask devices again until cancelled."""
        while True:
            await asyncio.sleep(_TICK_S)
            self.tick(time.monotonic())

    def on_message(self, topic: str, payload: bytes) -> bool:
        """Take a message of `filters`. Returns whether it was one."""
        head, _, tail = topic.rpartition("/")
        if tail != "release" or not head.startswith(self._base + "/"):
            return False
        device = head[len(self._base) + 1 :]
        wanted = wanted_of(payload)
        if wanted is None:
            log.warning('%s names no release: write {"file": "press-1.4.kwu"}', topic)
        elif wanted != self._wanted.get(device, Wanted("")):
            self._running.pop(device, None)
            if wanted.name:
                self._wanted[device] = wanted
            else:
                self._wanted.pop(device, None)
            link = self._find(device)
            if link is not None and link.is_online:
                self.on_opened(link)
        return True

    def on_opened(self, link: Link) -> None:
        """A device has a new session: how it stands with its release is asked."""
        device = link.device or ""
        wanted = self._wanted.get(device)
        if wanted is None:
            return
        update = self._running.get(device)
        if update is None or update.wanted != wanted:
            update = self._running[device] = _Update(wanted)
        update.is_over = False
        self._ask(link, update)

    def tick(self, now_s: float) -> None:
        """Ask again who is due.

        Args:
            now_s: seconds that never go back.
        """
        for device, update in self._running.items():
            if update.is_over or now_s < update.due_s:
                continue
            link = self._find(device)
            if link is not None and link.is_online:
                self._ask(link, update)

    def on_reply(self, link: Link, request: int, status: int, body: bytes) -> bool:
        """Take a device's reply. Returns whether it was to a request of ours."""
        update = self._running.get(link.device or "")
        if update is None or update.asked != (link, request):
            return False
        update.asked = None
        if status != m.OK or len(body) < _REPLY_BYTES:
            why = (
                body.decode(errors="replace")
                if status == m.REFUSED
                else "its firmware knows no releases: deploy it once"
            )
            self._end(link, update, "refused", why)
            return True
        stored = self._shelf.find(update.wanted)
        if stored is None:
            comes, why = self._shelf.ask(update.wanted)
            if comes:
                self._later(link, update, None, "fetching", _SLOW_S, why)
            else:
                self._end(link, update, "missing", why)
            return True
        state, entry, offset, counter, running, build = struct.unpack_from(_REPLY, body)
        text = body[_REPLY_BYTES:].decode(errors="replace")
        self._advance(link, update, stored, _Reply(state, entry, offset, counter, running, build, text))
        return True

    def _advance(self, link: Link, update: _Update, stored: Stored, reply: _Reply) -> None:
        ours = stored.head.counter
        if reply.state == _ON_TRIAL:
            self._later(link, update, stored, "trial", _SLOW_S)
        elif reply.running == ours:
            self._end(link, update, "running", "", stored)
        elif (
            reply.state == _BACK and reply.counter == ours and not (reply.text == _RESET and update.repeats < _REPEATS)
        ):
            self._end(link, update, "back", reply.text, stored)
        elif reply.state == _REFUSED and reply.counter == ours and update.offered >= len(stored.signatures):
            self._end(link, update, "refused", reply.text, stored)
        elif reply.state in (_BUSY, _HERE) and reply.counter == ours:
            self._later(link, update, stored, _NAMES[reply.state], self._ask_s)
        elif reply.state == _WANTS and reply.counter == ours:
            piece = stored.piece(reply.build, reply.entry, reply.offset, _PIECE_BYTES)
            if not piece:
                self._end(link, update, "refused", "it wants what the release does not have", stored)
                return
            update.sent_bytes += len(piece)
            self._report(link, update, stored, "receiving")
            self._request(link, update, m.OP_UPDATE_PIECE, struct.pack("<HI", reply.entry, reply.offset) + piece)
        else:
            self._offer(link, update, stored, reply)

    def _offer(self, link: Link, update: _Update, stored: Stored, reply: _Reply) -> None:
        if update.offered >= len(stored.signatures):
            update.offered = 0
        if reply.state == _BACK and not update.offered:
            update.repeats += 1
        body = stored.raw_head + stored.signatures[update.offered]
        update.offered += 1
        self._request(link, update, m.OP_UPDATE_OFFER, body)

    def _ask(self, link: Link, update: _Update) -> None:
        self._request(link, update, m.OP_UPDATE_PROGRESS, b"")

    def _request(self, link: Link, update: _Update, op: int, body: bytes) -> None:
        update.due_s = time.monotonic() + self._patience_s
        if update.asked is not None and update.asked[0] is link:
            link.cancel(update.asked[1])
        update.asked = (link, link.request(op, body))

    def _later(
        self, link: Link, update: _Update, stored: Stored | None, state: str, wait_s: float, reason: str = ""
    ) -> None:
        update.due_s = time.monotonic() + wait_s
        self._report(link, update, stored, state, reason)

    def _end(self, link: Link, update: _Update, state: str, reason: str, stored: Stored | None = None) -> None:
        update.is_over = True
        log.info(
            "release %s of %s: %s%s",
            update.wanted.name,
            link.device,
            state,
            f": {reason}" if reason else "",
            extra=event("update.ended"),
        )
        self._report(link, update, stored, state, reason)

    def _report(self, link: Link, update: _Update, stored: Stored | None, state: str, reason: str = "") -> None:
        now_s = time.monotonic()
        if state == update.said and now_s - update.said_s < _SAY_S and not update.is_over:
            return
        update.said, update.said_s = state, now_s
        body: dict[str, object] = {"file": update.wanted.name, "state": state, "sent_bytes": update.sent_bytes}
        if stored is not None:
            body |= {"version": stored.head.version, "counter": stored.head.counter}
        if reason:
            body["reason"] = reason
        self._say(f"{self._base}/{link.device}/update", json.dumps(body, separators=(",", ":")).encode())


@dataclass
class _Update:
    """How a device stands with a release. `asked` is the request without a reply; `offered` counts signatures."""

    wanted: Wanted
    is_over: bool = False
    asked: tuple[Link, int] | None = None
    due_s: float = 0.0
    offered: int = 0
    repeats: int = 0
    sent_bytes: int = 0
    said: str = ""
    said_s: float = 0.0


@dataclass(frozen=True)
class _Reply:
    state: int
    entry: int
    offset: int
    counter: int
    running: int
    build: int
    text: str
