"""Who we are to the broker and whom we trust: files that are renewed while we run. It opens no connection."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
import threading
import time
from pathlib import Path

from kittiwake.errors import ConfigError
from kittiwake.mqtt import tls, validity
from kittiwake.mqtt.address import parse_url
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.observe.events import event

log = logging.getLogger(__name__)

LOOK_S = 10.0  # between two looks at the files
_DAY_S = 86400
FILES = ("ca_file", "crl_file", "certificate_file", "key_file", "key_password_file", "password_file")
# What the dates of a file are told as.
_DATED = {"certificate_file": "client", "ca_file": "ca", "crl_file": "crl"}


class Credentials:
    """The TLS context and the password, read from the files that the settings name, and read again when these change.

    What cannot be read is told, and what was read before stays.

    Args:
        broker: the settings.

    Attributes:
        broker: the settings that the files were read by.
        context: for connections made from now on; None without TLS.
        password: for connections made from now on, or "".
        problem: why the newest files were not taken, or "".
        ends: when things end, seconds since 1970: client (our certificate), ca and crl (the first of the file's to
            end), as far as there are such files; and broker (its certificate), which whoever connects notes.

    Raises:
        ConfigError: a file cannot be read or does not hold what it should.
    """

    def __init__(self, broker: BrokerSection):
        self._lock = threading.RLock()
        self.problem = ""
        self.ends: dict[str, float] = {}
        self._marks: tuple[object, ...] = ()
        self.context: ssl.SSLContext | None = None
        self.read(broker)

    def of_files(self, broker: BrokerSection) -> BrokerSection:
        """Make settings that differ from ours in the files alone.

        Args:
            broker: settings that name the files.
        """
        return self.broker.model_copy(update={name: getattr(broker, name) for name in FILES})

    def read(self, broker: BrokerSection) -> None:
        """Read the files; all of them are taken, or none.

        Args:
            broker: the settings; their URL is the one that we were made with.

        Raises:
            ConfigError: a file cannot be read or does not hold what it should; nothing has changed.
        """
        # One at a time: a look on its thread must not put back what a reload has just taken.
        with self._lock:
            self._read(broker)

    def _read(self, broker: BrokerSection) -> None:
        # The marks first: a file that changes while it is read is read again.
        self._marks = _marks(broker)
        context = tls.context(broker) if parse_url(broker.url).is_tls else None
        password = broker.password.get_secret_value()
        if broker.password_file:
            password = tls.read_secret(broker.password_file, "broker.password_file")
        ends = {name: min(times) for field, name in _DATED.items() if (times := _ends(broker, field))}
        if "broker" in self.ends:
            ends["broker"] = self.ends["broker"]
        self.broker, self.context, self.password, self.ends = broker, context, password, ends
        self.problem = ""

    def days_left(self) -> dict[str, float]:
        """Tell how many days each of `ends` is away; below zero when it is past."""
        now_s = time.time()
        return {name: (end - now_s) / _DAY_S for name, end in self.ends.items()}

    def look(self) -> None:
        """Read the files again if one of them was replaced or written; what cannot be taken is logged."""
        with self._lock:
            if _marks(self.broker) == self._marks:
                return
            try:
                self._read(self.broker)
            except ConfigError as error:
                self.problem = str(error)
                log.error(
                    "changed certificates are not taken, the old stay: %s", error, extra=event("certificate.refused")
                )
            else:
                log.warning(
                    "changed certificates are taken: the next connection to the broker uses them",
                    extra=event("certificate.changed"),
                )

    async def watch(self) -> None:
        """Look every LOOK_S seconds, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            # On a thread: a file system that hangs is to hold up nobody.
            await asyncio.to_thread(self.look)


def _marks(broker: BrokerSection) -> tuple[object, ...]:
    marks: list[object] = []
    for name in FILES:
        path = getattr(broker, name)
        try:
            # Of what a link leads to: renewing programs replace the link.
            state = os.stat(path) if path else None
        except OSError as error:
            marks.append(error.errno)
        else:
            marks.append(state and (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns))
    return tuple(marks)


def _ends(broker: BrokerSection, field: str) -> list[float]:
    path = getattr(broker, field)
    if not path:
        return []
    try:
        times = validity.ends(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"broker.{field}: {path}: {error}", "name a PEM file") from error
    # Behind our certificate there may be those of the authorities that lead to it.
    return times[:1] if field == "certificate_file" else times
