"""How the databases go about what is asked every few seconds: by the records' key, not through all records."""

import re

import pytest

from kittiwake.history import open_history
from kittiwake.history.stores import open_store
from tests.history import records

EPOCH_MS = records.EPOCH_MS
JOURNALS, ROWS = 4, 3000


@pytest.fixture
def filled(database):
    """The address of a history with some journals of some thousand records, about which the database knows."""
    store = open_store(database)
    for number in range(JOURNALS):
        messages = [records.event(seq, "x", seq, epoch_ms=EPOCH_MS, device=f"press-{number}") for seq in range(ROWS)]
        records.put(store, *messages)
    store.close()
    return database


class Asked:
    """A history's reader that keeps what it is asked."""

    def __init__(self, reader):
        self._reader, self.questions = reader, []

    def rows(self, question, values=()):
        self.questions.append(question)
        return self._reader.rows(question, values)

    def close(self):
        self._reader.close()


def plan(reader, question, is_sqlite):
    if is_sqlite:
        return [row[3] for row in reader.rows(f"EXPLAIN QUERY PLAN {question}")]
    return [row[0] for row in reader.rows(f"EXPLAIN {question}")]


def scans(lines):
    """Steps that go through all records; a partition that costs nothing has none."""
    return [line for line in lines if re.search(r"SCAN records|Seq Scan on records.*cost=0\.00\.\.(?!0\.00 )", line)]


def keyed(lines):
    """Steps that go by the key."""
    return [
        line
        for line in lines
        if re.search(r"SEARCH records USING (COVERING )?INDEX sqlite_autoindex_records_1 \(journal_id=\?", line)
        or re.search(r"Index (Only )?Scan.* using records\w*_pkey on records", line)
    ]


def test_newest_record_of_each_journal_is_looked_up_by_the_key(filled, request):
    is_sqlite = "://" not in filled
    if not is_sqlite:
        request.getfixturevalue("postgres_server").run("ANALYZE")
    with open_history(filled) as history:
        reader = history._reader = Asked(history._reader)
        newest = history.newest()
        (question,) = reader.questions
        lines = plan(reader, question, is_sqlite)
        through_all = plan(reader, "SELECT sum(boot) FROM records", is_sqlite)
    assert {device: seq for (device, _), (seq, _) in newest.items()} == {
        f"press-{number}": ROWS - 1 for number in range(JOURNALS)
    }
    assert len(keyed(lines)) >= 2 and not scans(lines), lines
    assert scans(through_all), through_all  # the check sees what it is to see
