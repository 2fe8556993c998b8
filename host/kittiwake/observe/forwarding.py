"""Security events on their way from the log to a syslog receiver: first to the disk, from there over TLS.

One thread does both, so that neither a disk nor a network holds up whoever logs. It knows no process's workings.
"""

from __future__ import annotations

import logging
import os
import queue
import socket
import ssl
import threading
import time
from pathlib import Path

from kittiwake.errors import KittiwakeError
from kittiwake.observe import syslog
from kittiwake.observe.events import event
from kittiwake.observe.kept_events import KeptEvents
from kittiwake.observe.receiver import Receiver
from kittiwake.observe.settings import SyslogSection
from kittiwake.observe.syslog import SecurityEvent

log = logging.getLogger(__name__)

_BATCH = 200
_FIRST_S, _LAST_S = 1.0, 60.0
_LOOK_S = 5.0  # between looks whether the receiver is still there
_QUEUE_LIMIT = 4096
_CLOSE_S = 5.0


class Forwarder(logging.Handler):
    """A handler of the log that forwards what is of security.

    Args:
        section: the settings, with a server.
        service: names the process: "bridge", "window", ….

    Attributes:
        problem: why nothing is forwarded at the moment, or "".
        lost: events that found no room, neither here nor on the disk, since the process began.

    Raises:
        KittiwakeError: the file cannot be opened.
    """

    def __init__(self, section: SyslogSection, service: str):
        super().__init__()
        self._section, self._app = section, f"kittiwake-{service}"
        self._kept = KeptEvents(Path(section.folder) / f"{service}.events.sqlite", section.limit)
        self._arrived: queue.Queue[SecurityEvent | None] = queue.Queue(_QUEUE_LIMIT)
        self._unkept: list[SecurityEvent] = []
        self._receiver: Receiver | None = None
        self._wait_s, self._next_s = _FIRST_S, 0.0
        self._closes = False
        self._told: tuple[str, str] | None = None
        self.problem, self.lost = "", 0
        self._thread = threading.Thread(target=self._run, name="syslog", daemon=True)

    def start(self) -> None:
        """Begin, when the log is set up."""
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line of the log, if it is of security."""
        if not getattr(record, "is_security", False):
            return
        name = str(getattr(record, "event", ""))
        try:
            self._arrived.put_nowait(
                SecurityEvent(int(record.created * 1e6), record.levelno, name, record.getMessage())
            )
        except queue.Full:
            self.lost += 1

    def close(self) -> None:
        """Put on the disk, and send if it goes, what has come; a few seconds at most."""
        self._closes = True
        if self._thread.is_alive():
            self._arrived.put(None)
            self._thread.join(_CLOSE_S)
        super().close()

    def report(self) -> dict[str, object]:
        """How it is, JSON-ready."""
        return {"connected": self._receiver is not None, "problem": self.problem, "lost": self.lost}

    def _run(self) -> None:
        while not self._closes:
            self._gather(_LOOK_S if self._receiver else max(0.1, min(self._next_s - time.monotonic(), _LOOK_S)))
            self._forward()
        self._gather(0)
        self._forward()
        if self._receiver:
            self._receiver.close()
        self._kept.close()

    def _gather(self, wait_s: float) -> None:
        """Put on the disk what has come, or comes within a while."""
        try:
            first = self._arrived.get(timeout=wait_s) if wait_s else self._arrived.get_nowait()
            self._unkept += [first] if first else []
            while True:
                if following := self._arrived.get_nowait():
                    self._unkept.append(following)
        except queue.Empty:
            pass
        if len(self._unkept) > _QUEUE_LIMIT:
            self.lost += len(self._unkept) - _QUEUE_LIMIT
            del self._unkept[:-_QUEUE_LIMIT]
        if not self._unkept:
            return
        try:
            self._kept.add(self._unkept)
            self._unkept.clear()
        except KittiwakeError as error:
            self._tell(f"{error}; security events wait in memory", "")

    def _forward(self) -> None:
        """Send what is on the disk, if a receiver is there or may be."""
        if self._receiver is None and time.monotonic() < self._next_s:
            return
        section = self._section
        try:
            if self._receiver is None:
                paths = section.ca_file, section.certificate_file, section.key_file
                self._receiver = Receiver(section.address, *paths)
            else:
                self._receiver.check()
            self._send_all(self._receiver)
            self._tell("", "")
            self._wait_s = _FIRST_S
        except OSError as error:
            self._lose(error)
        except KittiwakeError as error:
            self._tell(str(error), "")

    def _send_all(self, receiver: Receiver) -> None:
        host, pid = socket.gethostname(), os.getpid()
        while batch := self._kept.oldest(_BATCH):
            frames = [syslog.frame(each, number, host, self._app, pid) for number, each in batch]
            receiver.send(b"".join(frames))
            self._kept.forget(batch[-1][0])
        if lost := self._kept.take_lost():
            text = f"{lost} security events had no room on the disk and are lost"
            self._kept.add([SecurityEvent(int(time.time() * 1e6), logging.ERROR, "events.lost", text)])

    def _lose(self, error: OSError) -> None:
        if self._receiver:
            self._receiver.close()
        self._receiver = None
        self._next_s = time.monotonic() + self._wait_s
        self._wait_s = min(2 * self._wait_s, _LAST_S)
        is_untrusted = isinstance(error, ssl.SSLCertVerificationError)
        why = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else error.strerror or str(error)
        self._tell(f"{self._section.server}: {why}", "certificate.untrusted" if is_untrusted else "syslog.away")

    def _tell(self, problem: str, name: str) -> None:
        """Log what is news."""
        if (problem, name) == self._told:
            return
        if problem:
            extra = event(name) if name else None
            log.error("syslog: %s; security events are kept until it works", problem, extra=extra)
        else:
            log.info("syslog: security events go to %s", self._section.server, extra=event("syslog.connected"))
        self._told, self.problem = (problem, name), problem
