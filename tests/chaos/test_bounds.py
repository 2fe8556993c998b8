"""What a peer sends without end is bounded: a flood while the broker is frozen costs no memory and no other."""

import asyncio
import urllib.request

import pytest

from kittiwake_node.link import payload
from kittiwake_node.link import record as rec
from tests.mosquitto import Mosquitto
from tests.support.flood import Flood
from tests.support.free_ports import free_port
from tests.support.processes import BridgeProcess
from tests.support.waiting import until_async
from tools.devices import Device
from tools.virtual_ports import PtyPort

pytestmark = pytest.mark.needs("mosquitto")

RESIDENT_LIMIT = 256 * 1024 * 1024
FLOOD_S = 8
WINDOW = 256


@pytest.mark.timeout(120)
@pytest.mark.parametrize("spool", [False, True], ids=["straight", "with a spool"])
def test_flood_on_a_socket_while_the_broker_is_frozen_stays_in_its_window_and_the_good_device_is_served(
    tmp_path, figures, spool
):
    broker, good = Mosquitto(tmp_path), Device("good", PtyPort(f"{tmp_path}/good"))
    # Samples as wide as they come: what a record of 1 KiB grows to as a message is measured too.
    floods = [Flood("flood-0"), Flood("flood-1", payload.pack_snapshot(0, 9, 0, b"\x01\x80" * 450), rec.SNAPSHOT)]
    http, config = f"127.0.0.1:{free_port()}", tmp_path / "gateway.toml"
    ports = "".join(f'[[devices]]\nport = "{url}"\n' for url in (good.port.path, *(flood.url for flood in floods)))
    config.write_text(
        f'[broker]\nurl = "{broker.url}"\nbackoff_first_s = 0.1\nbackoff_last_s = 0.2\n[http]\nlisten = "{http}"\n'
        + (f'[spool]\nenabled = true\npath = "{tmp_path}/spool.db"\nlimit_mib = 1\n' if spool else "")
        + ports
    )
    bridge = BridgeProcess.of_config(config, tmp_path / "log")

    def metrics():
        with urllib.request.urlopen(f"http://{http}/metrics", timeout=10) as page:
            lines = page.read().decode().splitlines()
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line[0] != "#"}

    async def run():
        good.start()
        await until_async(lambda: (tmp_path / "log").read_text().count("connected to broker") == 2)
        await until_async(lambda: (tmp_path / "log").read_text().count("journal") == 3)
        broker.freeze()
        for flood in floods:
            flood.begin()
        most = 0
        for _ in range(FLOOD_S * 5):
            await asyncio.sleep(0.2)
            most = max(most, resident(bridge.pid))
        held = await asyncio.to_thread(metrics)
        broker.thaw()
        for number in range(20):
            good.add(rec.READING, payload.pack_reading(number, number))
        await until_async(lambda: good.journal.acked == good.journal.next_seq, lambda: good.journal.acked, 40)
        assert bridge.is_running
        waiting = {flood.name: in_memory(held, flood.name) for flood in floods}
        written = sum(flood.sent for flood in floods)
        figures(
            f"flood{' with a spool' if spool else ''}: {written} records, {waiting} kept, {most >> 20} MiB resident"
        )
        assert all(count <= WINDOW + 32 for count in waiting.values()), waiting
        assert any("held_back_records_total" in name and count > 0 for name, count in held.items())
        assert most < RESIDENT_LIMIT
        good.stop()

    with broker, bridge:
        try:
            asyncio.run(run())
        finally:
            broker.thaw()
            for flood in floods:
                flood.stop()


def in_memory(figures, device):
    return next(
        count
        for name, count in figures.items()
        if name.startswith("kittiwake_device_waiting_records") and f'device="{device}"' in name
    )


def resident(pid):
    with open(f"/proc/{pid}/statm") as figures:
        return int(figures.read().split()[1]) * 4096
