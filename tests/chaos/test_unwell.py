"""What /healthz says of a gateway that cannot do its work: a full disk, a second bridge, a broker that is silent."""

import asyncio
import json
import resource
import socket
import threading
import urllib.error
import urllib.request

import pytest

from kittiwake_node.link import payload
from kittiwake_node.link import record as rec
from tests.mosquitto import Mosquitto
from tests.support.free_ports import free_port
from tests.support.processes import BridgeProcess
from tests.support.waiting import until_async
from tools.devices import Device
from tools.virtual_ports import PtyPort, SocketPort

pytestmark = pytest.mark.timeout(120)


def configure(folder, name, url, ports, more=""):
    """Write a configuration. Returns (its path, where its pages are)."""
    http = f"127.0.0.1:{free_port()}"
    path = folder / f"{name}.toml"
    path.write_text(
        f'[bridge]\nunwell_after_s = 5\n[broker]\nurl = "{url}"\n[http]\nlisten = "{http}"\n{more}'
        + "".join(f'[[devices]]\nport = "{port}"\n' for port in ports)
    )
    return path, http


async def healthz(http):
    def get():
        try:
            with urllib.request.urlopen(f"http://{http}/healthz", timeout=5) as page:
                return page.status, json.loads(page.read())["reasons"]
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())["reasons"]
        except OSError:
            return 0, []

    return await asyncio.to_thread(get)


async def until_health(http, condition):
    for _ in range(400):
        status, reasons = await healthz(http)
        if condition(status, reasons):
            return reasons
        await asyncio.sleep(0.1)
    raise AssertionError(f"/healthz says {status}, {reasons}")


def add(device, count):
    for number in range(count):
        device.add(rec.READING, payload.pack_reading(number, number))


@pytest.mark.needs("mosquitto")
def test_spool_on_a_disk_that_takes_no_more_is_not_well_and_loses_nothing(tmp_path):
    broker, device = Mosquitto(tmp_path), Device("good", PtyPort(f"{tmp_path}/good"))
    spool = f'[spool]\nenabled = true\npath = "{tmp_path}/spool.db"\n'
    config, http = configure(tmp_path, "g", broker.url, [device.port.path], spool)
    bridge = BridgeProcess.of_config(config, tmp_path / "log")

    async def run():
        device.start()
        await until_async(lambda: device.journal.acked == 1)
        # No file of the process grows any more, as on a disk that is full; its log is far shorter.
        size = (tmp_path / "spool.db-wal").stat().st_size
        resource.prlimit(bridge.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        for _ in range(40):
            add(device, 50)
            await asyncio.sleep(0.01)
        reasons = await until_health(http, lambda status, reasons: any("spool" in reason for reason in reasons))
        assert all("rollback" not in reason for reason in reasons)
        assert any("devices keep their records" in reason for reason in reasons)
        assert device.journal.acked < device.journal.next_seq
        resource.prlimit(bridge.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await until_async(lambda: device.journal.acked == device.journal.next_seq, lambda: device.journal.acked, 40)
        with broker:
            # The spool is empty: the broker has it all.
            await until_health(http, lambda status, reasons: (status, reasons) == (200, []))
        device.stop()

    with bridge:
        asyncio.run(run())


@pytest.mark.needs("mosquitto")
def test_second_bridge_of_the_same_id_is_named_and_the_two_do_not_fight(tmp_path, figures):
    with Mosquitto(tmp_path) as broker:
        devices = [Device(f"dev-{n}", SocketPort()) for n in range(2)]
        configs = [configure(tmp_path, f"g{n}", broker.url, [device.port.url]) for n, device in enumerate(devices)]
        bridges = [BridgeProcess.of_config(path, tmp_path / f"log{n}") for n, (path, _) in enumerate(configs)]

        async def run():
            for device in devices:
                device.start()
            with bridges[0], bridges[1]:
                for _, http in configs:
                    await until_health(
                        http, lambda status, reasons: any("another program" in reason for reason in reasons)
                    )
                await asyncio.sleep(10)
                logs = [(tmp_path / f"log{n}").read_text() for n in range(2)]
                told = [log for log in logs if "give a second bridge a bridge.id of its own" in log]
                connections = sum(log.count("connected to broker") for log in logs)
                figures(f"two bridges of one id: {connections} connections of four clients in more than 10 s")
                assert told and connections <= 28
                for log in logs:
                    assert log.count("another program connects as kittiwake-bridge;") <= 2
            for device in devices:
                device.stop()

        asyncio.run(run())


class SilentBroker:
    """Accepts MQTT 3.1.1 and answers pings and subscriptions, and confirms no message ever."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"mqtt://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with sock, sock.makefile("rb") as stream:
            while head := stream.read(1):
                size = shift = 0
                while True:
                    byte = stream.read(1)[0]
                    size |= (byte & 127) << shift
                    shift += 7
                    if byte < 128:
                        break
                body = stream.read(size)
                answer = {1: b"\x20\x02\0\0", 12: b"\xd0\0"}.get(head[0] >> 4, b"")
                if head[0] >> 4 == 8:
                    answer = b"\x90\x03" + body[:2] + b"\x01"
                sock.sendall(answer)


def test_broker_that_never_confirms_is_not_well_after_the_time_that_is_set(tmp_path):
    broker, device = SilentBroker(), Device("good", PtyPort(f"{tmp_path}/good"))
    config, http = configure(tmp_path, "g", broker.url, [device.port.path])
    config.write_text(config.read_text().replace("[http]", 'protocol = "3.1.1"\n[http]'))

    async def run():
        device.start()
        await until_health(http, lambda status, reasons: (status, reasons) == (200, []))
        add(device, 10)
        (reason,) = await until_health(http, lambda status, reasons: status == 503)
        assert "records wait, and the broker confirmed none for" in reason and device.journal.acked == 0
        device.stop()

    with BridgeProcess.of_config(config, tmp_path / "log") as bridge:
        asyncio.run(run())
        assert bridge.is_running
    broker.close()
