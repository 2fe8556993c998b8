"""A serial port on the network: raw TCP, or RFC 2217 by pyserial's server, which is not our client's library."""

import contextlib
import select
import socket
import threading

import serial
from serial import rfc2217


class _Terminal(serial.Serial):
    """A pseudo-terminal as a port: it has no modem lines."""

    cts = dsr = ri = cd = False

    def _update_dtr_state(self):
        pass

    def _update_rts_state(self):
        pass


@contextlib.contextmanager
def served(path, scheme):
    """Serve a port to one program at a time. Gives its URL.

    Args:
        path: of the port; opened while somebody is connected.
        scheme: "socket" or "rfc2217".
    """
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        thread = threading.Thread(target=_accept, args=(server, path, scheme, ended))
        thread.start()
        try:
            yield f"{scheme}://127.0.0.1:{server.getsockname()[1]}"
        finally:
            ended.set()
            thread.join()


def _accept(server, path, scheme, ended):
    while not ended.is_set():
        try:
            peer, _ = server.accept()
        except TimeoutError:
            continue
        with peer, _Terminal(path, 115200, timeout=0) as port, contextlib.suppress(OSError):
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _pass_on(peer, port, scheme, ended)


def _pass_on(peer, port, scheme, ended):
    class Answers:
        """Where the server's own answers go."""

        def write(self, data):
            peer.sendall(data)

    manager = rfc2217.PortManager(port, Answers()) if scheme == "rfc2217" else None
    while not ended.is_set():
        ready, _, _ = select.select([peer, port.fd], [], [], 0.1)
        if peer in ready:
            data = peer.recv(4096)
            if not data:
                return
            port.write(b"".join(manager.filter(data)) if manager else data)
        if port.fd in ready:
            data = port.read(4096)
            peer.sendall(b"".join(manager.escape(data)) if manager else data)
