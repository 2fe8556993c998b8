"""Datagrams: one question to one server, asked again until an answer comes or patience ends. Never waits.

Knows UDP and when to ask again, not what is asked: DNS and SNTP use it (mqtt/dns.py, mqtt/sntp.py).
"""

import errno
import socket

_AGAIN_MS = 1000
_ATTEMPTS = 3


class Asker:
    """Asks one question at a time.

    Args:
        limit_bytes: longest answer; the buffer is kept.
    """

    def __init__(self, limit_bytes):
        self._limit = limit_bytes
        self._socket = None
        self._to = None
        self._question = b""
        self._asked = 0
        self._asked_ms = 0

    def ask(self, address, port, question):
        """Begin to ask. What was asked before is forgotten.

        Args:
            address: of the server, IPv4 in figures.
            port: its port.
            question: bytes.
        """
        self.close()
        self._to = socket.getaddrinfo(address, port)[0][-1]  # of figures: nobody is asked
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._question = question
        self._asked = 0

    def poll(self, now_ms):
        """What has arrived as bytes, b"" when nothing has, None when there will be no answer."""
        if self._socket is None:
            return None
        try:
            data = self._socket.recv(self._limit)
            if data:
                return data
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ETIMEDOUT):
                self.close()
                return None
        if not self._asked or now_ms - self._asked_ms >= _AGAIN_MS:
            if self._asked == _ATTEMPTS:
                self.close()
                return None
            self._asked += 1
            self._asked_ms = now_ms
            try:
                self._socket.sendto(self._question, self._to)
            except OSError:
                pass  # no route yet: asked again, or given up, as if it had been lost on the way
        return b""

    def close(self):
        """Forget the question. Idempotent."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
