"""The journal: every record, in LittleFS, until the gateway says that the broker has it (docs/spec/journal.md).

`append` then `commit`: what was committed survives a power cut at any instant; what was not may vanish, whole records
at a time. Each class has segments of its own, so that making room is removing a file and alerts never make way for
telemetry, and in front of them a tail, a small file in which single commits are cheap.

It uses only the file system object it is given (VfsLfs2's methods) and knows nothing of the link.

One task calls everything here; nothing may be called from an interrupt.
"""

from ..errors import StorageError
from ..link import record as rec
from . import eviction
from . import segment as seg
from .chains import Chains
from .cursor import Cursor
from .descriptions import Descriptions
from .recovery import Recovery, resume

if False:  # for mypy alone
    from collections.abc import Callable

    from kittiwake_types import FileSystem

_DIR = "journal"
_MARK_EVERY = 32  # acknowledged records after which a commit carries a mark along
_ATTEMPTS = 4  # of a commit: one more in a fresh segment, and a few while others' files crowd the partition
_DAMAGE_KEPT = 64
OPEN_ERRORS: dict[int | None, str] = {28: "storage-full", 30: "storage-read-only"}  # by errno
_TAIL_SPARE_BYTES = 128  # `tidy` folds a tail in which less is free: an anomaly takes 72 or 80
TAIL_BYTES = 512  # what LittleFS keeps in a directory of 4 KiB blocks


class Journal:
    """Records on a file system.

    Args:
        fs: a VfsLfs2, or anything with its open, ilistdir, mkdir, remove, rename and statvfs.
        new_id: called without arguments when the journal is created; gives 64 random bits.
        limit_bytes: space for segments; None takes what the file system has, less a reserve.
        segment_bytes: a segment that would grow past this is closed and the next begun; None for a 64th of the medium,
            8 to 32 KiB. At most an eighth of the limit is taken, at least a block.
        batch_bytes: RAW and TELEMETRY waiting in memory are committed when they reach this.
        record_limit_bytes: longest record accepted; what a frame of the link can carry.
        tail_bytes: a commit that fits goes into a file of at most this, TAIL_BYTES where LittleFS is mounted with a
            cache of as much; 0 for none. See Chains.measure.

    Attributes:
        id: the journal's id, 64 bits.
        next_seq: number that the next committed record gets; below it, a number is committed, acknowledged or counted
            as evicted (or damaged).
        state: boot count, ack cursor, eviction counts. Another object after every commit.
        damaged: runs of bytes found at rest that are no record, this boot, each counted once, up to 64.
        commits: commits, this boot.

    Raises:
        StorageError: there is something at its place that is not a journal, or the medium fails or is too small.
    """

    def __init__(
        self,
        fs: "FileSystem",
        new_id: "Callable[[], int]",
        limit_bytes: int | None = None,
        segment_bytes: int | None = None,
        batch_bytes: int = 1024,
        record_limit_bytes: int = 1000,
        tail_bytes: int = 0,
    ) -> None:
        self._fs = fs
        self._batch_bytes = batch_bytes
        self._record_limit = record_limit_bytes
        self.damaged = self.commits = 0
        self._refused = 0
        self._damage_met: set[tuple[str, int]] = set()
        self._pending = [bytearray() for _ in range(rec.CLASSES)]
        self._chains = Chains(fs, _DIR)
        self._cursor = Cursor(self._chains, fs.open, self._damage)
        self._descriptions = Descriptions(fs, _DIR)
        try:
            self._chains.find()
            recovery = Recovery(fs, self._chains, self._damage)
            self.state, self.next_seq = recovery.state, recovery.next_seq
            self._chains.id = recovery.id
            self.limit_bytes = self._chains.measure(segment_bytes, limit_bytes, tail_bytes)
            self._mark_due = recovery.is_patchy
            self.id = resume(self._chains, self.state, self.next_seq, new_id)
        except OSError as error:
            raise StorageError(OPEN_ERRORS.get(error.errno, "journal-open"), "the medium answered %s" % error)
        self.state.boot += 1
        self._marked = self.state.acked

    @property
    def failed(self) -> int:
        """Commits and removals that the medium refused, this boot."""
        return self._refused + self._chains.failed

    @property
    def acked(self) -> int:
        """First sequence number that is not acknowledged."""
        return self.state.acked

    @property
    def evicted(self) -> list[int]:
        """Records dropped before they were acknowledged, by class: evicted, or refused by a full or failing medium."""
        return self.state.evicted

    @property
    def used_bytes(self) -> int:
        """Bytes that the segments occupy, in whole blocks. The tails are in the reserve."""
        return self._chains.used_bytes

    @property
    def is_full(self) -> bool:
        """Whether the next segment has to evict another, or wait for an acknowledgement."""
        return self._chains.is_at(self.limit_bytes)

    def pending_bytes(self, cls: int) -> int:
        """Bytes of that class appended and not committed."""
        return len(self._pending[cls])

    def append(self, cls: int, draft: bytearray) -> None:
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

    def commit(self, cls: int) -> bool:
        """Number, write and sync what is pending in a class. Afterwards it outlives a power cut.

        Returns:
            True when it is safe (or there was nothing); False when the medium refused or there was no room, and the
            records were dropped and counted as evicted.
        """
        batch = self._pending[cls]
        if not batch:
            return True
        self._pending[cls] = bytearray()
        count = rec.seal_all(batch, self.next_seq)
        if self.next_seq + count > rec.SEQ_LIMIT:
            self.state.evicted[cls] += count
            return False
        if self._try_commit(cls, batch, count):
            return True
        # The numbers go with the records: a write that failed may have left something behind all the same, and a number
        # must not mean two things. The next commit says so in a mark.
        self.next_seq += count
        self.state.evicted[cls] += count
        self._mark_due = True
        return False

    def commit_all(self) -> bool:
        """Commit every class, alerts first. Returns whether all of it is safe."""
        safe = self.commit(rec.ALERT)
        safe = self.commit(rec.TELEMETRY) and safe
        return self.commit(rec.RAW) and safe

    def ack(self, next_seq: int) -> None:
        """Everything below `next_seq` is with the broker. Costs no flash but the removal of files that are done with.

        A number that is not above the cursor, or above what was committed, is ignored.
        """
        if next_seq > self.next_seq or next_seq <= self.state.acked:
            return
        self.state.acked = next_seq
        for cls in range(rec.CLASSES):
            segments = self._chains.segments[cls]
            # A segment's records all come before the next one's first number; the newest stays, it holds the state.
            while len(segments) > 1 and segments[1][0] <= next_seq:
                self._remove(cls, segments[0][0])

    def read(self, start: int, limit_bytes: int) -> tuple[bytes, int]:
        """Committed records from `start` on, in order of their numbers, damaged ones left out.

        Args:
            start: first sequence number wanted.
            limit_bytes: most bytes to return, but at least one record is.

        Returns:
            (bytes of whole records of one channel description, number after the last one). Without records, the number
            is `next_seq`: nothing is left from `start` on.
        """
        return self._cursor.read(start, limit_bytes, self.next_seq)

    def describe(self, text: bytes) -> int:
        """Number of the channel description `text` (JSON in bytes), kept beside the records that refer to it.

        Raises:
            ConfigError, StorageError: see descriptions.Descriptions.number_of.
        """
        return self._descriptions.number_of(text)

    def description(self, number: int) -> bytes:
        """The channel description of that number as JSON bytes, b"{}" when it is gone or damaged."""
        return self._descriptions.text(number)

    def tidy(self) -> bool:
        """Make room in a tail for the next commit, when nobody waits. Returns whether anything was written."""
        for cls in range(rec.CLASSES):
            tail = self._chains.tails[cls]
            if tail.is_sealed or tail.has_room(_TAIL_SPARE_BYTES) or not tail.unfolded_bytes(self.state.acked):
                continue
            after = self.state.copy()
            victims = self._choose_victims(cls, _TAIL_SPARE_BYTES, after, False)
            if victims is None:
                continue  # the next commit knows more ways
            mark = seg.pack_mark(cls, after, self.next_seq) if victims else b""
            try:
                self._chains.fold(cls, after, mark)
            except OSError:
                tail.is_sealed = True  # the next commit writes into a segment of its own
                self._refused += 1
                return True
            finally:
                self._cursor.changed(cls)
            self.state = after
            for victim_cls, first_seq in victims:
                self._remove(victim_cls, first_seq)
            return True
        return False

    def close(self) -> None:
        """Commit and close; for an orderly stop."""
        self.commit_all()
        self._chains.close()

    def _try_commit(self, cls: int, batch: bytearray, count: int) -> bool:
        end_seq = self.next_seq + count
        for attempt in range(_ATTEMPTS):
            after = self.state.copy()
            victims = self._choose_victims(cls, len(batch), after)
            if victims is None:
                return False
            needs_mark = victims or self._mark_due or after.acked - self._marked >= _MARK_EVERY
            mark = seg.pack_mark(cls, after, self.next_seq) if needs_mark else b""
            # The mark becomes true with the very sync that makes the records safe; only then do the victims go.
            written = self._chains.try_write(cls, mark, batch, self.next_seq, end_seq, self.state, after)
            self._cursor.changed(cls)
            if written:
                self.state = after
                self.next_seq = end_seq
                self.commits += 1
                if written == 2:
                    self._marked, self._mark_due = after.acked, False
                for victim_cls, first_seq in victims:
                    self._remove(victim_cls, first_seq)
                return True
            if self._chains.is_crowded:
                self._yield_space(cls, len(batch))
            elif attempt:
                break
        self._refused += 1
        return False

    def _choose_victims(
        self, cls: int, size: int, after: "seg.State", is_write_next: bool = True
    ) -> list[tuple[int, int]] | None:
        return eviction.choose(
            self._chains, cls, size, self.limit_bytes, self.next_seq, after, is_write_next, self.succeed, self._cursor
        )

    def succeed(self, cls: int) -> bool:
        """Begin a new segment of a class, so that its newest may be evicted or left alone; whether that went well."""
        try:
            return self._chains.succeed(cls, self.next_seq, self.state)
        except OSError:
            return False
        finally:
            self._cursor.changed(cls)

    def _yield_space(self, cls: int, size: int) -> None:
        # Somebody else's files took what was counted on. The mark that should come first has no room, so the victims go
        # first and the next mark tells: only a cut in between could lose their count.
        self.limit_bytes = max(0, self._chains.used_bytes - self._chains.blocks(1))
        after = self.state.copy()
        victims = self._choose_victims(cls, size, after, False)
        if victims:
            self.state = after
            self._mark_due = True
            for victim_cls, first_seq in victims:
                self._remove(victim_cls, first_seq)

    def _remove(self, cls: int, first_seq: int) -> None:
        self._cursor.gone(cls, first_seq)
        self._chains.remove(cls, first_seq)

    def _damage(self, path: str, offset: int) -> None:
        # Met again by every reader that passes there; counted once.
        if (path, offset) not in self._damage_met and len(self._damage_met) < _DAMAGE_KEPT:
            self._damage_met.add((path, offset))
            self.damaged += 1
