"""The bridge with a spool: kills lose nothing, and what was taken in a long outage arrives after it, in order."""

import asyncio
import json

import pytest

from kittiwake.demo.ledger import LedgerProcess
from kittiwake_node.link import payload
from kittiwake_node.link import record as rec
from tests.chaos import chaos
from tests.mosquitto import Mosquitto
from tests.support.processes import BridgeProcess
from tests.support.waiting import until, until_async
from tools.devices import Device
from tools.virtual_ports import SocketPort

pytestmark = pytest.mark.needs("mosquitto")

RECORDS = 500


@pytest.mark.timeout(180)
def test_chaos_with_a_spool_loses_nothing_and_keeps_the_order(tmp_path, figures):
    config = f'[spool]\nenabled = true\npath = "{tmp_path}/spool.db"\n'
    result = chaos.Run(tmp_path, seed=3, records=4000, config=config).go()
    figures(result.line().replace("chaos:", "chaos with a spool:"))
    assert (result.lost, result.altered, result.unknown, result.disordered) == (0, 0, 0, 0)


@pytest.mark.timeout(120)
def test_spool_in_an_outage_frees_devices_and_survives_a_kill(tmp_path):
    async def run(broker, bridge):
        devices = [Device(f"dev-{n}", SocketPort()) for n in range(3)]
        ports = "".join(f'[[devices]]\nport = "{device.port.url}"\n' for device in devices)
        (tmp_path / "g.toml").write_text(
            f'[broker]\nurl = "{broker.url}"\nbackoff_first_s = 0.1\nbackoff_last_s = 0.5\n'
            f'[spool]\nenabled = true\npath = "{tmp_path}/spool.db"\n{ports}'
        )
        for device in devices:
            device.start()
        bridge.start()
        for number in range(RECORDS):
            for device in devices:
                device.add(rec.EVENT, payload.pack_event(1, f"{number}"), cls=rec.ALERT)
            if number == RECORDS // 2:
                bridge.kill()
                bridge.start()
            await asyncio.sleep(0.001)
        # Every record is acknowledged although no broker was ever there.
        await until_async(lambda: all(d.journal.acked == d.journal.next_seq for d in devices), "every ack", 30, 0.05)
        assert [device.journal.acked for device in devices] == [RECORDS + 1] * 3
        bridge.kill()
        for device in devices:
            device.stop()  # and the devices are gone for good

    broker = Mosquitto(tmp_path)
    bridge = BridgeProcess.of_config(tmp_path / "g.toml", tmp_path / "log")
    asyncio.run(run(broker, bridge))
    with broker, LedgerProcess(broker.url, ["kittiwake/#"], tmp_path / "ledger.jsonl") as ledger, bridge:

        def arrived():
            seqs = {}
            for line in ledger.read():
                if line["payload"].startswith("{"):
                    body = json.loads(line["payload"])
                    seqs.setdefault(body["device"], []).append(body["seq"])
            return seqs

        until(lambda: sum(len(set(seqs)) for seqs in arrived().values()) == 3 * (RECORDS + 1), "all records", 30, 0.1)
        seqs = arrived()
        for found in seqs.values():
            assert list(dict.fromkeys(found)) == list(range(RECORDS + 1))
        assert len(seqs) == 3
