"""An ACL that denies one topic and is mended: its records wait at their device, all others go on, and all arrive."""

import asyncio
import json
import urllib.error
import urllib.request
from collections import Counter

import pytest

from kittiwake.demo.ledger import LedgerProcess
from kittiwake_node.link import record as rec
from tests.mosquitto import Mosquitto
from tests.support.free_ports import free_port
from tests.support.processes import BridgeProcess
from tests.support.waiting import until_async
from tools.devices import Device
from tools.virtual_ports import PtyPort

pytestmark = pytest.mark.needs("mosquitto")

RECORDS = 20
DENIED = "kittiwake/good0/event"
LIMIT_S = 60


@pytest.mark.parametrize("spool", [False, True], ids=["straight", "with a spool"])
@pytest.mark.parametrize("count", [1, 3], ids=["one device", "three devices"])
def test_records_refused_by_an_acl_arrive_once_when_it_is_mended_and_hold_up_no_other(tmp_path, count, spool):
    acl = tmp_path / "acl"
    acl.write_text(f"topic readwrite #\ntopic deny {DENIED}\n")
    broker = Mosquitto(tmp_path, f"acl_file {acl}")
    devices = [Device(f"good{n}", PtyPort(f"{tmp_path}/good{n}")) for n in range(count)]
    http = f"127.0.0.1:{free_port()}"
    config = tmp_path / "gateway.toml"
    config.write_text(
        f'[broker]\nurl = "{broker.url}"\nbackoff_first_s = 0.1\nbackoff_last_s = 0.2\n[http]\nlisten = "{http}"\n'
        + (f'[spool]\nenabled = true\npath = "{tmp_path}/spool.db"\n' if spool else "")
        + "".join(f'[[devices]]\nport = "{device.port.url}"\n' for device in devices)
    )

    async def run(ledger):
        def arrived():
            return Counter(
                (line["topic"], json.loads(line["payload"])["seq"])
                for line in ledger.read()
                if line["topic"].endswith("/event")
            )

        def get(path):
            try:
                with urllib.request.urlopen(f"http://{http}/{path}", timeout=5) as page:
                    return page.read().decode()
            except urllib.error.HTTPError as answer:
                return answer.read().decode()  # 503 while the broker is away

        async def page(path):
            return await asyncio.to_thread(get, path)

        async def refused():
            report = json.loads(await page("healthz"))
            return (report["spool"] if spool else report["devices"][0])["refused"]

        bridge = BridgeProcess.of_config(config, tmp_path / "bridge.log")
        for device in devices:
            device.start()
        with bridge:
            await until_async(lambda: (tmp_path / "bridge.log").read_text().count("connected to broker") == 2)
            for device in devices:
                for number in range(RECORDS):
                    device.add(rec.EVENT, bytes([number, 0]), cls=rec.ALERT)
            await until_async(lambda: len(arrived()) == (count - 1) * RECORDS, lambda: arrived(), LIMIT_S)
            for device in devices[1:]:
                await until_async(lambda device=device: device.journal.acked == device.journal.next_seq)
            # Mosquitto 2.0.11 closes the connection after each refusal: what is in flight is refused one by one.
            for _ in range(600):
                found = await refused()
                if found == [{"topic": DENIED, "reason": "Not authorized", "records": RECORDS}]:
                    break
                await asyncio.sleep(0.05)
            assert found == [{"topic": DENIED, "reason": "Not authorized", "records": RECORDS}]
            metrics = await page("metrics")
            if spool:
                assert f"kittiwake_spool_refused_records {RECORDS}.0" in metrics
            else:
                assert f'reason="Not authorized",topic="{DENIED}"}} {RECORDS}.0' in metrics
                assert devices[0].journal.next_seq - devices[0].journal.acked == RECORDS
            acl.write_text("topic readwrite #\n")
            broker.reload()
            await until_async(lambda: len(arrived()) == count * RECORDS, lambda: arrived(), LIMIT_S)
            for device in devices:
                await until_async(lambda device=device: device.journal.acked == device.journal.next_seq)
            assert {times for (topic, _), times in arrived().items() if topic == DENIED} == {1}
            assert await refused() == []
        for device in devices:
            device.stop()

    with broker, LedgerProcess(broker.url, ["kittiwake/#"], tmp_path / "ledger.jsonl") as ledger:
        asyncio.run(run(ledger))


@pytest.mark.parametrize(("count", "restarted"), [(1, "bridge"), (1, "broker"), (3, "both")])
@pytest.mark.parametrize("spool", [False, True], ids=["straight", "with a spool"])
def test_records_refused_by_an_acl_outlive_restarts_and_arrive_when_it_is_mended(tmp_path, count, spool, restarted):
    acl = tmp_path / "acl"
    acl.write_text(f"topic readwrite #\ntopic deny {DENIED}\n")
    broker = Mosquitto(tmp_path, f"acl_file {acl}")
    devices = [Device(f"good{n}", PtyPort(f"{tmp_path}/good{n}")) for n in range(count)]
    config, log = tmp_path / "gateway.toml", tmp_path / "bridge.log"
    config.write_text(
        f'[broker]\nurl = "{broker.url}"\nbackoff_first_s = 0.1\nbackoff_last_s = 0.2\n'
        + (f'[spool]\nenabled = true\npath = "{tmp_path}/spool.db"\n' if spool else "")
        + "".join(f'[[devices]]\nport = "{device.port.url}"\n' for device in devices)
    )

    async def run(ledger):
        def arrived():
            lines = [line for line in ledger.read() if line["topic"].endswith("/event")]
            return Counter((line["topic"], json.loads(line["payload"])["seq"]) for line in lines)

        bridge = BridgeProcess.of_config(config, log)
        for device in devices:
            device.start()
        with bridge:
            await until_async(lambda: log.read_text().count("connected to broker") == 2)
            for device in devices:
                for number in range(RECORDS):
                    device.add(rec.EVENT, bytes([number, 0]), cls=rec.ALERT)
            await until_async(lambda: len(arrived()) == (count - 1) * RECORDS, lambda: arrived(), LIMIT_S)
            await until_async(lambda: "refused" in log.read_text(), log.read_text, LIMIT_S)
            told = log.read_text().count("refused")
            if restarted in ("bridge", "both"):
                bridge.kill()
            if restarted in ("broker", "both"):
                await asyncio.to_thread(broker.restart)
            if restarted in ("bridge", "both"):
                bridge.start()
                # Refused once more, by whom it is sent to now.
                await until_async(lambda: log.read_text().count("refused") > told, log.read_text, LIMIT_S)
            acl.write_text("topic readwrite #\n")
            broker.reload()
            await until_async(lambda: len(arrived()) == count * RECORDS, lambda: arrived(), LIMIT_S)
            for device in devices:
                await until_async(lambda device=device: device.journal.acked == device.journal.next_seq)
        for device in devices:
            device.stop()

    with broker, LedgerProcess(broker.url, ["kittiwake/#"], tmp_path / "ledger.jsonl") as ledger:
        asyncio.run(run(ledger))
