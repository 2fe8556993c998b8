"""A receiver of syslog over TLS, written from RFC 5424 and RFC 5425: it reads frames, and may go away."""

import contextlib
import re
import socket
import ssl
import threading

_MESSAGE = re.compile(
    r"<(?P<pri>\d{1,3})>1 (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) (?P<host>[!-~]{1,255}) (?P<app>[!-~]{1,48})"
    r" (?P<process>[!-~]{1,128}) (?P<name>[!-~]{1,32})"
    r' (?P<data>(?:\[[!-~]+(?: [!-~]+="(?:[^"\\\]]|\\.)*")*\])+) \ufeff(?P<text>.*)',
    re.DOTALL,
)


def frames(data):
    """Whole frames at the beginning of data, and what is left."""
    whole = []
    while found := re.match(rb"([1-9]\d*) ", data):
        end = found.end() + int(found[1])
        if len(data) < end:
            break
        whole.append(data[found.end() : end])
        data = data[end:]
    return whole, data


def read(frame):
    """A message's fields; `number` is its sequenceId."""
    found = _MESSAGE.fullmatch(frame.decode())
    assert found, frame
    fields = found.groupdict()
    fields["number"] = int(re.search(r'\[meta sequenceId="(\d+)"\]', fields["data"])[1])
    return fields


class LogReceiver:
    """Listens on a port while started, with a certificate; keeps what came in `messages` and, as bytes, in `raw`."""

    def __init__(self, port, folder):
        self.port, self._folder = port, folder
        self.messages, self.raw, self.refused = [], b"", 0
        self._listener, self._open = None, []

    def start(self, certificate):
        """Listen with NAME.pem of the folder."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._folder / f"{certificate}.pem", self._folder / f"{certificate}.key")
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener, context), daemon=True).start()

    def stop(self):
        """Be away: neither the port nor a connection is there."""
        if self._listener:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._listener, self._open = None, []

    def names(self):
        """Names of the events, in the order of their numbers, each once."""
        by_number = {message["number"]: message["name"] for message in self.messages}
        return [by_number[number] for number in sorted(by_number)]

    def _accept(self, listener, context):
        with contextlib.suppress(OSError):
            while True:
                raw, _ = listener.accept()
                threading.Thread(target=self._take, args=(raw, context), daemon=True).start()

    def _take(self, raw, context):
        try:
            connection = context.wrap_socket(raw, server_side=True)
        except OSError:
            self.refused += 1
            raw.close()
            return
        self._open.append(connection)
        data = b""
        with contextlib.suppress(OSError, ValueError):
            while part := connection.recv(65536):
                self.raw += part
                whole, data = frames(data + part)
                self.messages += [read(frame) for frame in whole]
