"""A peer on a socket that opens a session as a device does, and then writes records without regard for the window."""

import socket
import threading

from kittiwake_node.link import messages
from kittiwake_node.link import record as rec
from kittiwake_node.link.frame import FrameDecoder, encode

JOURNAL = 0x1122334455667788


class Flood:
    """Listens; what connects is flooded from `begin` on until `stop`, as fast as it reads.

    Args:
        name: device id.
        body: of each record.
        kind: of each record.

    Attributes:
        sent: records written.
    """

    def __init__(self, name="flood", body=bytes(8), kind=rec.READING):
        self.name, self.body, self.kind = name, body, kind
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        self._floods, self._stops = threading.Event(), threading.Event()
        self.sent = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def begin(self):
        self._floods.set()

    def stop(self):
        self._stops.set()
        self._listener.close()
        self._thread.join(10)

    def _serve(self):
        while not self._stops.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with sock:
                sock.settimeout(0.05)
                try:
                    self._speak(sock)
                except OSError:
                    continue  # it hung up, or we stop

    def _speak(self, sock):
        decoder, session, seq = FrameDecoder(), None, 0
        while not self._stops.is_set():
            try:
                data = sock.recv(65536)
                if not data:
                    return
                decoder.feed(data)
            except TimeoutError:
                pass
            while event := decoder.next_event():
                if event == FrameDecoder.FRAME and decoder.kind == messages.OPEN:
                    session, seq = messages.unpack_open(decoder.payload)[0], 0
                    hello = messages.pack_hello(session, 1024, JOURNAL, 1, 0, 1 << 31, self.name)
                    described = messages.pack_description(session, 1, b"[]")
                    self._write(sock, encode(messages.HELLO, hello) + encode(messages.DESCRIPTION, described))
            if session is not None and self._floods.is_set():
                heap = b""
                for _ in range(64):
                    frame, seq = self._frame(session, seq)
                    heap += frame
                self._write(sock, heap)

    def _frame(self, session, seq):
        start, records = seq, b""
        while True:
            draft = rec.draft(self.kind, 0, rec.TELEMETRY, 1, 0, 0, 1, self.body)
            rec.seal(draft, 0, len(draft), seq)
            if records and len(records) + len(draft) > 1000:
                break
            records += bytes(draft)
            seq += 1
        self.sent += seq - start
        return encode(messages.RECORDS, messages.pack_records(session, start, records)), seq

    def _write(self, sock, data):
        # Whoever does not read holds us back, as a cable would; we look up now and then.
        while data and not self._stops.is_set():
            try:
                data = data[sock.send(data) :]
            except TimeoutError:
                continue
