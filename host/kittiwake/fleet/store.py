"""The inventory in a file: what was known of each device when it was last heard, and its tags. SQLite."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from kittiwake.errors import UsageError
from kittiwake.fleet.inventory import NAME, Device
from kittiwake.sqlite_file import SqliteFile

# "KWfl": says that the file is one of ours.
APPLICATION_ID = 0x4B57666C
_VERSION = 1
_TABLES = """
CREATE TABLE devices (
    name TEXT PRIMARY KEY, status TEXT NOT NULL, heard_ms INTEGER, bridge TEXT NOT NULL, firmware TEXT NOT NULL,
    "on" TEXT NOT NULL, unique_id TEXT NOT NULL, boot INTEGER, evicted INTEGER NOT NULL, health TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE tags (
    device TEXT NOT NULL, "group" TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (device, "group")
) STRICT, WITHOUT ROWID;
"""


class FleetStore(SqliteFile):
    """An inventory's file, as a context manager.

    Args:
        path: of the file; made when it is not there.

    Raises:
        KittiwakeError: it cannot be opened, or is no inventory of this version.
    """

    def __init__(self, path: Path):
        super().__init__(path, APPLICATION_ID, _VERSION, _TABLES, "an inventory", "--inventory")

    def tags(self) -> dict[str, dict[str, str]]:
        """Read the tags of those that have any: device -> group -> value."""
        tags: dict[str, dict[str, str]] = {}
        for name, group, value in self.db.execute('SELECT device, "group", value FROM tags ORDER BY 1, 2'):
            tags.setdefault(name, {})[group] = value
        return tags

    def devices(self) -> list[Device]:
        """Read what is known, with tags; nobody was heard yet."""
        tags = self.tags()
        rows = self.db.execute(
            'SELECT name, status, heard_ms, bridge, firmware, "on", unique_id, boot, evicted, health FROM devices'
        )
        known = [
            Device(name, status, False, heard_ms, bridge, firmware, on, unique_id, boot, evicted, json.loads(health))
            for name, status, heard_ms, bridge, firmware, on, unique_id, boot, evicted, health in rows
        ]
        for device in known:
            device.tags = tags.get(device.name, {})
        return known

    def write(self, devices: Iterable[Device]) -> None:
        """Write what is known of devices; their tags stay as they are in the file.

        Args:
            devices: to write, in one transaction.

        Raises:
            KittiwakeError: the file could not be written; nothing was.
        """
        rows = [
            (d.name, d.status, d.heard_ms, d.bridge, d.firmware, d.on, d.unique_id, d.boot, d.evicted)
            + (json.dumps(d.health),)
            for d in devices
        ]
        with self.transaction():
            self.db.executemany("INSERT OR REPLACE INTO devices VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def tag(self, names: Iterable[str], tags: Mapping[str, str]) -> None:
        """Put devices into groups.

        Args:
            names: of devices that are known.
            tags: group -> value; "" takes the device out of the group.

        Raises:
            UsageError: a device is not known.
            KittiwakeError: the file could not be written; nothing was.
        """
        known = {name for (name,) in self.db.execute("SELECT name FROM devices")}
        names = list(names)
        if unknown := sorted(set(names) - known):
            raise UsageError(
                f"the inventory has no device {', '.join(unknown)}",
                "`kittiwake fleet list` learns devices from a broker",
            )
        rows = [(name, group, value) for name in names for group, value in tags.items()]
        with self.transaction():
            self.db.executemany("INSERT OR REPLACE INTO tags VALUES (?, ?, ?)", rows)
            self.db.execute("DELETE FROM tags WHERE value = ''")

    def put(self, name: str, tags: Mapping[str, str]) -> None:
        """Give a device these tags and no others; one that is not known yet is from then on.

        Args:
            name: of the device.
            tags: group -> value.

        Raises:
            UsageError: no device can have that name.
            KittiwakeError: the file could not be written; nothing was.
        """
        if not NAME.fullmatch(name):
            raise UsageError(f"{name!r} is no device's name", "letters, digits, '.', '_' and '-', 64 of them at most")
        empty = Device(name)
        columns = (name, empty.status, None, empty.bridge, empty.firmware, empty.on, empty.unique_id, None, 0, "{}")
        with self.transaction():
            self.db.execute("INSERT OR IGNORE INTO devices VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", columns)
            self.db.execute("DELETE FROM tags WHERE device = ?", (name,))
            rows = [(name, group, value) for group, value in tags.items()]
            self.db.executemany("INSERT INTO tags VALUES (?, ?, ?)", rows)
