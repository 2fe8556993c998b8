"""A board with two partitions for MicroPython's image, its power cut at any change of its flash, on this machine."""

import binascii
import io
import json
import sys
from types import SimpleNamespace

from kittiwake_node.link import messages as m
from kittiwake_node.update import manifest, slots
from tests.support import esp32_partitions as esp32
from tests.support.host_fs import HostFs
from tests.support.micropython import FIRMWARE
from tests.support.updated_board import OLD, Board, head_of, offer_of, table_of

IMAGE = manifest.IMAGE_FILE
_MODULES = {path: raw for path, raw in OLD.items() if path != "node.json"}
FLAGS = manifest.KEEPS | manifest.IMAGE


class PowerCut(Exception):
    """Nothing runs any more."""


class CutFs(HostFs):
    """With LittleFS's promises: a file that is written is there, whole, when it is closed.

    Args:
        root: the folder.
        before: called as before(kind, torn) before each change; it may raise PowerCut.
    """

    def __init__(self, root, before):
        super().__init__(str(root))
        self._before = before

    def open(self, path, mode):
        if mode != "wb":
            return super().open(path, mode)
        self._before("enter", lambda: None)
        return _Written(self, path)

    def commit(self, path, content):
        self._before("commit", lambda: None)
        with super().open(path, "wb") as file:
            file.write(content)

    def mkdir(self, path):
        self._before("mkdir", lambda: None)
        super().mkdir(path)

    def remove(self, path):
        super().open(path, "rb").close()
        self._before("remove", lambda: None)
        super().remove(path)


class _Written(io.BytesIO):
    def __init__(self, fs, path):
        super().__init__()
        self._fs, self._path = fs, path
        if not self._is_there():
            HostFs.open(fs, path, "wb").close()  # LittleFS enters a new file, empty, at once

    def _is_there(self):
        try:
            HostFs.open(self._fs, self._path, "rb").close()
        except OSError:
            return False
        return True

    def close(self):
        if not self.closed:
            content = self.getvalue()
            super().close()
            self._fs.commit(self._path, content)


class ImageBoard(Board):
    """An application in app-a, by the image in ota_0.

    Args:
        folder: for its files.
        monkeypatch: pytest's.
        has_rollback: whether the bootloader goes back by itself.
    """

    def __init__(self, folder, monkeypatch, has_rollback=True):
        self.changes, self.cut_at, self.is_torn = 0, None, False
        (folder / "flash").mkdir()
        self.chip = esp32.Chip(str(folder / "ota"), has_rollback, self._before)
        monkeypatch.setattr(esp32.Partition, "chip", self.chip)
        monkeypatch.setitem(sys.modules, "esp32", SimpleNamespace(Partition=esp32.Partition))
        self.chip.start()
        super().__init__(folder / "flash", monkeypatch)
        self.fs = CutFs(folder / "flash", self._before)
        self.start()

    def _before(self, kind, torn):
        if self.cut_at is not None and self.changes >= self.cut_at:
            if self.changes == self.cut_at and self.is_torn:
                self.changes += 1
                torn()
            self.changes += 1
            raise PowerCut
        self.changes += 1

    def reset(self, boots=True):
        """The board starts: bootloader (where it was reset in earnest), main.py, the node. Returns the slot."""
        self.cut_at = None
        if boots:
            self.chip.start()
        with open(FIRMWARE / "main.py") as file:
            source = file.read()
        main = {"binascii": binascii, "open": lambda path, mode="r": io.TextIOWrapper(self.fs.open(path, mode + "b"))}
        exec(source[source.index("def _number") : source.index("def _load")], main)
        slot = max(slots.NAMES, key=main["_standing"])
        if main["_standing"](slot)[1]:
            main["_write_tried"](slot, slots.RESET)
        self.now_ms = 0
        self.start(slot)
        return slot

    def release(self, content, counter=5, **more):
        """What is offered of a release with that image."""
        return offer_of(head_of({IMAGE: content}, counter=counter, flags=more.pop("flags", FLAGS), **more))

    def take(self, content, counter=5):
        """Offer such a release, and give what is wanted; returns the last reply and the image's bytes given."""
        wants_table = self.offer(self.release(content, counter)).entry == manifest.TABLE
        reply, given = self.give({IMAGE: content})
        return reply, given - wants_table * len(table_of({IMAGE: content}))

    def run(self, ms, proves=True):
        """The node runs for so long, and does its work."""
        if proves:
            self.channel.index, self.journal.acked = 1, 11
        end_ms = self.now_ms + ms
        while self.now_ms < end_ms and not self.updating.restarts:
            self.now_ms += 100
            self.updating.step(self.now_ms, False)

    def is_whole(self, slot):
        """Whether a slot has the application that the board began with, and its settings."""
        there = {
            path.removeprefix(f"{slot}/"): raw for path, raw in self.fs.contents().items() if path.startswith(slot)
        }
        there = {path: raw for path, raw in there.items() if path not in manifest.MARKS}
        return json.loads(there.pop("node.json")) == json.loads(OLD["node.json"]) and there == _MODULES

    def state(self):
        return self.ask(m.OP_UPDATE_PROGRESS)
