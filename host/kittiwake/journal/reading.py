"""A whole journal from the files of a partition: what the device would deliver, and all that is wrong.

It repairs nothing and changes nothing. What it holds to be true is docs/spec/journal.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kittiwake.errors import UsageError
from kittiwake.journal import parse
from kittiwake.journal.parse import Damage, Segment, State
from kittiwake_node.link import record as rec

CLASSES = ("raw", "telemetry", "alert")


@dataclass(frozen=True)
class Entry:
    """One record that is in the journal, and where it stands."""

    record: rec.Record
    path: str
    offset: int
    is_acked: bool


@dataclass
class Journal:
    """What a partition holds.

    Attributes:
        id: of the journal.
        version: the newest of its files.
        state: the newest of every number.
        next_seq: after the largest number found.
        segments: every segment and tail, by class and age, stale ones too.
        entries: by number, without those that were evicted and whose file only waits to be removed.
        layouts: number of a channel description -> its text.
        damages: Damage, by file.
        other_files: paths that are no part of a journal.
        missing: numbers from the cursor on that no record has.
        unexplained: those of them that neither evictions nor damage explain; 0 in a sound journal.
    """

    id: int
    version: int
    state: State
    next_seq: int
    segments: list[Segment]
    entries: list[Entry]
    layouts: dict[int, bytes]
    damages: list[Damage]
    other_files: list[str] = field(default_factory=list)
    missing: int = 0
    unexplained: int = 0

    @property
    def is_sound(self) -> bool:
        """Nothing is damaged and nothing is unexplained."""
        return not self.damages and not self.unexplained


def read(files: Mapping[str, bytes | None], name: str, is_part: bool = False) -> Journal:
    """Read a journal.

    Args:
        files: path -> content, None where it cannot be read (image.load).
        name: what errors call the partition.
        is_part: these are not all of its files: what is not there is not missed.

    Raises:
        UsageError: there is no journal, or not one that can be read: of a later version, or of two devices.
    """
    segments: list[Segment] = []
    layouts: dict[int, bytes] = {}
    damages: list[Damage] = []
    other: list[str] = []
    for path in sorted(files):
        raw = files[path]
        if raw is None:
            damages.append(Damage(path, 0, 0, "LittleFS cannot read it"))
        elif parse.class_of(path) is not None:
            if raw:  # an empty one was cut between being made and its first commit; nothing was ever in it
                segments.append(parse.segment(path, raw))
        elif (number := parse.layout_number(path)) is not None:
            text = parse.layout_text(raw)
            if text is None:
                damages.append(Damage(path, 0, len(raw), "the channel description does not pass its check"))
            else:
                layouts[number] = text
        elif path != "journal/layout.new":
            other.append(path)
    if not segments:
        raise UsageError(
            f"{name} has a LittleFS, and no journal", f"it holds {', '.join(sorted(files)[:8]) or 'nothing'}"
        )
    ids = {s.journal for s in segments if s.journal is not None}
    if not ids:
        raise UsageError(f"{name}: no head of a segment can be read", "its records cannot be told from another's")
    if len(ids) > 1:
        listed = ", ".join(f"{i:016x}" for i in sorted(ids))
        raise UsageError(f"{name} has segments of {len(ids)} journals: {listed}", "the device refuses them too")
    version = max(s.version for s in segments if s.version is not None)
    if version > parse.VERSION:
        raise UsageError(f"{name} is of version {version}", f"this reads up to {parse.VERSION}; take a newer kittiwake")
    segments.sort(key=lambda s: (s.cls, s.is_tail, s.first_seq))
    journal = _join(ids.pop(), version, segments, layouts, damages, other)
    if not is_part:
        _miss(journal)
    return journal


def _join(
    journal: int,
    version: int,
    segments: list[Segment],
    layouts: dict[int, bytes],
    damages: list[Damage],
    other: list[str],
) -> Journal:
    state = State()
    for segment in segments:
        damages += segment.damages
        for one in segment.states:
            state = state.joined(one)
    next_seq = max([s.first_seq for s in segments] + [r.seq + 1 for s in segments for _, r in s.records], default=0)
    entries: dict[int, Entry] = {}
    for segment in _live(segments, state):
        before = -1
        for offset, record in segment.records:
            if record.seq <= before or record.seq in entries or record.cls != segment.cls:
                damages.append(Damage(segment.path, offset, 0, f"record {record.seq} is out of its place"))
            before = max(before, record.seq)
            entries.setdefault(record.seq, Entry(record, segment.path, offset, record.seq < state.acked))
    return Journal(
        journal,
        version,
        state,
        next_seq,
        segments,
        [entries[seq] for seq in sorted(entries)],
        layouts,
        damages,
        other,
    )


def _miss(journal: Journal) -> None:
    """Note what a whole journal would have and this one has not."""
    named = {e.record.description for e in journal.entries if not e.is_acked} - journal.layouts.keys() - {0}
    for number in sorted(named):
        place = f"journal/layout-{number:04d}.kwl"
        journal.damages.append(Damage(place, 0, 0, "records refer to it, and it is not there"))
    there = {e.record.seq for e in journal.entries}
    journal.missing = sum(1 for seq in range(journal.state.acked, journal.next_seq) if seq not in there)
    may_be_damaged = sum(d.size // rec.OVERHEAD_BYTES + 1 for d in journal.damages)
    journal.unexplained = max(0, journal.missing - sum(journal.state.dropped) - may_be_damaged)


def _live(segments: list[Segment], state: State) -> Iterator[Segment]:
    """The segments and tails that count: neither evicted nor stale."""
    for cls in range(rec.CLASSES):
        chain = [s for s in segments if s.cls == cls and not s.is_tail]
        for at, segment in enumerate(chain):
            # The next start removes it: a cut came between the commit that evicted it and its removal.
            if at + 1 < len(chain) and chain[at + 1].first_seq <= state.floor[cls]:
                continue
            yield segment
        for tail in segments:
            if tail.cls == cls and tail.is_tail and not _is_folded(tail, chain):
                yield tail


def _is_folded(tail: Segment, chain: list[Segment]) -> bool:
    """Whether the records of a tail are in the newest segment already, or were acknowledged before that began."""
    if not chain:
        return False
    newest = chain[-1]
    first = tail.first_seq if tail.first_seq >= 0 or not tail.records else tail.records[0][1].seq
    last = max((record.seq for _, record in newest.records), default=-1)
    return last >= first or newest.first_seq > first
