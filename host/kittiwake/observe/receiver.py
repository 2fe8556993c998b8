"""A connection to a syslog receiver over TLS. It knows bytes alone.

Syslog has no acknowledgement. What counts as taken here is what the receiver's machine has confirmed to ours, while its
end of the connection was open; what came to neither is sent again, so a receiver may see an event twice.
"""

from __future__ import annotations

import array
import contextlib
import socket
import ssl
import sys
import time

_CONNECT_S = 5.0
_TAKEN_S = 5.0
_LOOK_S = 0.02


class Receiver:
    """One connection, over TLS 1.2 or later.

    Args:
        address: host and port.
        ca_file: CAs to trust, PEM; "" for the system's.
        certificate_file, key_file: ours, PEM; "" for none.

    Raises:
        OSError: it cannot be made: ssl.SSLCertVerificationError where the receiver's certificate is refused.
    """

    def __init__(self, address: tuple[str, int], ca_file: str, certificate_file: str, key_file: str):
        context = ssl.create_default_context(cafile=ca_file or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if certificate_file:
            context.load_cert_chain(certificate_file, key_file)
        raw = socket.create_connection(address, _CONNECT_S)
        try:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = context.wrap_socket(raw, server_hostname=address[0])
        except BaseException:
            raw.close()
            raise

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            self._socket.close()

    def check(self) -> None:
        """Make sure that the other end is open.

        Raises:
            OSError: it is not.
        """
        self._socket.settimeout(0)
        try:
            if not self._socket.recv(1024):
                raise ConnectionResetError("the receiver closed the connection")
        except (ssl.SSLWantReadError, BlockingIOError):
            pass  # it says nothing, as a receiver does
        finally:
            self._socket.settimeout(_CONNECT_S)

    def send(self, data: bytes) -> None:
        """Send, and wait until the other machine has it.

        Args:
            data: whole frames.

        Raises:
            OSError: it may not have all of it.
        """
        self.check()
        self._socket.sendall(data)
        end_s = time.monotonic() + _TAKEN_S
        while _unconfirmed_bytes(self._socket):
            if time.monotonic() > end_s:
                raise TimeoutError("the receiver's machine does not confirm")
            time.sleep(_LOOK_S)
        self.check()


def _unconfirmed_bytes(sock: socket.socket) -> int:
    """Bytes that the other machine has not confirmed; 0 where the system does not say."""
    if not sys.platform.startswith("linux"):
        return 0
    import fcntl
    import termios

    count = array.array("i", [0])
    fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, count)
    return count[0]
