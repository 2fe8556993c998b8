"""Keeps UTC from an SNTP server, without waiting for it, and sets the clock by which certificates are judged."""

import os

from ...mqtt import sntp
from .datagrams import Asker

_EVERY_MS = 3600000
_RETRY_MS = 60000
_EPOCH_2000_S = 946684800


class TimeSync:
    """Asks a server once an hour.

    Args:
        resolver: a Resolver of the server's host.
        port: the server's.
        set_clock: called with UTC in milliseconds since 1970 when it was told.

    Attributes:
        is_known: the time was told since start.
    """

    def __init__(self, resolver, port=sntp.PORT, set_clock=None):
        self._resolver = resolver
        self._port = port
        self._set_clock = set_clock or set_rtc
        self._asker = Asker(sntp.PACKET_BYTES)
        self._mark = b""
        self._next_ms = 0
        self._stage = 0  # 0 at rest, 1 looking for the server, 2 asking it
        self._told_ms = None
        self.is_known = False

    @property
    def has_tried(self):
        """Whether it was asked and answered, or will not answer just now: nobody need wait for it."""
        return self._stage == 0 and self._next_ms > 0

    def poll(self, now_ms):
        """Go on with it; call every turn while there is a network."""
        if self._stage == 0:
            if now_ms >= self._next_ms:
                self._resolver.start()
                self._stage = 1
        elif self._stage == 1:
            address = self._resolver.poll(now_ms)
            if address is None:
                self._rest(now_ms, _RETRY_MS)
            elif address:
                self._mark = os.urandom(8)
                self._asker.ask(address, self._port, sntp.request(self._mark))
                self._stage = 2
        else:
            data = self._asker.poll(now_ms)
            utc_ms = sntp.read_answer(data, self._mark) if data else None
            if utc_ms:
                self._told_ms = (utc_ms, now_ms)
                self.is_known = True
                self._set_clock(utc_ms)
                self._rest(now_ms, _EVERY_MS)
            elif data is None:
                self._rest(now_ms, _RETRY_MS)

    def take(self):
        """What was told since the last call, as (UTC in milliseconds, when in the clock's milliseconds), or None."""
        time_ms, self._told_ms = self._told_ms, None
        return time_ms

    def _rest(self, now_ms, span_ms):
        self._asker.close()
        self._stage = 0
        self._next_ms = now_ms + span_ms


def set_rtc(utc_ms):
    """Set the board's clock; the unix port's is the host's, and is left alone."""
    import time

    try:
        from machine import RTC
    except ImportError:
        return
    # Boards count from 2000 or from 1970, as their port has it.
    base_s = 0 if time.gmtime(0)[0] == 1970 else _EPOCH_2000_S
    t = time.gmtime(utc_ms // 1000 - base_s)
    RTC().datetime((t[0], t[1], t[2], t[6], t[3], t[4], t[5], 0))
