"""The journal: every record, in LittleFS, until the gateway says that the broker has it (SPEC.md, "Journal").

`append` then `commit`: what was committed survives a power cut at any instant; what was not may vanish, whole records at
a time. Each class has segments of its own, so that making room is removing a file and alerts never make way for
telemetry. It uses only the file system object it is given (VfsLfs2's methods) and knows nothing of the link.

One task calls everything here; nothing may be called from an interrupt.
"""

from ..core import record as rec
from ..errors import StorageError
from . import segment as seg

_DIR = "journal"
_RESERVE_BLOCKS = 8  # LittleFS needs blocks to copy on write: directory pairs, the tails of three open files
_MARK_EVERY = 32  # acknowledged records after which a commit carries a mark along
_KEPT_LAYOUTS = 8


class Journal:
    """Records on a file system.

    Args:
        fs: a VfsLfs2, or anything with its open, ilistdir, mkdir, remove, rename and statvfs.
        new_id: called without arguments when the journal is created; gives 64 random bits.
        limit_bytes: space for segments; None takes what the file system has, less a reserve.
        segment_bytes: a segment that has grown past this is closed and the next begun.
        batch_bytes: RAW and TELEMETRY waiting in memory are committed when they reach this.
        record_limit_bytes: longest record accepted; what a frame of the link can carry.

    Attributes:
        id: the journal's id, 64 bits.
        next_seq: number that the next committed record gets; all below are committed.
        state: boot count, ack cursor, eviction counts.
        damaged: runs of bytes found at rest that are no record, this boot.
        commits: commits, this boot.
        failed: commits that the medium refused, this boot.

    Raises:
        StorageError: there is something at its place that is not a journal, or the medium fails.
    """

    def __init__(
        self, fs, new_id, limit_bytes=None, segment_bytes=8192, batch_bytes=1024, record_limit_bytes=1000
    ):
        self._fs = fs
        self._segment_bytes = segment_bytes
        self._batch_bytes = batch_bytes
        self._record_limit = record_limit_bytes
        self.state = seg.State()
        self.id = None
        self.next_seq = 0
        self.damaged = self.commits = self.failed = 0
        self._pending = [bytearray() for _ in range(rec.CLASSES)]
        self._segments = [[] for _ in range(rec.CLASSES)]  # by class, oldest first: [first_seq, bytes]
        self._used = 0
        self._sealed = [False] * rec.CLASSES  # by class: the newest segment is damaged, nothing is written behind it
        self._writers = [None] * rec.CLASSES
        self._readers = [None] * rec.CLASSES  # by class: (first_seq of its segment, Reader)
        self._read_seq = -1
        self._marked = 0
        try:
            stat = fs.statvfs("")
            self._block_bytes = stat[0]
            room = stat[0] * (stat[2] - _RESERVE_BLOCKS)
            self.limit_bytes = room if limit_bytes is None else min(limit_bytes, room)
            self._recover()
            if self.id is None:
                self._create(new_id())
        except OSError as error:
            raise StorageError("journal-open", "the medium answered %s" % error)
        self.state.boot += 1
        self._marked = self.state.acked

    @property
    def acked(self):
        """First sequence number that is not acknowledged."""
        return self.state.acked

    @property
    def evicted(self):
        """Records evicted before they were acknowledged, by class."""
        return self.state.evicted

    @property
    def used_bytes(self):
        """Bytes that the segments occupy, in whole blocks."""
        return self._used

    def pending_bytes(self, cls):
        """Bytes of that class appended and not committed."""
        return len(self._pending[cls])

    def append(self, cls, draft):
        """Take a drafted record (record.draft) into memory. ALERT is for `commit` at once; the rest may wait.

        Commits the class when its batch is full.

        Raises:
            StorageError: the record is longer than a frame can carry.
        """
        if len(draft) > self._record_limit:
            raise StorageError("record-too-long", "%d bytes, limit %d" % (len(draft), self._record_limit))
        self._pending[cls].extend(draft)
        if cls != rec.ALERT and len(self._pending[cls]) >= self._batch_bytes:
            self.commit(cls)

    def commit(self, cls):
        """Number, write and sync what is pending in a class. Afterwards it outlives a power cut.

        Returns:
            True when it is safe (or there was nothing); False when the medium refused or there was no room, and the
            records were dropped and counted.
        """
        batch = self._pending[cls]
        if not batch:
            return True
        self._pending[cls] = bytearray()
        count = self._seal(batch)
        victims, fits = self._choose_victims(cls, len(batch))
        if not fits:
            self.state.evicted[cls] += count
            return False
        needs_mark = victims or self.state.acked - self._marked >= _MARK_EVERY
        data = seg.pack_mark(cls, self.state, self.next_seq) + batch if needs_mark else batch
        # A write that failed left the file as it was (LittleFS commits on sync); a fresh segment gets a second chance.
        if not self._write(cls, data) and not self._write(cls, data):
            self.failed += 1
            self.state.evicted[cls] += count
            return False
        self.next_seq += count
        self.commits += 1
        if needs_mark:
            self._marked = self.state.acked
        for victim_cls, first_seq in victims:
            self._remove(victim_cls, first_seq)
        return True

    def commit_all(self):
        """Commit every class, alerts first. Returns whether all of it is safe."""
        safe = self.commit(rec.ALERT)
        safe = self.commit(rec.TELEMETRY) and safe
        return self.commit(rec.RAW) and safe

    def ack(self, next_seq):
        """Everything below `next_seq` is with the broker. Costs no flash but the removal of files that are done with."""
        if next_seq > self.next_seq or next_seq <= self.state.acked:
            return
        self.state.acked = next_seq
        for cls in range(rec.CLASSES):
            segments = self._segments[cls]
            # A segment's records all come before the next one's first number; the newest stays, it holds the state.
            while len(segments) > 1 and segments[1][0] <= next_seq:
                self._remove(cls, segments[0][0])

    def read(self, start, limit_bytes):
        """Committed records from `start` on, in order of their numbers, damaged ones left out.

        Args:
            start: first sequence number wanted.
            limit_bytes: most bytes to return, but at least one record is.

        Returns:
            (bytes of whole records of one channel description, number after the last one). Without records, the number
            is `next_seq`: nothing is left from `start` on.
        """
        out = bytearray()
        if start != self._read_seq:
            self._readers = [None] * rec.CLASSES
        layout = None
        seq = start
        while True:
            reader = self._earliest(start)
            if reader is None:
                seq = self.next_seq if not out else seq
                break
            if out and (len(out) + reader.take_size() > limit_bytes or layout != reader.layout()):
                break
            layout = reader.layout()
            seq = reader.peek() + 1
            out.extend(reader.take())
        self._read_seq = seq
        return bytes(out), seq

    def describe(self, text):
        """Number of the channel description `text` (JSON in bytes), kept beside the records that refer to it."""
        numbers = self._layouts()
        if numbers and self.layout(numbers[-1]) == text:
            return numbers[-1]
        number = numbers[-1] + 1 if numbers else 1
        with self._fs.open(self._path("layout.new"), "wb") as file:
            file.write(text)
        self._fs.rename(self._path("layout.new"), self._path("layout-%04x.json" % number))
        for old in numbers[: -_KEPT_LAYOUTS + 1]:
            self._fs.remove(self._path("layout-%04x.json" % old))
        return number

    def layout(self, number):
        """The channel description of that number as JSON bytes, b"{}" when it is gone."""
        try:
            with self._fs.open(self._path("layout-%04x.json" % number), "rb") as file:
                return file.read()
        except OSError:
            return b"{}"

    def close(self):
        """Commit and close; for an orderly stop."""
        self.commit_all()
        for cls in range(rec.CLASSES):
            self._close_writer(cls)

    def _path(self, name):
        return _DIR + "/" + name

    def _names(self):
        return [entry[0] for entry in self._fs.ilistdir(_DIR)]

    def _layouts(self):
        numbers = [int(n[7:11], 16) for n in self._names() if n.startswith("layout-")]
        numbers.sort()
        return numbers

    def _blocks(self, size):
        return (size + self._block_bytes - 1) // self._block_bytes * self._block_bytes

    def _create(self, journal_id):
        self.id = journal_id
        self._write(rec.ALERT, b"")

    def _recover(self):
        if _DIR not in [entry[0] for entry in self._fs.ilistdir("")]:
            self._fs.mkdir(_DIR)
        for entry in self._fs.ilistdir(_DIR):
            parsed = seg.parse_name(entry[0])
            if parsed and entry[3] == 0:
                # A cut between creating a segment and committing its head: nothing was ever in it.
                self._fs.remove(self._path(entry[0]))
            elif parsed:
                self._segments[parsed[0]].append([parsed[1], entry[3]])
                self._used += self._blocks(entry[3])
        newest_state = seg.State()
        for cls in range(rec.CLASSES):
            segments = self._segments[cls]
            segments.sort()
            if segments:
                self._recover_class(cls, segments, newest_state)
        if self.id is None and any(self._segments):
            raise StorageError("journal-foreign", "segments whose heads cannot be read; move them away or erase the partition")
        self.state = newest_state
        for cls in range(rec.CLASSES):
            segments = self._segments[cls]
            while len(segments) > 1 and segments[1][0] <= max(self.state.floor[cls], self.state.acked):
                self._remove(cls, segments[0][0])

    def _recover_class(self, cls, segments, state):
        # Only the newest segment can hold the last number and the last mark: its head repeats what came before.
        first_seq, size = segments[-1]
        self.next_seq = max(self.next_seq, first_seq)
        for known, _ in reversed(segments):
            with self._fs.open(self._path(seg.name(cls, known)), "rb") as file:
                raw = file.read(seg.HEAD_BYTES)
            head = seg.unpack_head(raw)
            if head is None:
                self._damage()
                continue
            if head[0] > seg.VERSION:
                raise StorageError("journal-newer", "version %d, this firmware reads up to %d" % (head[0], seg.VERSION))
            self.id = head[2]
            state.absorb(raw, 20)
            break
        before = self.damaged
        reader = self._reader(cls, first_seq, size, state)
        while True:
            seq = reader.peek()
            if seq < 0:
                break
            self.next_seq = max(self.next_seq, seq + 1)
            state.boot = max(state.boot, reader.boot())
            reader.take()
        if self.damaged != before:
            self._sealed[cls] = True
            # No number that a damaged record may have had comes again.
            self.next_seq += 1 + size // rec.OVERHEAD_BYTES

    def _seal(self, batch):
        offset, seq = 0, self.next_seq
        while offset < len(batch):
            size = rec.size_at(batch, offset)
            rec.seal(batch, offset, size, seq)
            offset += size
            seq += 1
        return seq - self.next_seq

    def _choose_victims(self, cls, size):
        """Oldest segments of the lowest classes to remove, up to `cls`, so that `size` more bytes fit; counts them."""
        victims = []
        need = self.used_bytes + self._blocks(size + seg.MARK_BYTES + seg.HEAD_BYTES) - self.limit_bytes
        for lowest in range(cls + 1):
            segments = self._segments[lowest]
            at = 0
            while need > 0 and at < len(segments):
                if at == len(segments) - 1:
                    if lowest != cls and not self._roll_for_eviction(lowest):
                        break
                    if lowest == cls:
                        break
                first_seq, held = segments[at]
                self.state.evicted[lowest] += self._count_unacked(lowest, first_seq, held)
                self.state.floor[lowest] = segments[at + 1][0]
                victims.append((lowest, first_seq))
                need -= self._blocks(held)
                at += 1
        return victims, need <= 0

    def _roll_for_eviction(self, cls):
        # The newest segment of a class keeps the numbering; it may go only once a successor holds that.
        if self._segments[cls][-1][0] == self.next_seq:
            return False
        self._close_writer(cls)
        return self._open_segment(cls)

    def _count_unacked(self, cls, first_seq, size):
        reader = self._reader(cls, first_seq, size, None)
        count = 0
        while True:
            seq = reader.peek()
            if seq < 0:
                return count
            if seq >= self.state.acked:
                count += 1
            reader.take()

    def _write(self, cls, data):
        segments = self._segments[cls]
        try:
            if not segments or self._is_full(cls, len(data)):
                self._close_writer(cls)
                if not self._open_segment(cls):
                    return False
            if self._writers[cls] is None:
                self._writers[cls] = self._fs.open(self._path(seg.name(cls, segments[-1][0])), "ab")
            self._writers[cls].write(data)
            self._writers[cls].flush()
        except OSError:
            self._drop_writer(cls)
            return False
        self._used += self._blocks(segments[-1][1] + len(data)) - self._blocks(segments[-1][1])
        segments[-1][1] += len(data)
        entry = self._readers[cls]
        if entry is not None and entry[0] == segments[-1][0]:
            entry[1].size = segments[-1][1]
        return True

    def _is_full(self, cls, size):
        first_seq, held = self._segments[cls][-1]
        # A segment that begins at the next number is empty, and its successor would have the same name.
        return (self._sealed[cls] or held + size > self._segment_bytes) and first_seq != self.next_seq

    def _open_segment(self, cls):
        head = seg.pack_head(cls, self.id, self.next_seq, self.state)
        try:
            writer = self._fs.open(self._path(seg.name(cls, self.next_seq)), "wb")
            writer.write(head)
            writer.flush()
        except OSError:
            return False  # at worst an empty file stays, which the next start removes
        self._writers[cls] = writer
        self._segments[cls].append([self.next_seq, len(head)])
        self._used += self._blocks(len(head))
        self._sealed[cls] = False
        return True

    def _close_writer(self, cls):
        writer, self._writers[cls] = self._writers[cls], None
        if writer is not None:
            writer.close()

    def _drop_writer(self, cls):
        try:
            self._close_writer(cls)
        except OSError:
            pass  # the write already failed and was reported; closing a failed file commits nothing

    def _remove(self, cls, first_seq):
        segments = self._segments[cls]
        for at in range(len(segments)):
            if segments[at][0] == first_seq:
                self._used -= self._blocks(segments.pop(at)[1])
                break
        entry = self._readers[cls]
        if entry is not None and entry[0] == first_seq:
            self._readers[cls] = None
        try:
            self._fs.remove(self._path(seg.name(cls, first_seq)))
        except OSError:
            self.failed += 1  # it stays on the medium and is removed at the next start: the floor says so

    def _damage(self):
        self.damaged += 1

    def _reader(self, cls, first_seq, size, state):
        return seg.Reader(self._fs.open, self._path(seg.name(cls, first_seq)), size, self._damage, state)

    def _earliest(self, start):
        best = None
        best_seq = -1
        for cls in range(rec.CLASSES):
            reader = self._at(cls, start)
            if reader is not None:
                seq = reader.peek()
                if best is None or seq < best_seq:
                    best, best_seq = reader, seq
        return best

    def _at(self, cls, start):
        """The reader of a class standing at its first record not below `start`, or None when there is none."""
        segments = self._segments[cls]
        entry = self._readers[cls]
        if entry is None:
            at = 0
            while at + 1 < len(segments) and segments[at + 1][0] <= start:
                at += 1
            if at >= len(segments):
                return None
            entry = self._enter(cls, at)
        while True:
            first_seq, reader = entry
            seq = reader.peek()
            if seq >= start:
                return reader
            if seq >= 0:
                reader.take()
                continue
            if first_seq == segments[-1][0]:
                return None
            at = 0
            while segments[at][0] <= first_seq:
                at += 1
            entry = self._enter(cls, at)

    def _enter(self, cls, at):
        first_seq, size = self._segments[cls][at]
        entry = (first_seq, self._reader(cls, first_seq, size, None))
        self._readers[cls] = entry
        return entry
