"""Security events to a receiver that is away, not to be trusted, there, away again; and a bridge that is killed."""

import asyncio
import json
import signal
import sqlite3
import subprocess

import pytest
from paho.mqtt import publish

from tests.mosquitto import Mosquitto
from tests.observability.log_receiver import LogReceiver
from tests.support.free_ports import free_port
from tests.support.processes import BridgeProcess
from tests.support.waiting import until_async
from tools import system
from tools.devices import Device
from tools.virtual_ports import PtyPort

pytestmark = [pytest.mark.needs("mosquitto"), pytest.mark.timeout(120)]
PASSWORDS = "right-Zq7vX1kPw93", "wrong-Zq7vX1kPw93"


def kept(folder):
    """Names of the events on the disk."""
    try:
        with sqlite3.connect(f"file:{folder}/bridge.events.sqlite?mode=ro", uri=True) as db:
            return [name for (name,) in db.execute("SELECT name FROM event ORDER BY number")]
    except sqlite3.OperationalError:
        return []


class Site:
    """A broker that knows one password, a device, a bridge's configuration, a receiver."""

    def __init__(self, folder, certs):
        self.folder, self.users = folder, folder / "users"
        command = [
            system.find("mosquitto_passwd") or "mosquitto_passwd",
            "-b",
            "-c",
            self.users,
            "bridge",
            PASSWORDS[0],
        ]
        subprocess.run(command, check=True, capture_output=True)
        self.users.chmod(0o644)
        whole = f"listener PORT 127.0.0.1\nallow_anonymous false\npassword_file {self.users}\n"
        self.broker = Mosquitto(folder, whole=whole)
        self.device = Device("press-7", PtyPort(f"{folder}/tty"))
        self.receiver = LogReceiver(free_port(), certs)
        self.certs = certs
        self.bridge = BridgeProcess.of_config(folder / "gateway.toml", folder / "bridge.log")

    def write(self, wanted, password):
        """The configuration and the password's file."""
        (self.folder / "password").write_text(password + "\n")
        (self.folder / "gateway.toml").write_text(
            f'[broker]\nurl = "{self.broker.url}"\nusername = "bridge"\npassword_file = "{self.folder}/password"\n'
            "backoff_first_s = 0.1\nbackoff_last_s = 0.2\n"
            f'[syslog]\nserver = "127.0.0.1:{self.receiver.port}"\nca_file = "{self.certs}/ca.pem"\n'
            f'folder = "{self.folder}"\n[bridge]\nlog = "json"\n'
            f'[[devices]]\nport = "{self.device.port.url}"\ndevice = "{wanted}"\n'
        )

    def command(self, ident):
        """Ask the device for nothing in particular."""
        auth = {"username": "bridge", "password": PASSWORDS[0]}
        body = json.dumps({"id": ident, "op": "ping"})
        publish.single("kittiwake/press-7/cmd", body, 1, hostname="127.0.0.1", port=self.broker.port, auth=auth)

    async def receives(self, *names):
        """Wait until the receiver has had these."""
        seen = self.receiver.names
        await until_async(lambda: set(names) <= set(seen()), lambda: f"{names}: {seen()}; kept {kept(self.folder)}", 40)

    def stop(self):
        self.device.stop()
        if self.bridge.is_running:
            self.bridge.kill()
        self.broker.stop()
        self.receiver.stop()


def test_security_events_reach_a_receiver_that_was_away_and_none_is_missing_after_a_kill(tmp_path, certs):
    async def work(site):
        await asyncio.to_thread(site.broker.start)
        site.device.start()
        site.write("press-8", PASSWORDS[1])
        site.bridge.start()
        await until_async(lambda: {"login.refused", "device.refused"} <= set(kept(tmp_path)), lambda: kept(tmp_path))
        site.bridge.kill()
        site.receiver.start("stranger")  # signed by another CA
        site.bridge.start()
        await until_async(lambda: "certificate.untrusted" in kept(tmp_path), lambda: kept(tmp_path))
        assert site.receiver.messages == [] and site.receiver.refused > 0
        site.receiver.stop()
        site.receiver.start("broker")
        await site.receives("login.refused", "device.refused", "certificate.untrusted")
        site.write("press-7", PASSWORDS[0])
        await site.receives("certificate.changed")
        log = tmp_path / "bridge.log"
        await until_async(lambda: log.read_text().count('"event": "broker.connected"') == 2, log.read_text)
        site.bridge.signal(signal.SIGHUP)
        await site.receives("configuration.changed")
        site.command("1")
        await site.receives("command.answered")
        await until_async(lambda: not kept(tmp_path), lambda: kept(tmp_path))
        site.receiver.stop()
        site.command("2")
        await until_async(lambda: kept(tmp_path)[-1:] == ["command.answered"], lambda: kept(tmp_path))
        site.bridge.kill()
        site.bridge.start()
        site.receiver.start("broker")
        await until_async(lambda: site.receiver.names().count("command.answered") == 2, site.receiver.names, 40)

    async def play():
        try:
            await work(site)
        finally:
            site.stop()

    site = Site(tmp_path, certs)
    asyncio.run(play())
    messages = site.receiver.messages
    numbers = {message["number"] for message in messages}
    assert numbers == set(range(1, len(numbers) + 1))
    assert {(message["app"], int(message["pri"]) // 8) for message in messages} == {("kittiwake-bridge", 10)}
    everything = site.receiver.raw + (tmp_path / "bridge.events.sqlite").read_bytes()
    assert b"press-7" in everything and not any(password.encode() in everything for password in PASSWORDS)
