"""A DNS and a time server of a test's own, on free loopback ports, on a thread each. They answer one thing."""

import socket
import struct
import threading

_EPOCH_S = 2208988800


class UdpServer:
    """Answers every datagram by `answer(data)`, which gives bytes or None for silence; `asked` counts them."""

    def __init__(self, answer):
        self._answer = answer
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.asked = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self):
        while True:
            data, peer = self._socket.recvfrom(2048)
            if data == b"end":
                return
            self.asked += 1
            answer = self._answer(data)
            if answer:
                self._socket.sendto(answer, peer)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ending:
            ending.sendto(b"end", ("127.0.0.1", self.port))
        self._thread.join(10)
        self._socket.close()


def dns(hosts):
    """An answer to a question for an address: a name that points to another, then that one's (RFC 1035, 4.1)."""

    def answer(data):
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1 : at + 1 + data[at]].decode())
            at += 1 + data[at]
        question = data[12 : at + 5]
        host = ".".join(labels)
        if host not in hosts:
            return data[:2] + struct.pack(">HHHHH", 0x8183, 1, 0, 0, 0) + question
        alias = b"\xc0\x0c" + struct.pack(">HHIH", 5, 1, 60, 6) + b"\x04real\xc0\x0c"[:6]
        address = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton(hosts[host])
        return data[:2] + struct.pack(">HHHHH", 0x8180, 1, 2, 0, 0) + question + alias + address

    return answer


def sntp(utc_ms):
    """An answer that tells one time for ever (RFC 4330, section 4)."""

    def answer(data):
        seconds, ms = divmod(utc_ms, 1000)
        head = b"\x24\x02\x00\x00" + bytes(20) + data[40:48] + bytes(8)
        return head + struct.pack(">II", (seconds + _EPOCH_S) & 0xFFFFFFFF, (ms << 32) // 1000)

    return answer
