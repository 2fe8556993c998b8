"""The devices of one bridge: those that are named, and under `auto` those that are plugged in, as they come and go.

It knows ports and links; not what the links carry.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterable

from kittiwake.bridge.clock import monotonic_ms
from kittiwake.bridge.device_link import DeviceLink
from kittiwake.bridge.settings import DeviceSection
from kittiwake.errors import KittiwakeError
from kittiwake.ports import serial

log = logging.getLogger(__name__)

AUTO = "auto"
TICK_S = 0.1
SCAN_S = 1.0


class Fleet:
    """All links.

    Args:
        sections: the devices of the configuration.
        make_link: makes the link of one port.
        on_gone: called with a link whose port was unplugged for good, under `auto`.

    Attributes:
        links: those that there are now.
    """

    def __init__(
        self,
        sections: Iterable[DeviceSection],
        make_link: Callable[[DeviceSection], DeviceLink],
        on_gone: Callable[[DeviceLink], None] = lambda link: None,
    ):
        self._make_link = make_link
        self._on_gone = on_gone
        self._named, self._template = _parted(sections)
        self.links = [make_link(section) for section in self._named]
        self._tasks: dict[DeviceLink, asyncio.Task[None]] = {}
        self._plugged_in: dict[str, DeviceLink] = {}  # by the name under which the port is opened
        self._group: asyncio.TaskGroup | None = None
        self._watching: asyncio.Task[None] | None = None
        self._resume_calls: dict[str | None, asyncio.TimerHandle] = {}

    async def run(self) -> None:
        """Serve every link until cancelled."""
        async with asyncio.TaskGroup() as self._group:
            for link in self.links:
                self._start(link)
            self._group.create_task(self._tick())
            self._watch()

    async def apply(self, sections: Iterable[DeviceSection]) -> list[str]:
        """Take up other settings while running; links whose settings are the same go on undisturbed.

        Args:
            sections: the devices of the configuration, each port once.

        Returns:
            What changed, a line a port.
        """
        # The watch begins anew afterwards: what is named is no longer its own, and what was named may be. Meanwhile it
        # must plug in nothing by the old settings.
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])
        named, template = _parted(sections)
        by_port = {section.port: section for section in named}
        changes, released = [], set()
        for section in self._named:
            link = next(link for link in self.links if link.section is section)
            new = by_port.get(section.port)
            if new is None:
                changes.append(f"removed {section.port}")
                await self._drop(link)
            elif new == section.model_copy(update={"window": new.window}):
                if new != section:
                    changes.append(f"changed {section.port}")
                link.section = new
            else:
                changes.append(f"changed {section.port}")
                if link.port_keeper.is_released:
                    released.add(section.port)
                await self._drop(link)
        self._named = named
        for section in named:
            if not any(link.section is section for link in self.links):
                if f"changed {section.port}" not in changes:
                    changes.append(f"added {section.port}")
                self.links.append(self._make_link(section))
                if section.port in released:
                    self.links[-1].port_keeper.release()
                self._start(self.links[-1])
        if template != self._template:
            changes.append(f"{'removed' if template is None else 'changed' if self._template else 'added'} {AUTO}")
            for name in list(self._plugged_in):
                await self._drop(self._plugged_in.pop(name))
            self._template = template
        self._watch()
        return changes

    def release(self, url: str | None = None, seconds: float | None = None) -> list[str]:
        """Give ports to other programs.

        Args:
            url: of one link, as it is named or as a path; all when None.
            seconds: take them back by ourselves after so long; not when None.

        Returns:
            The ports that are free now.
        """
        chosen = self._choose(url)
        for link in chosen:
            link.port_keeper.release()
            log.info("%s: released", link.url)
        pending = self._resume_calls.pop(url, None)
        if pending is not None:
            pending.cancel()
        if seconds is not None and chosen:
            self._resume_calls[url] = asyncio.get_running_loop().call_later(seconds, self.resume, url)
        return [link.url for link in chosen]

    def resume(self, url: str | None = None) -> list[str]:
        """Take released ports again.

        Args:
            url: of one link, as it is named or as a path; all when None.

        Returns:
            The ports that are taken again.
        """
        chosen = [link for link in self._choose(url) if link.port_keeper.is_released]
        for link in chosen:
            link.port_keeper.resume()
            log.info("%s: taken back", link.url)
        pending = self._resume_calls.pop(url, None)
        if pending is not None:
            pending.cancel()
        return [link.url for link in chosen]

    def of_device(self, device: str) -> DeviceLink | None:
        """The link on which a device is on line, else one on which it was."""
        links = [link for link in self.links if link.device == device]
        return next((link for link in links if link.is_online), links[0] if links else None)

    def _choose(self, url: str | None) -> list[DeviceLink]:
        if url is None:
            return list(self.links)
        return [link for link in self.links if url == link.url or os.path.realpath(url) == _real_path(link.url)]

    def _start(self, link: DeviceLink) -> None:
        if self._group is not None:  # else `run` begins with it
            self._tasks[link] = self._group.create_task(link.port_keeper.run(), name=f"device {link.url}")

    async def _drop(self, link: DeviceLink) -> None:
        self.links.remove(link)
        task = self._tasks.pop(link, None)
        try:
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        finally:
            self._on_gone(link)

    def _watch(self) -> None:
        if self._template is None or self._group is None:
            self._watching = None
        else:
            self._watching = self._group.create_task(self._watch_ports(self._template))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            now_ms = monotonic_ms()
            for link in self.links:
                link.tick(now_ms)

    async def _watch_ports(self, template: DeviceSection) -> None:
        known_names: frozenset[str] | None = None
        while True:
            # The names in /dev are cheap to read; asking every adapter who it is happens only when they change.
            names = _device_names()
            if names is None or names != known_names:
                known_names = names
                try:
                    listed = await asyncio.get_running_loop().run_in_executor(None, serial.list_ports)
                except OSError as error:
                    log.warning("ports cannot be listed: %s", error)
                else:
                    await self._settle(template, [port for port in listed if port.vid is not None])
            await asyncio.sleep(SCAN_S)

    async def _settle(self, template: DeviceSection, plugged_in: list[serial.PortInfo]) -> None:
        taken = {_real_path(section.port) for section in self._named} - {""}
        serial_numbers = [port.serial_number for port in plugged_in]
        ports = {}
        for port in plugged_in:
            if os.path.realpath(port.path) in taken:
                continue
            # By serial number where it is one of a kind, so that a renumbered port is still the same link.
            unique = port.serial_number and serial_numbers.count(port.serial_number) == 1
            ports[f"id:{port.serial_number}" if unique else port.path] = port
        for name in [name for name in self._plugged_in if name not in ports]:
            log.info("%s: unplugged", name)
            await self._drop(self._plugged_in.pop(name))
        for name in ports:
            if name not in self._plugged_in:
                log.info("%s: plugged in (%s)", name, ports[name].path)
                link = self._make_link(template.model_copy(update={"port": name}))
                self._plugged_in[name] = link
                self.links.append(link)
                self._start(link)


def _parted(sections: Iterable[DeviceSection]) -> tuple[list[DeviceSection], DeviceSection | None]:
    """Part what is named from what stands for every port."""
    every = list(sections)
    template = next((section for section in every if section.port == AUTO), None)
    return [section for section in every if section.port != AUTO], template


def _device_names() -> frozenset[str] | None:
    """Names that serial ports may have, None where there is no /dev to look at."""
    try:
        return frozenset(name for name in os.listdir("/dev") if name.startswith("tty"))
    except OSError:
        return None


def _real_path(url: str) -> str:
    if "://" in url:
        return ""
    try:
        return os.path.realpath(serial.resolve(url))
    except KittiwakeError:
        return ""
