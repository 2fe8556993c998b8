"""Finds a broker's address without waiting for the network. Knows hosts and servers, not who needs them."""

import os
import socket

from ...errors import FrameError
from ...mqtt import dns
from .datagrams import Asker


class Resolver:
    """Looks one host up, again before every connection.

    Args:
        host: a name, or an address in figures.
        server: called without arguments, gives (address, port) of a DNS server, or None where there is none to ask:
            then the port's own resolver is used, which waits (the unix port; on a board the Wi-Fi names a server).
    """

    def __init__(self, host, server):
        self._host = host
        self._server = server
        self._asker = Asker(dns.ANSWER_LIMIT_BYTES)
        self._question = b""
        self._last = ""

    def start(self):
        """Begin to look it up."""
        self._question = b""
        server = self._server()
        if dns.is_address(self._host) or server is None:
            return
        number = int.from_bytes(os.urandom(2), "big")
        self._question = dns.question(number, self._host)
        self._asker.ask(server[0], server[1], self._question)

    def poll(self, now_ms):
        """The address in figures, "" while it is not known yet, None when it is not to be found out."""
        if dns.is_address(self._host):
            return self._host
        if not self._question:
            return self._of_port()
        data = self._asker.poll(now_ms)
        if data == b"":
            return ""
        address = None
        if data:
            try:
                address = dns.read_answer(data, self._question)
            except FrameError:
                return ""
            if address is None:
                return ""  # of another question, or somebody's noise
        self._asker.close()
        # A server that is away must not keep us from a broker that has not moved.
        self._last = address or self._last
        return self._last or None

    def _of_port(self):
        try:
            address = socket.getaddrinfo(self._host, 0, socket.AF_INET, socket.SOCK_STREAM)[0][-1]
        except OSError:
            return None
        if isinstance(address, tuple):
            return address[0]
        return socket.inet_ntop(socket.AF_INET, socket.sockaddr(address)[1])  # the unix port gives it packed
