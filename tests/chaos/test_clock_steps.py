"""A bridge as a process whose machine has a wrong clock, gets the time, and is set back: what its device is told."""

import asyncio
import json
import struct
import time
import urllib.request
from urllib.error import HTTPError

import pytest

from kittiwake_node.link import messages
from tests.mosquitto import Mosquitto
from tests.support.free_ports import free_port
from tests.support.processes import BridgeProcess
from tests.support.waiting import until_async
from tools.devices import Device
from tools.virtual_ports import SocketPort

pytestmark = pytest.mark.needs("mosquitto")

# Python imports it before all else: the process's clock is off by what a file says.
WRONG_CLOCK = """
import os, time

right = time.time_ns

def wrong():
    with open(os.environ["WRONG_BY_MS"]) as file:
        return right() + int(file.read()) * 1_000_000

time.time_ns = wrong
"""
HOUR_MS = 3_600_000
SIX_YEARS_MS = 6 * 365 * 24 * HOUR_MS


def test_device_of_a_gateway_with_a_wrong_clock_is_told_nothing_then_the_time_and_then_each_step(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(WRONG_CLOCK)
    wrong_by, http = tmp_path / "wrong", free_port()

    def set_clock(wrong_ms):
        beside = tmp_path / "beside"
        beside.write_text(str(wrong_ms))
        beside.rename(wrong_by)

    def clock():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{http}/healthz", timeout=5) as answer:
                return json.load(answer)["clock"]
        except HTTPError as error:
            return json.load(error)["clock"]

    async def story(broker):
        device = Device("dev-1", SocketPort())
        device.start()
        config = tmp_path / "gateway.toml"
        config.write_text(
            f'[broker]\nurl = "{broker.url}"\n[http]\nlisten = "127.0.0.1:{http}"\n'
            f'[[devices]]\nport = "{device.port.url}"\n'
        )

        def told():
            return [struct.unpack("<Q", body)[0] for op, body in device.commands if op == messages.OP_TIME]

        def wrong_by_ms(utc_ms):
            return utc_ms - time.time_ns() // 1_000_000

        set_clock(-SIX_YEARS_MS)
        log = tmp_path / "bridge.log"
        environment = {"PYTHONPATH": str(tmp_path), "WRONG_BY_MS": str(wrong_by)}
        with BridgeProcess.of_config(config, log, **environment):
            await until_async(lambda: "device dev-1, journal" in log.read_text(), log.read_text)
            state = await asyncio.to_thread(clock)
            assert state["known"] is False and "before 20" in state["problem"] and told() == []
            for wrong_ms in (0, -HOUR_MS, 0):
                count = len(told())
                set_clock(wrong_ms)
                await until_async(lambda count=count: len(told()) > count, lambda: log.read_text()[-1000:], 30)
                assert abs(wrong_by_ms(told()[-1]) - wrong_ms) < 5000
            assert len(told()) == 3 and (await asyncio.to_thread(clock))["known"] is True
        device.stop()

    with Mosquitto(tmp_path) as broker:
        asyncio.run(story(broker))
