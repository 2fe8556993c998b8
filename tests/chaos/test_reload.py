"""A changed configuration is taken up while the bridge runs; what did not change is not disturbed, and nothing ends."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import asynccontextmanager

import pytest

from kittiwake_node.link import record as rec
from tests.mosquitto import Mosquitto
from tests.support import certificates
from tests.support.free_ports import free_port
from tests.support.processes import BridgeProcess
from tests.support.waiting import until, until_async
from tools.devices import Device
from tools.virtual_ports import PtyPort, SocketPort

pytestmark = pytest.mark.needs("mosquitto")


def test_bridge_with_renewed_certificates_takes_them_up_on_sighup_and_keeps_the_old_when_they_cannot_be(
    tmp_path, certs
):
    own = tmp_path / "own"
    own.mkdir()

    def install(name):
        shutil.copy(certs / f"{name}.pem", own / "gateway.pem")
        shutil.copy(certs / f"{name}.key", own / "gateway.key")

    install("stranger")
    with Mosquitto(tmp_path, whole=certificates.example(certs, tmp_path)) as broker:
        config, log = tmp_path / "gateway.toml", tmp_path / "bridge.log"
        settings = (
            f'[bridge]\nlog_level = "warning"\n[broker]\nurl = "mqtts://127.0.0.1:{broker.port}"\n'
            f'ca_file = "{certs}/ca.pem"\ncertificate_file = "{own}/gateway.pem"\nkey_file = "{own}/gateway.key"\n'
            f'backoff_first_s = 0.1\nbackoff_last_s = 0.2\n[[devices]]\nport = "{tmp_path}/none"\n'
        )
        config.write_text(settings)
        with BridgeProcess.of_config(config, log) as bridge:
            until(lambda: "our certificate" in log.read_text(), log.read_text)
            config.write_text("no = toml = at all")
            bridge.signal(signal.SIGHUP)
            until(lambda: "not reloaded, all stays as it was: " in log.read_text(), log.read_text)
            config.write_text(settings.replace('"warning"', '"info"'))
            install("gateway")
            bridge.signal(signal.SIGHUP)
            until(lambda: "connected to broker" in log.read_text(), log.read_text)
            assert bridge.is_running


class Gateway:
    """A bridge as a process with a configuration that the test rewrites, three devices, and Mosquitto."""

    def __init__(self, folder, **environment):
        self.broker, self.http = Mosquitto(folder), free_port()
        self.devices = {name: Device(name, SocketPort()) for name in ("stays", "comes")}
        self.devices["goes"] = Device("goes", PtyPort(f"{folder}/goes"))
        self.config, self.log = folder / "gateway.toml", folder / "bridge.log"
        self.process = BridgeProcess.of_config(self.config, self.log, **environment)

    def write(self, *names, extra="", more=""):
        ports = "".join(f'[[devices]]\nport = "{self.devices[name].port.url}"\n{more}\n' for name in names)
        self.config.write_text(
            f'[broker]\nurl = "{self.broker.url}"\nbackoff_first_s = 0.1\nbackoff_last_s = 0.2\n'
            f'[http]\nlisten = "127.0.0.1:{self.http}"\n{extra}\n{ports}'
        )

    async def command(self, *words):
        """(exit code, stdout, stderr) of `kittiwake bridge WORDS -c …`."""
        command = [sys.executable, "-m", "kittiwake", "bridge", *words, "-c", str(self.config)]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    async def health(self):
        def get():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/healthz", timeout=5) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                return json.load(error)

        return await asyncio.to_thread(get)

    async def delivers(self, *names):
        for name in names:
            self.devices[name].add(rec.EVENT, b"\x01\x00text")

        def drained():
            return all(self.devices[n].journal.acked == self.devices[n].journal.next_seq for n in names)

        await until_async(drained, lambda: self.log.read_text()[-2000:])

    def sessions(self, name):
        return self.log.read_text().count(f"device {name}, journal")


@asynccontextmanager
async def running(gateway, *names, **settings):
    for device in gateway.devices.values():
        device.start()
    gateway.write(*names, **settings)
    with gateway.broker, gateway.process:
        await gateway.delivers(*names)
        yield
    for device in gateway.devices.values():
        device.stop()


def test_reload_takes_devices_added_removed_and_changed_and_leaves_the_others_alone(tmp_path):
    async def story():
        gateway = Gateway(tmp_path)
        async with running(gateway, "stays", "goes"):
            gateway.write("stays", "comes", extra="[spool]\ncommit_ms = 30")
            status, out, _ = await gateway.command("reload")
            port = {name: device.port.url for name, device in gateway.devices.items()}
            assert (status, out.splitlines()) == (
                0,
                [f"removed {port['goes']}", f"added {port['comes']}", "spool.commit_ms needs a restart"],
            )
            await gateway.delivers("stays", "comes")
            await until_async(lambda: not gateway.devices["goes"].session.is_open, "the end of what was removed")
            report = await gateway.health()
            assert [link["port"] for link in report["devices"]] == [port["stays"], port["comes"]]
            assert report["clock"] == {"known": True, "problem": ""}
            assert report["configuration"]["problem"] == ""
            assert report["configuration"]["needs_restart"] == ["spool.commit_ms"]
            gateway.write("goes", "stays", "comes")
            assert (await gateway.command("reload"))[1].splitlines() == [f"added {port['goes']}"]
            await gateway.delivers("stays", "comes", "goes")
            gateway.write("stays", "comes", "goes", more="window = 7")
            await gateway.command("reload")
            gateway.write("stays", more="window = 7\nbaudrate = 9600")
            answer = json.loads((await gateway.command("reload", "--json"))[1])
            changes = [f"removed {port['goes']}", f"changed {port['stays']}", f"removed {port['comes']}"]
            assert sorted(answer["taken"]) == sorted(changes) and answer["problem"] == ""
            await gateway.delivers("stays")
            # The window was taken as it was; another baud rate needs the port opened anew.
            assert [gateway.sessions(name) for name in ("stays", "comes", "goes")] == [2, 1, 2]

    asyncio.run(story())


def test_reload_of_a_configuration_that_cannot_be_says_why_and_changes_nothing(tmp_path):
    async def story():
        gateway = Gateway(tmp_path)
        async with running(gateway, "stays"):
            gateway.config.write_text('[broker]\nurl = 7\n[[devices]]\nport = "auto"\n')
            status, _, err = await gateway.command("reload")
            assert status == 1 and "not reloaded, all stays as it was: " in err and "gateway.toml, line 2" in err
            report = await gateway.health()
            assert "gateway.toml, line 2" in report["configuration"]["problem"] and report["devices"][0]["online"]
            await gateway.delivers("stays")
            gateway.write("stays")
            assert (await gateway.command("reload"))[:2] == (0, "nothing changed\n")
            assert (await gateway.health())["configuration"]["problem"] == ""
            assert gateway.sessions("stays") == 1

    asyncio.run(story())


def test_reload_finds_the_successor_of_a_killed_bridge_and_says_so_when_there_is_none(tmp_path):
    async def story():
        gateway = Gateway(tmp_path)
        async with running(gateway, "stays"):
            gateway.process.kill()
            status, _, err = await gateway.command("reload")
            assert status == 1 and f"no bridge with {gateway.config} runs here" in err
            gateway.process.start()
            await gateway.delivers("stays")
            assert (await gateway.command("reload"))[0] == 0
        status, _, err = await gateway.command("reload")
        assert status == 1 and "runs here" in err

    asyncio.run(story())


def test_reload_tells_systemd_that_it_began_and_that_it_is_done(tmp_path):
    async def story():
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.bind(str(tmp_path / "notify"))
            systemd.settimeout(20)
            gateway = Gateway(tmp_path, NOTIFY_SOCKET=str(tmp_path / "notify"), RUNTIME_DIRECTORY=str(tmp_path / "run"))
            async with running(gateway, "stays"):
                gateway.process.signal(signal.SIGHUP)
                words = [b""]
                while not words[-1].startswith(b"RELOADING=1\nMONOTONIC_USEC="):
                    words.append(await asyncio.to_thread(systemd.recv, 4096))
                while words[-1] != b"READY=1":
                    words.append(await asyncio.to_thread(systemd.recv, 4096))
                (ear,) = (tmp_path / "run").iterdir()
                assert ear.stat().st_mode & 0o777 == 0o600 and os.stat(tmp_path / "run").st_mode & 0o777 == 0o700

    asyncio.run(story())
