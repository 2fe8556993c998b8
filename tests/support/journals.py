"""Shortcuts around a journal: fill it, read it out, and the plain list of what must be in it."""

from kittiwake_node.link import record as rec
from kittiwake_node.store.journal import Journal

JOURNAL_ID = 0x0123456789ABCDEF
SETTINGS = {}  # of every journal opened here; a fixture may change them


def open_journal(fs, **settings):
    return Journal(fs, lambda: JOURNAL_ID, **{**SETTINGS, **settings})


def add(journal, cls, payload, layout=1, commit=True):
    """Append one record; whether it is safe."""
    journal.append(cls, rec.draft(rec.EVENT, 0, cls, journal.state.boot, 7, 0, layout, payload))
    return journal.commit(cls) if commit else None


def drain(journal, start=None, limit_bytes=1010):
    """(seq, class, payload) of everything from `start` (the cursor) on, read as the session reads it."""
    seq = journal.acked if start is None else start
    out = []
    while True:
        raw, after = journal.read(seq, limit_bytes)
        if not raw:
            assert after == journal.next_seq
            return out
        offset = 0
        while offset < len(raw):
            record, offset = rec.decode(raw, offset)
            assert record.seq >= seq
            seq = record.seq + 1
            out.append((record.seq, record.cls, record.payload))
        assert after == seq
