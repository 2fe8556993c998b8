"""esp32.Partition where there is no ESP32: two places for an image in files, and the rules of its bootloader.

Runs by CPython and by MicroPython, whose boards in tests have it as esp32.py: there importing it is the start. Written
from ESP-IDF's "Over The Air Updates" (app rollback) and MicroPython's documentation of esp32.
"""

import json
import os

LABELS = ("ota_0", "ota_1")
SIZE_BYTES = 192 * 1024
BLOCK_BYTES = 4096
MAGIC = b"\xe9"
DOES_NOT_START = b"\xe9dead"


class Chip:
    """The flash of one board, and what its bootloader does.

    Args:
        folder: for its files; made, with an image in ota_0, where it is not there.
        has_rollback: whether the bootloader goes back by itself.
        before: called as before(kind, torn) before each change of the flash; it may raise. `torn` does half of it.
    """

    def __init__(self, folder, has_rollback=True, before=lambda kind, torn: None):
        self.folder, self.has_rollback, self.before = folder, has_rollback, before
        try:
            os.mkdir(folder)
            self.put("ota_0", MAGIC + b"the image that the board was flashed with")
            self.put("ota_1", b"")
            self._save({"boot": "ota_0", "states": {"ota_0": "valid", "ota_1": "undefined"}})
        except OSError:
            pass  # it is there
        self.running = ""

    def put(self, label, content):
        """Write a partition anew."""
        with open(self._path(label), "wb") as file:
            file.write(content + b"\xff" * (SIZE_BYTES - len(content)))

    def content(self, label, at=0, size=SIZE_BYTES):
        with open(self._path(label), "rb") as file:
            file.seek(at)
            return file.read(size)

    @property
    def data(self):
        """What the bootloader goes by: boot, states."""
        with open(self.folder + "/otadata") as file:
            return json.loads(file.read())

    def start(self):
        """A reset: the bootloader chooses what runs."""
        data = self.data
        label = data["boot"]
        if self.has_rollback and data["states"][label] in ("pending", "aborted") or not self._starts(label):
            data["states"][label] = "aborted"
            data["boot"] = label = _other(label)
        elif data["states"][label] == "new":
            data["states"][label] = "pending"
        self._save(data)
        self.running = label

    def choose(self, label):
        if self.content(label, 0, 1) != MAGIC:
            raise OSError(-0x1503)  # ESP_ERR_OTA_VALIDATE_FAILED
        self.before("choose", lambda: None)
        data = self.data
        data["boot"] = label
        data["states"][label] = "new"
        self._save(data)

    def confirm(self):
        self.before("confirm", lambda: None)
        data = self.data
        data["states"][self.running] = "valid"
        self._save(data)

    def change(self, label, at, data):
        self.before("write", lambda: self._change(label, at, data[: len(data) // 2]))
        self._change(label, at, data)

    def _change(self, label, at, data):
        with open(self._path(label), "r+b") as file:
            file.seek(at)
            file.write(data)

    def _starts(self, label):
        content = self.content(label, 0, len(DOES_NOT_START))
        return content[:1] == MAGIC and content != DOES_NOT_START

    def _path(self, label):
        return self.folder + "/" + label

    def _save(self, data):
        with open(self.folder + "/otadata", "w") as file:
            file.write(json.dumps(data))


class Partition:
    """As MicroPython's, over `Partition.chip`."""

    BOOT, RUNNING = 0, 1
    chip = None

    def __init__(self, identity):
        self.label = {0: self.chip.data["boot"], 1: self.chip.running}.get(identity, identity)

    def info(self):
        number = LABELS.index(self.label)
        return (0, 16 + number, 0x10000 + number * SIZE_BYTES, SIZE_BYTES, self.label, False)

    def readblocks(self, block, buffer, offset=0):
        at = block * BLOCK_BYTES + offset
        buffer[:] = self.chip.content(self.label, at, len(buffer))

    def writeblocks(self, block, buffer, offset=None):
        at = block * BLOCK_BYTES + (offset or 0)
        data = bytes(buffer)
        old = self.chip.content(self.label, at, len(data))
        assert offset is not None and all(a & b == b for a, b in zip(old, data)), "flash that was not erased"  # noqa: B905 (MicroPython)
        self.chip.change(self.label, at, data)

    def ioctl(self, command, argument):
        if command == 6:
            self.chip.change(self.label, argument * BLOCK_BYTES, b"\xff" * BLOCK_BYTES)
        return 0

    def set_boot(self):
        self.chip.choose(self.label)

    def get_next_update(self):
        return Partition(_other(self.label))

    @classmethod
    def mark_app_valid_cancel_rollback(cls):
        cls.chip.confirm()


def _other(label):
    return LABELS[1 - LABELS.index(label)]


if __name__ == "esp32":
    Partition.chip = Chip("ota")
    Partition.chip.start()
