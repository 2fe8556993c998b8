"""One device at the bridge: its session over its port, and when it is told that its records are safe.

A record is acknowledged to the device only when the sink (the broker; the spool, where one is configured) has confirmed
it. How a record becomes a publication, and what is on its way, is the intake's.
"""

from __future__ import annotations

import asyncio
import logging
import secrets

from kittiwake.bridge import intake, port_keeper
from kittiwake.bridge.clock import GatewayClock, monotonic_ms
from kittiwake.bridge.console import Console
from kittiwake.bridge.delivery import Counts, Sink
from kittiwake.bridge.link_callbacks import Callbacks
from kittiwake.bridge.settings import DeviceSection
from kittiwake.bridge.time_teller import TimeTeller
from kittiwake.bridge.verdicts import Judges
from kittiwake.errors import PortLostError
from kittiwake.observe import events
from kittiwake.peers.complaints import Complaints
from kittiwake.ports import serial
from kittiwake.publish import publisher
from kittiwake_node.link import gateway_session as gw

log = logging.getLogger(__name__)

COMPLAIN_EVERY_S = 5.0
_JUDGE_EVERY_MS = 1000
_RESTART_MS = 5000  # the name of a device that restarts on an open port stays that port's for so long
# So much is taken before others have their turn: a device that floods the line costs no other its time.
_SLICE_BYTES = 4096
# Records beyond the window that are taken still: the frame that reaches it may go past it.
_PAST_WINDOW = 32


class DeviceLink:
    """One device.

    Args:
        section: its settings.
        policy: how records become publications.
        sink: where these go.
        callbacks: what is told.
        judges: who hears wake words again; None for nobody.
        clock: whose time it is told; None for this machine's.

    Attributes:
        url: its port, see kittiwake.ports.
        counts: Counts.
        console: the Console, for its counter.
        session: the GatewaySession.
        intake: the Intake, which takes its records.
        lag: records in the device's journal that are not acknowledged, as of its last status.
        evicted: records the device evicted, by class, as of its last status.
        port_keeper: the PortKeeper, which `run`s the link.
        problem: why the port is not open or the device not taken, or "".
        is_online: the device has a session.
    """

    def __init__(
        self,
        section: DeviceSection,
        policy: publisher.Policy,
        sink: Sink,
        callbacks: Callbacks[DeviceLink] | None = None,
        judges: Judges | None = None,
        clock: GatewayClock | None = None,
    ):
        self.section = section
        self.url = section.port
        self.counts = Counts()
        self.console = Console(section.port)
        self.session = gw.GatewaySession(lambda: secrets.randbelow(0xFFFFFFFF) + 1, section.window)
        self._time = TimeTeller(self.session, clock or GatewayClock())
        self.lag, self.evicted = 0, (0, 0, 0)
        self.problem, self.is_online = "", False
        self.port_keeper = port_keeper.PortKeeper(
            self.url,
            section.baudrate,
            self._serve_until_lost,
            port_keeper.Callbacks(on_problem=self._tell_problem, on_closed=lambda: self._set_online(False)),
        )
        self._callbacks = callbacks or Callbacks[DeviceLink]()
        self.intake = intake.Intake(
            policy,
            sink,
            judges,
            lambda: self.session.window,
            self.counts,
            intake.Callbacks(
                on_described=lambda channels: self._callbacks.on_described(self, channels),
                on_confirmed=self._confirmed,
                on_backlog=lambda: self._callbacks.on_backlog(self),
                steps=self._callbacks.steps,
            ),
        )
        self._port: serial.Port | None = None
        self._is_foreign = self._settles = False
        self._begun: tuple[str, int] | None = None  # device and journal whose records the intake takes
        self._holds_until_ms = self._judge_ms = 0
        self._complaints, self._faults = Complaints(log, COMPLAIN_EVERY_S), Complaints(log)

    @property
    def device(self) -> str | None:
        """The device's id, None before it has said it."""
        return None if self._is_foreign else self.session.device

    @property
    def holds_name(self) -> bool:
        """Whether the device's name is this port's: it is on line, or will be when it has restarted."""
        return self.is_online or monotonic_ms() < self._holds_until_ms

    @property
    def identity(self) -> tuple[str, int]:
        """Device id and journal id of the session; only while there is one."""
        device, journal = self.session.device, self.session.journal
        if device is None or journal is None:
            raise RuntimeError("no device has answered here")
        return device, journal

    def set_stalled(self, is_stalled: bool) -> None:
        """Let the device know whether the broker is away; what it makes in an outage it marks as late.

        Args:
            is_stalled: the broker is away.
        """
        self.session.set_stalled(is_stalled)
        self._pump(monotonic_ms())

    def tick(self, now_ms: int) -> None:
        """Let the session say what is due; call every 100 ms or so.

        Args:
            now_ms: milliseconds that never go back.
        """
        if self._port is None:
            return
        was_open = self.session.is_open
        if not self._is_foreign:
            self._time.tick(now_ms)
        elif was_open and now_ms >= self._judge_ms:
            self._judge_ms = now_ms + _JUDGE_EVERY_MS
            if not self._refusal():
                self.session.reopen()  # its name is free now
        self._pump(now_ms)
        if was_open and not self.session.is_open:
            log.warning("%s: device %s is silent", self.url, self.session.device, extra=events.event("device.silent"))
            self._set_online(False)

    def hand_over(self, limit: int) -> int:
        """Give waiting publications to the sink while it has room.

        Args:
            limit: how many at most.

        Returns:
            How many still wait for room.
        """
        return self.intake.hand_over(limit)

    def request(self, op: int, body: bytes) -> int:
        """Send a request of a command; the reply comes to `on_reply`.

        Args:
            op: operation, see the link's messages.
            body: its arguments.

        Returns:
            The number that the reply will carry.
        """
        request = self.session.request(op, body)
        self._pump(monotonic_ms())
        return request

    def cancel(self, request: int) -> None:
        """Send a request no more; its reply does not come.

        Args:
            request: its number.
        """
        self.session.cancel(request)

    async def _serve_until_lost(self, port: serial.Port) -> None:
        self._port = port
        self.session.reopen()
        try:
            self._pump(monotonic_ms())
            while True:
                data = await port.read()
                for start in range(0, len(data), _SLICE_BYTES):
                    self._take(data[start : start + _SLICE_BYTES])
                    await asyncio.sleep(0)
        except PortLostError as error:
            self.counts.ports_lost += 1
            log.warning("%s: %s", self.url, error)
        except Exception as error:  # noqa: BLE001  # whatever it is, it ends this device's session and nobody else's
            self.counts.faults += 1
            self.session.reopen()  # what was received and not taken comes again in the next session
            self._faults.tell(f"{self.url}: its session ended by an error; this is a bug, please report it", error)
        finally:
            self._port = None

    def _take(self, data: bytes) -> None:
        self.counts.received_bytes += len(data)
        now_ms = monotonic_ms()
        room = self.session.window + _PAST_WINDOW - len(self.intake)
        for event in self.session.feed(data, now_ms, room):
            if event[0] == gw.RECORD:
                if not self._is_foreign:
                    self.intake.take(event[1], self.session.descriptions)
            elif event[0] == gw.OPENED:
                self._opened()
            elif event[0] == gw.STATUS:
                _, acked, next_seq, self.evicted = event
                self.lag = next_seq - acked
            elif event[0] == gw.REPLY:
                self._callbacks.on_reply(self, *event[1:])
            elif event[0] == gw.LOST:
                log.info("%s: %s", self.url, event[1])
                self._set_online(False)
            elif event[0] == gw.TEXT:
                for line in self.console.take(event[1]):
                    self._callbacks.on_text(self, line)
            elif event[0] == gw.REFUSED:
                self._complain(event[1])
        self._settle()
        self._pump(now_ms)

    def _opened(self) -> None:
        session = self.session
        self.counts.sessions += 1
        refusal = self._refusal()
        self._is_foreign = bool(refusal)
        if refusal:
            self.counts.names_refused += 1
            self._complain(refusal, events.event("device.refused"))
            return
        if self.identity != self._begun:
            self._begun = self.identity
            self.intake.begin(*self.identity, session.acked)
        self.problem = ""
        words = f"{session.device}, journal {session.journal:016x}, boot {session.boot}"
        log.info("%s: device %s", self.url, words, extra=events.event("device.session"))
        self._time.begin(monotonic_ms())
        self._set_online(True)
        self._callbacks.on_opened(self)

    def _refusal(self) -> str:
        device, wanted = self.identity[0], self.section.device
        if wanted not in ("", device):
            return f"device {device} is here, and {wanted} is wanted: its records stay with it"
        return self._callbacks.admit(self, device)

    def _confirmed(self) -> None:
        if not self._settles:
            # Once per turn of the loop: confirmations come in heaps, and one acknowledgement tells of them all.
            self._settles = True
            asyncio.get_running_loop().call_soon(self._settle)

    def _tell_problem(self, problem: str) -> None:
        self.problem = problem

    def _settle(self) -> None:
        self._settles = False
        session = self.session
        if not session.is_open or self._is_foreign:
            return
        done = self.intake.done(session.received)
        if done > session.acked:
            self.intake.acknowledged(done)
            session.ack(done)
            self._pump(monotonic_ms())

    def _pump(self, now_ms: int) -> None:
        port = self._port
        if port is None:
            return
        while port.waiting_bytes < serial.WRITE_LIMIT_BYTES:
            frame = self.session.next_output(now_ms)
            if frame is None:
                return
            try:
                port.try_write(frame)
            except PortLostError:
                return  # the reader is told the same, and ends the session

    def _complain(self, problem: str, extra: dict[str, object] | None = None) -> None:
        # A device gone mad says something else every time: not all of it is news.
        if problem != self.problem:
            self._complaints.tell(f"{self.url}: {problem}", extra=extra)
        self.problem = problem

    def _set_online(self, is_online: bool) -> None:
        if is_online != self.is_online and self.device is not None:
            self.is_online = is_online
            self._holds_until_ms = 0 if self._port is None else monotonic_ms() + _RESTART_MS
            self._callbacks.on_status(self, is_online)
