"""Devices that come and go: hot plug, renumbering, released ports, a stuck one beside others. Ptys, no broker."""

import asyncio
import os
from contextlib import asynccontextmanager

from kittiwake.bridge import links as fleet_module
from kittiwake.bridge.device_link import DeviceLink
from kittiwake.bridge.link_callbacks import Callbacks
from kittiwake.bridge.settings import DeviceSection
from kittiwake.ports import serial
from kittiwake.publish.publisher import Policy
from kittiwake_node.link import record as rec
from tests.support.waiting import until_async
from tools.devices import Device
from tools.virtual_ports import PtyPort, SocketPort


class Sink:
    """Confirms everything at once, or keeps it."""

    def __init__(self):
        self.has_room = True
        self.payloads = []
        self.held = None  # a list while confirmations are held back

    def publish(self, topic, payload, qos, retain, token):
        self.payloads.append((topic, payload))
        if self.held is None:
            token.confirmed()
        else:
            self.held.append(token)


class Usb:
    """What is plugged in, as ports.list_ports gives it."""

    def __init__(self, monkeypatch):
        self.ports = {}
        monkeypatch.setattr(serial, "list_ports", self.list)
        monkeypatch.setattr(fleet_module, "SCAN_S", 0.05)
        monkeypatch.setattr(fleet_module, "_device_names", lambda: None)

    def list(self):
        return [serial.PortInfo(path, number, None, None, 1, 1) for path, number in sorted(self.ports.items())]


@asynccontextmanager
async def running(sections):
    sink, statuses = Sink(), []
    callbacks = Callbacks(on_status=lambda link, is_online: statuses.append((link.device, is_online)))
    fleet = fleet_module.Fleet(sections, lambda section: DeviceLink(section, Policy(), sink, callbacks))
    task = asyncio.create_task(fleet.run())
    try:
        yield fleet, sink, statuses
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def add(device, count):
    for _ in range(count):
        device.add(rec.EVENT, b"\x01\x00text", cls=rec.ALERT)


def drained(device):
    return device.journal.acked == device.journal.next_seq > 0


def test_fleet_on_auto_takes_what_is_plugged_in_and_lets_go_what_is_not(tmp_path, monkeypatch):
    usb = Usb(monkeypatch)

    async def run():
        one, two = (Device(f"dev-{n}", PtyPort(f"{tmp_path}/tty{n}")) for n in (1, 2))
        async with running([DeviceSection(port="auto")]) as (fleet, _, statuses):
            assert fleet.links == []
            one.start()
            usb.ports[one.port.path] = "A1"
            await until_async(lambda: statuses == [("dev-1", True)])
            two.start()
            usb.ports[two.port.path] = None  # an adapter that says nothing of itself
            await until_async(lambda: ("dev-2", True) in statuses)
            add(one, 3)
            add(two, 3)
            await until_async(lambda: drained(one) and drained(two))
            assert {link.url for link in fleet.links} == {"id:A1", two.port.path}
            del usb.ports[one.port.path]
            one.stop()
            await until_async(lambda: ("dev-1", False) in statuses and len(fleet.links) == 1)
            add(two, 3)
            await until_async(lambda: drained(two))
        two.stop()

    asyncio.run(run())


def test_fleet_with_a_renumbered_port_is_the_same_link(tmp_path, monkeypatch):
    usb = Usb(monkeypatch)

    async def run():
        device = Device("dev-1", PtyPort(f"{tmp_path}/ttyUSB0"))
        device.start()
        usb.ports = {device.port.path: "A1"}
        async with running([DeviceSection(port="id:A1")]) as (fleet, _, statuses):
            await until_async(lambda: statuses == [("dev-1", True)])
            device.stop()
            usb.ports = {}
            await until_async(lambda: statuses == [("dev-1", True), ("dev-1", False)])
            device.port.path = f"{tmp_path}/ttyUSB7"
            device.start()
            usb.ports = {device.port.path: "A1"}
            await until_async(lambda: statuses[2:] == [("dev-1", True)])
            add(device, 5)
            await until_async(lambda: drained(device))
            assert fleet.links[0].counts.ports_lost == 1
        device.stop()

    asyncio.run(run())


def test_fleet_released_port_can_be_locked_by_another_program_and_is_taken_back(tmp_path):
    async def run():
        device = Device("dev-1", PtyPort(f"{tmp_path}/tty"))
        device.start()
        async with running([DeviceSection(port=device.port.path)]) as (fleet, _, statuses):
            await until_async(lambda: statuses == [("dev-1", True)])
            assert fleet.release(os.path.realpath(device.port.path)) == [device.port.path]
            await until_async(lambda: statuses == [("dev-1", True), ("dev-1", False)])
            other = await serial.open_port(device.port.path)
            fleet.resume()
            await until_async(lambda: "in use" in fleet.links[0].problem)
            await other.close()
            await until_async(lambda: statuses[2:] == [("dev-1", True)])
            fleet.release(None, seconds=0.2)
            await until_async(lambda: len(statuses) == 4)
            await until_async(lambda: statuses[4:] == [("dev-1", True)])
            assert fleet.release("/dev/nothing") == []
        device.stop()

    asyncio.run(run())


def test_fleet_with_a_stuck_device_still_serves_the_others(tmp_path):
    async def run():
        stuck, lively = Device("stuck", PtyPort(f"{tmp_path}/a")), Device("lively", SocketPort())
        stuck.start()
        lively.start()
        sections = [DeviceSection(port=stuck.port.path), DeviceSection(port=lively.port.url)]
        async with running(sections) as (fleet, _, statuses):
            await until_async(lambda: len(statuses) == 2)
            # It reads nothing and says nothing from here on; its port stays open.
            asyncio.get_running_loop().remove_reader(stuck.port.fd)
            stuck._ticker.cancel()
            for _ in range(20):
                add(lively, 50)
                await asyncio.sleep(0.01)
            await until_async(lambda: drained(lively))
            await until_async(lambda: ("stuck", False) in statuses)
            assert ("lively", False) not in statuses
        stuck.stop()
        lively.stop()

    asyncio.run(run())


def test_fleet_with_a_device_whose_broker_confirms_nothing_keeps_to_its_window(tmp_path):
    async def run():
        device = Device("dev-1", PtyPort(f"{tmp_path}/a"))
        device.start()
        async with running([DeviceSection(port=device.port.path, window=32)]) as (fleet, sink, statuses):
            sink.held = []
            await until_async(lambda: statuses)
            add(device, 1000)
            await until_async(lambda: len(sink.held) >= 32)
            await asyncio.sleep(0.3)
            assert len(sink.held) < 32 + 1024 // 32 and device.journal.acked == 0
            held, sink.held = sink.held, None
            for token in held:
                token.confirmed()
            await until_async(lambda: drained(device))
        device.stop()

    asyncio.run(run())


def test_fleet_with_other_settings_changes_what_differs_and_keeps_a_port_released(tmp_path, monkeypatch):
    usb = Usb(monkeypatch)

    async def run():
        names = ("named", "plugged", "released")
        devices = {name: Device(name, PtyPort(f"{tmp_path}/{name}")) for name in names}
        for device in devices.values():
            device.start()
        path = {name: device.port.path for name, device in devices.items()}
        usb.ports = dict.fromkeys((path["plugged"],))
        auto, named = DeviceSection(port="auto"), DeviceSection(port=path["named"])
        released = DeviceSection(port=path["released"])
        async with running([auto, named, released]) as (fleet, _, statuses):
            await until_async(lambda: len(statuses) == 3)
            links = {link.device: link for link in fleet.links}
            fleet.release(path["released"])
            await until_async(lambda: ("released", False) in statuses)
            # All as it is: not even the watch of USB ports opens anything anew.
            assert await fleet.apply([auto, named, released]) == []
            wider = named.model_copy(update={"window": 9})
            slower = released.model_copy(update={"baudrate": 9600})
            assert await fleet.apply([auto, wider, slower]) == [
                f"changed {path['named']}",
                f"changed {path['released']}",
            ]
            assert links["named"] in fleet.links and links["named"].section.window == 9
            assert links["plugged"] in fleet.links and links["released"] not in fleet.links
            other = await serial.open_port(path["released"])  # it is still lent
            await other.close()
            assert await fleet.apply([wider]) == [f"removed {path['released']}", "removed auto"]
            await until_async(lambda: statuses[-1] == ("plugged", False))
            assert fleet.links == [links["named"]] and ("named", False) not in statuses
            # What was named is found by the watch, and the other way round.
            usb.ports[path["named"]] = None
            assert await fleet.apply([auto]) == [f"removed {path['named']}", "added auto"]
            await until_async(lambda: statuses[-2:].count(("named", True)) and ("plugged", True) in statuses[4:])
        for device in devices.values():
            device.stop()

    asyncio.run(run())
