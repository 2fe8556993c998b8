"""A PostgreSQL of a test's own: on a free loopback port, to be stopped and killed; its data stay until its end."""

import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

from tests.support.free_ports import free_port
from tests.support.processes import dying_with_us

START_S = 30.0
_USER = "postgres"  # of Debian's package; the server refuses to run as root
_OF_ROOT = os.geteuid() == 0


def program(name: str) -> str:
    """Path of one of the server's programs, of the newest version that is there."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), key=lambda path: int(path.split("/")[4]))
    path = found[-1] if found else shutil.which(name)
    assert path, f"{name} is not installed"
    return path


class Postgres:
    """Starts on entering, stops on leaving; the port and the data stay the same over restarts.

    Args:
        auth: how clients prove who they are: "trust", or "scram-sha-256" with the password "first".
        config: more lines of postgresql.conf.
        initdb: more arguments of initdb.
        owner: the name of the server's owner.
    """

    def __init__(
        self, auth: str = "trust", config: str = "", initdb: tuple[str, ...] = (), owner: str = "kittiwake"
    ) -> None:
        # Below no folder of pytest's: those are closed to the server's user.
        self._folder = Path(tempfile.mkdtemp(prefix="kittiwake-postgres-"))
        self.data = self._folder / "data"
        self.port = free_port()
        self.url = f"postgresql://{owner}@127.0.0.1:{self.port}/postgres"
        self._log = self._folder / "postgres.log"
        self._process: subprocess.Popen[bytes] | None = None
        password = self._folder / "password"
        password.write_text("first")
        if _OF_ROOT:
            user = pwd.getpwnam(_USER)
            for path in (self._folder, password):
                os.chown(path, user.pw_uid, user.pw_gid)
        command = [program("initdb"), "-D", str(self.data), "-U", owner, "--auth", auth, "-E", "UTF8"]
        done = subprocess.run(
            [*self._as_user(), *command, "--locale=C", "--no-sync", "--pwfile", str(password), *initdb],
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr.decode()
        self._config = config
        self.configure("")

    def configure(self, more: str) -> None:
        """Write the configuration anew, with more lines; taken up at the next start."""
        lines = f"port = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n"
        (self.data / "postgresql.auto.conf").write_text(f"{lines}shared_buffers = 32MB\n{self._config}\n{more}\n")

    def _as_user(self) -> list[str]:
        return ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups"] if _OF_ROOT else []

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        assert not self.is_running
        # Changing the user forgets who is to die with whom: that comes after it.
        command = [*self._as_user(), *dying_with_us([program("postgres"), "-D", str(self.data)])]
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self.is_running:
            ready = subprocess.run(
                [program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)], capture_output=True
            )
            if ready.returncode == 0:
                return
            time.sleep(0.05)
        raise AssertionError(f"postgres did not start: {self._log.read_text()[-1000:]}")

    def stop(self) -> None:
        """End it in order."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """kill -9 of the server; its processes notice, and end."""
        self._end(signal.SIGKILL)
        # A new one refuses to start while an old one's processes hold the shared memory.
        time.sleep(0.2)

    def _end(self, number: int) -> None:
        if self._process is None:
            return
        if self.is_running:
            self._process.send_signal(number)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()

    def largest_bytes(self) -> int:
        """Of the server's files of tables and indexes."""
        return max(path.stat().st_size for path in self.data.glob("base/*/*"))

    def limit_files(self, size: int | None) -> None:
        """Let none of its processes make a file larger than this, as a full disk does; None takes the limit away."""
        assert self._process is not None, "postgres was not started"
        limit = f"--fsize={'unlimited' if size is None else size}:unlimited"
        server = str(self._process.pid)
        children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        for pid in [server, *children]:  # a child may have ended meanwhile
            done = subprocess.run([*self._as_user(), "prlimit", "--pid", pid, limit], capture_output=True)
            assert done.returncode == 0 or pid != server, done.stderr.decode()

    def run(self, statement: str) -> list[tuple[object, ...]]:
        """Do a statement as the owner."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True, options="-c search_path=kittiwake,public") as db:
            cursor = db.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
