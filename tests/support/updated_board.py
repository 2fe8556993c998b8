"""An application in a slot, the updating of its node, and a gateway that gives what is asked for, on this machine."""

import hashlib
import struct
from types import SimpleNamespace

from kittiwake_node import updating
from kittiwake_node.io import build_facts
from kittiwake_node.link import messages as m
from kittiwake_node.update import manifest, slots
from tests.support import release_keys as keys
from tests.support.host_fs import HostFs

OLD = {
    "kittiwake_node/a.mpy": b"old a",
    "kittiwake_node/b.mpy": b"same b" * 200,
    "node.json": b'{"device": "d", "x": 1}',
}
NEW = {"kittiwake_node/a.mpy": b"new a" * 300, "kittiwake_node/b.mpy": OLD["kittiwake_node/b.mpy"], "n/c.mpy": b""}
IDLE, BUSY, WANTS, HERE, REFUSED, ON_TRIAL, BACK = range(7)


def table_of(files):
    raw = [manifest.pack_entry(path, len(c), hashlib.sha256(c).digest()) for path, c in sorted(files.items())]
    return b"".join(raw)


def head_of(files, counter=5, arch="x64", chips=(), newest=(1, 29), flags=0, table=None, count=None, size=None):
    table = table_of(files) if table is None else table
    size = sum(map(len, files.values())) if size is None else size
    count = len(files) if count is None else count
    build = manifest.Build(arch, chips, count, size, len(table), hashlib.sha256(table).digest())
    return manifest.pack_head(manifest.Head(flags, counter, 20, (1, 24), newest, f"1.{counter}", "", [build]))


def offer_of(raw_head, key=0):
    private = keys.private_key(key)
    modulus = keys.modulus_of(private)
    return raw_head + hashlib.sha256(modulus).digest()[:8] + keys.sign(private, b"KWU1" + raw_head)


class Board:
    """An application in app-a, the updating of its node, and a gateway that gives what is asked for."""

    def __init__(self, folder, monkeypatch, blocks=256):
        self.fs = HostFs(folder, blocks=blocks)
        for path, content in OLD.items():
            (folder / "app-a" / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / "app-a" / path).write_bytes(content)
        slots.mark(self.fs, "app-a", slots.READY, 3)
        monkeypatch.setattr(updating, "FolderFs", lambda root: self.fs)
        monkeypatch.setattr(build_facts, "keys", lambda: [keys.modulus_of(keys.private_key())])
        monkeypatch.setattr(build_facts, "arch", lambda: "x64")
        monkeypatch.setattr(build_facts, "machine", lambda: "virtual board with Nothing")
        monkeypatch.setattr(build_facts, "version", lambda: (1, 28))
        self.notes, self.now_ms = [], 0
        self.start()

    def start(self, slot="app-a"):
        self.journal = SimpleNamespace(next_seq=10, acked=10)
        self.channel = SimpleNamespace(number=0, index=0)
        keeping = SimpleNamespace(journal=self.journal, problem=None)
        self.updating = updating.Updating(slot, [self.channel], keeping, self.notes.append)
        self.updating.begin()

    def ask(self, op, body=b""):
        status, reply = self.updating.handle(op, body, self.now_ms)
        assert status == m.OK
        state, entry, offset, counter, running, build = struct.unpack_from("<BHIIIB", reply)
        return SimpleNamespace(
            state=state, entry=entry, offset=offset, counter=counter, running=running, text=reply[16:].decode()
        )

    def turn(self, limit=3000):
        for _ in range(limit):
            self.now_ms += 1
            self.updating.step(self.now_ms, False)
            if not self.updating.has_work:
                return

    def offer(self, body):
        self.ask(m.OP_UPDATE_OFFER, body)
        self.turn()
        return self.ask(m.OP_UPDATE_PROGRESS)

    def give(self, files, table=None):
        """Give what is wanted until nothing is; returns the last reply and the bytes given."""
        listed = [content for _, content in sorted(files.items())]
        given = 0
        while (reply := self.ask(m.OP_UPDATE_PROGRESS)).state == WANTS:
            whole = (table or table_of(files)) if reply.entry == manifest.TABLE else listed[reply.entry]
            piece = whole[reply.offset : reply.offset + 512]
            given += len(piece)
            self.ask(m.OP_UPDATE_PIECE, struct.pack("<HI", reply.entry, reply.offset) + piece)
            self.turn()
        return reply, given
