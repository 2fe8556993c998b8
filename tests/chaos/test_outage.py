"""A long outage of the broker: the bridge does nothing but back off, devices keep their records, and all arrive after.

Two minutes in the soak, a few seconds in CI. What is asserted is CPU time, which a loaded machine does not change.
"""

import asyncio
import json
import os
from pathlib import Path

import pytest

from kittiwake.demo.ledger import LedgerProcess
from kittiwake_node.link import payload
from kittiwake_node.link import record as rec
from tests.mosquitto import Mosquitto
from tests.support.processes import BridgeProcess
from tests.support.waiting import until_async
from tools.devices import Device
from tools.virtual_ports import PtyPort

pytestmark = pytest.mark.needs("mosquitto")

SOAK = os.environ.get("KITTIWAKE_SOAK") == "1"
OUTAGE_S = 120 if SOAK else 8
DEVICES = 10
RECORDS = 400


def cpu_s(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.timeout(300)
def test_bridge_in_an_outage_only_backs_off_and_everything_arrives_after(tmp_path):
    devices = [Device(f"dev-{n}", PtyPort(f"{tmp_path}/tty{n}")) for n in range(DEVICES)]
    broker = Mosquitto(tmp_path, "max_inflight_messages 0")
    ports = "".join(f'[[devices]]\nport = "{device.port.url}"\nwindow = 64\n' for device in devices)
    (tmp_path / "g.toml").write_text(f'[broker]\nurl = "{broker.url}"\nbackoff_last_s = 2.0\n{ports}')
    bridge = BridgeProcess.of_config(tmp_path / "g.toml", tmp_path / "log")

    async def run():
        for device in devices:
            device.start()
        bridge.start()
        await drained()
        await asyncio.to_thread(broker.kill)
        for device in devices:
            for number in range(RECORDS):
                device.add(rec.EVENT, payload.pack_event(1, str(number)), cls=rec.ALERT)
        await asyncio.sleep(2)
        before = cpu_s(bridge.pid)
        await asyncio.sleep(OUTAGE_S)
        used = cpu_s(bridge.pid) - before
        assert used / OUTAGE_S < 0.02, f"{used} s of CPU in {OUTAGE_S} s"
        assert all(device.journal.acked < 2 for device in devices)
        await asyncio.to_thread(broker.start)
        await drained()
        for device in devices:
            device.stop()

    async def drained():
        await until_async(lambda: all(d.journal.acked == d.journal.next_seq for d in devices), "every ack", 30, 0.05)

    with broker, LedgerProcess(broker.url, ["kittiwake/+/event"], tmp_path / "ledger.jsonl") as ledger:
        try:
            asyncio.run(run())
        finally:
            bridge.kill()
        arrived = [(body["device"], body["seq"]) for body in (json.loads(line["payload"]) for line in ledger.read())]
    assert set(arrived) == {(device.name, seq) for device in devices for seq in range(1, RECORDS + 1)}
