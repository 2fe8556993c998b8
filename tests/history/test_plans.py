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


def test_page_of_a_journal_is_read_by_the_key_newest_first(filled, request):
    is_sqlite = "://" not in filled
    if not is_sqlite:
        request.getfixturevalue("postgres_server").run("ANALYZE")
    with open_history(filled) as history:
        reader = history._reader = Asked(history._reader)
        name = next(journal for device, journal in history.newest() if device == "press-1")
        page = history.journal("press-1", name, before=1000, limit=50)
        newest = history.journal("press-1", name)
        none = history.journal("press-2", "00" * 8)
        question = reader.questions[1]
        for value in ("'press-1'", f"'{name}'", "1000", "50"):
            question = question.replace("?", value, 1)
        lines = plan(reader, question, is_sqlite)
    assert [message.seq for message in page] == list(range(999, 949, -1))
    assert [message.seq for message in newest] == list(range(ROWS - 1, ROWS - 101, -1)) and none == []
    assert page[0].device == "press-1" and page[0].kind == "event" and page[0].body["text"] == "x"
    assert keyed(lines) and not scans(lines), lines
