"""A Mosquitto of a test's own: on a free loopback port, with its state on disk, to be stopped, killed and frozen."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from tests.support.free_ports import free_port
from tests.support.processes import dying_with_us
from tests.support.waiting import until_still
from tools import system

START_S = 10.0
STILL_S = 0.3
HAND_ON_AT_ONCE = "max_inflight_messages 0"


def refusing_subscriptions(folder: Path) -> str:
    """Configuration of a Mosquitto that refuses every subscription: its plugin does, an ACL file only hides."""
    (folder / "rules.json").write_text(
        '{"defaultACLAccess": {"publishClientSend": true, "publishClientReceive": true, "subscribe": false}}'
    )
    plugin = next(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"))
    return f"plugin {plugin}\nplugin_opt_config_file {folder}/rules.json"


class Mosquitto:
    """Starts on entering, stops on leaving; the port and the state stay the same over restarts.

    Args:
        folder: for configuration, state and log.
        config: more lines of mosquitto.conf.
        whole: all of mosquitto.conf instead, with PORT where the port goes (persistence is added).
    """

    def __init__(self, folder: Path, config: str = "", whole: str | None = None):
        self.folder = Path(folder)
        self.port = free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        user = "user root\n" if os.geteuid() == 0 else ""  # else it drops to a user who may not write the folder
        listener = f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
        if whole is not None:
            self.folder.joinpath("mosquitto.conf").write_text(user + whole.replace("PORT", str(self.port)))
            return
        (self.folder / "mosquitto.conf").write_text(
            f"{listener}{user}"
            # Every change is saved at once: kill() is to lose nothing that was confirmed.
            f"persistence true\npersistence_location {self.folder}/\nautosave_on_changes true\nautosave_interval 1\n"
            f"max_queued_messages 0\nset_tcp_nodelay true\n{config}\n"
        )

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        assert not self.is_running
        program = system.find("mosquitto")
        assert program is not None, "mosquitto is not installed"
        command = dying_with_us([program, "-c", str(self.folder / "mosquitto.conf")])
        with open(self.folder / "mosquitto.log", "ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self.is_running:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.01)
        raise AssertionError(f"mosquitto did not start: {(self.folder / 'mosquitto.log').read_text()[-500:]}")

    def stop(self) -> None:
        """End it in order: it saves its state."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def kill_when_heard(self, heard: Path) -> None:
        """kill -9, as soon as a connected subscriber has what it was given.

        Mosquitto confirms before it saves, and hands a message on before it confirms. Killed in between, it has lost
        what it confirmed: its loss, of which the subscriber could not know but by having it. It is given everything at
        once only under `max_inflight_messages 0`, and what lies unread when its connection breaks it never reads.

        Args:
            heard: file that the subscriber writes down each message in.
        """
        self.freeze()
        until_still(heard, STILL_S)
        self.kill()

    def freeze(self) -> None:
        """Stop answering without closing a connection; `thaw` goes on."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._send(signal.SIGCONT)

    def save(self) -> None:
        """Have it write its state to its disk now, whatever its configuration says of that."""
        self._send(signal.SIGUSR1)

    def reload(self) -> None:
        """Read the ACL and the passwords again."""
        self._send(signal.SIGHUP)

    def restart(self) -> None:
        self.stop()
        self.start()

    def _send(self, number: int) -> None:
        assert self._process is not None, "mosquitto was not started"
        self._process.send_signal(number)

    def _end(self, number: int) -> None:
        if self._process is None:
            return
        if self.is_running:
            self._send(number)
            self._send(signal.SIGCONT)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
