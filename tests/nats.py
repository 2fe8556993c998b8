"""Three NATS servers of a test's own, by the example configuration: JetStream on three disks, and its MQTT door."""

import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from tests.support import certificates
from tests.support.free_ports import free_port
from tests.support.processes import dying_with_us
from tests.support.repository import ROOT
from tools import system

START_S = 30.0
EXAMPLE = ROOT / "deploy" / "nats" / "node.conf"
PASSWORDS = {"bridge": "b-secret", "history": "h-secret"}


class Cluster:
    """Starts on entering, stops on leaving; ports and states stay the same over restarts.

    Args:
        folder: for configurations, states and logs.
    """

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        self.certificates = certificates.make(self.folder / "certificates")
        certificates.sign(
            self.certificates,
            "node",
            "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth",
        )
        passwords = "".join(f'{user.upper()}_PASSWORD: "{word}"\n' for user, word in PASSWORDS.items())
        (self.folder / "passwords.conf").write_text(passwords)
        self.mqtt_ports = [free_port() for _ in range(3)]
        route_ports = [free_port() for _ in range(3)]
        for number in range(3):
            self._write(number, route_ports)
        self._processes: list[subprocess.Popen[bytes] | None] = [None] * 3

    def _write(self, number: int, route_ports: list[int]) -> None:
        text = EXAMPLE.read_text()
        places = [
            ("/etc/nats/passwords.conf", "passwords.conf"),
            ("/etc/nats", str(self.certificates)),
            ("server_name: node-1", f"server_name: node-{number + 1}"),
            ('listen: "127.0.0.1:4222"', f'listen: "127.0.0.1:{free_port()}"'),
            ('ack_wait: "60s"', 'ack_wait: "5s"'),  # what a killed subscriber had got comes again soon
            ("/var/lib/nats", str(self.folder / f"state-{number}")),
            ("0.0.0.0:8883", f"127.0.0.1:{self.mqtt_ports[number]}"),
            ("0.0.0.0:6222", f"127.0.0.1:{route_ports[number]}"),
            *((f"nats://node-{n + 1}:6222", f"nats://127.0.0.1:{port}") for n, port in enumerate(route_ports)),
        ]
        for place, there in places:
            assert place in text, place
            text = text.replace(place, there)
        (self.folder / f"node-{number}.conf").write_text(text)

    def url(self, number: int) -> str:
        return f"mqtts://127.0.0.1:{self.mqtt_ports[number]}"

    def start(self, number: int) -> None:
        program = system.find("nats-server")
        assert program is not None, "nats-server is not installed"
        with open(self.folder / f"node-{number}.log", "ab") as log:
            command = dying_with_us([program, "-c", str(self.folder / f"node-{number}.conf")])
            self._processes[number] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self, number: int) -> None:
        """kill -9."""
        process = self._processes[number]
        assert process is not None, "it was not started"
        process.send_signal(signal.SIGKILL)
        process.wait()

    def __enter__(self) -> Self:
        for number in range(3):
            self.start(number)
        deadline = time.monotonic() + START_S
        waiting = set(self.mqtt_ports)
        while waiting:
            for port in list(waiting):
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    waiting.discard(port)
                except OSError:
                    time.sleep(0.1)
            if time.monotonic() > deadline:
                self.__exit__()
                raise AssertionError((self.folder / "node-0.log").read_text()[-2000:])
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            if process is not None and process.poll() is None:
                process.terminate()
        for process in self._processes:
            if process is not None:
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
