"""`kittiwake history`: what is asked of a file, and what is said of one that is none."""

import csv
import html
import io
import json
from datetime import UTC, datetime

import pyarrow.parquet
import pytest

from kittiwake.cli import app
from kittiwake.errors import EXIT_FAILED, EXIT_OK, EXIT_USAGE, EXIT_VERIFICATION
from kittiwake.history.row import read
from kittiwake.history.sqlite_store import SqliteStore
from tests.history import records

NOW_MS = round(datetime.now(UTC).timestamp() * 1000)
EPOCH_MS = NOW_MS - 10_000_000


@pytest.fixture
def path(tmp_path):
    store = SqliteStore(tmp_path / "h.sqlite")
    made = [records.summary(seq, [100 * seq, 3], seq * 60_000, epoch_ms=EPOCH_MS) for seq in range(100)]
    made.append(records.event(100, "x", 6_000_000, epoch_ms=EPOCH_MS))
    store.write([read(*message) for message in made], NOW_MS)
    store.close()
    return tmp_path / "h.sqlite"


def run(capsys, *arguments):
    code = app.run(["history", *map(str, arguments)])
    return code, capsys.readouterr()


def test_devices_are_listed_with_their_channels(path, capsys):
    code, said = run(capsys, "devices", "--database", path)
    assert code == EXIT_OK and "press-7" in said.out and "101" in said.out and "vibration" in said.out
    code, said = run(capsys, "devices", "--database", path, "--json")
    (device,) = json.loads(said.out)
    assert (device["rows"], device["channels"], device["journals"]) == (101, ["vibration"], 1)
    assert device["arrived"].endswith("Z")


def test_channels_are_shown_with_what_they_were_and_from_when(path, capsys):
    code, said = run(capsys, "channels", "press-7", "--database", path, "--json")
    (span,) = json.loads(said.out)
    assert code == EXIT_OK
    assert (span["channel"], span["unit"], span["scale"], span["offset"]) == ("vibration", "mm/s", "1/100", "-3/10")
    assert span["since"] == datetime.fromtimestamp(EPOCH_MS / 1000, UTC).isoformat(timespec="milliseconds")[:23] + "Z"
    code, said = run(capsys, "channels", "--database", path)
    assert code == EXIT_OK and "vib-001" in said.out and "1/100" in said.out
    code, said = run(capsys, "channels", "press-8", "--database", path)
    assert code == EXIT_USAGE and "no device 'press-8'" in said.err and "it has press-7" in said.err


def test_show_gives_exact_figures_as_table_json_and_csv(path, capsys):
    code, said = run(capsys, "show", "press-7", "--every", "1h", "--database", path, "--json")
    buckets = json.loads(said.out)
    assert code == EXIT_OK and sum(b["n"] for b in buckets) == 200
    assert sum(b["s"] for b in buckets) == sum(100 * seq + 3 for seq in range(100))
    assert max(b["high"] for b in buckets) == 98.7 and {b["unit"] for b in buckets} == {"mm/s"}
    _, said = run(capsys, "show", "press-7", "--every", "1h", "--database", path, "--csv")
    assert [int(row["n"]) for row in csv.DictReader(io.StringIO(said.out))] == [b["n"] for b in buckets]
    _, said = run(capsys, "show", "press-7", "--every", "1h", "--database", path)
    assert said.out.count("mm/s") == len(buckets)
    _, said = run(capsys, "show", "press-7", "--since", "1m", "--every", "1m", "--database", path, "--json")
    assert json.loads(said.out) == []


def test_show_writes_parquet_and_draws(path, capsys, tmp_path):
    code, said = run(capsys, "show", "press-7", "--database", path, "--parquet", tmp_path / "f.parquet")
    assert code == EXIT_OK and said.out == "" and "rows" in said.err
    assert sum(pyarrow.parquet.read_table(tmp_path / "f.parquet").column("n").to_pylist()) == 200
    code, said = run(capsys, "show", "press-7", "--every", "1m", "--database", path, "--plot", tmp_path / "p.svg")
    assert code == EXIT_OK and "100 points" in said.err
    assert "vibration, mm/s" in html.unescape((tmp_path / "p.svg").read_text())
    code, said = run(capsys, "show", "press-7", "--database", path, "--plot", tmp_path / "p.gif")
    assert code == EXIT_USAGE and "p.gif is no picture" in said.err
    late = ["--since", "1m", "--every", "1m", "--database", path, "--plot", tmp_path / "q.svg"]
    code, said = run(capsys, "show", "press-7", *late)
    assert code == EXIT_USAGE and "no samples to draw" in said.err


def test_export_writes_the_days_that_are_over(tmp_path, capsys):
    store = SqliteStore(tmp_path / "h.sqlite")
    store.write([read(*records.event(1, "x", 5, epoch_ms=records.EPOCH_MS - 10 * 365 * 86_400_000))], NOW_MS)
    store.close()
    code, said = run(capsys, "export", tmp_path / "days", "--database", tmp_path / "h.sqlite")
    assert code == EXIT_OK and "1 records" in said.err
    code, said = run(capsys, "export", tmp_path / "days", "--database", tmp_path / "h.sqlite")
    assert code == EXIT_OK and "as before" in said.err


def test_address_with_a_password_is_refused_and_not_repeated(capsys):
    code, said = run(capsys, "audit", "--database", "postgresql://me:hunter2@127.0.0.1/db")
    assert code == EXIT_USAGE and "PGPASSFILE" in said.err and "hunter2" not in said.err


def test_audit_awaits_numbers_that_were_just_overtaken(tmp_path, capsys):
    now_ms = round(datetime.now(UTC).timestamp() * 1000)
    path = tmp_path / "h.sqlite"
    store = SqliteStore(path)
    store.write([read(*records.event(seq, "x", 1)) for seq in (0, 2)], now_ms - 3_600_000)
    store.write([read(*records.event(5, "x", 1))], now_ms)
    store.close()
    code, said = run(capsys, "audit", "--settle", "10m", "--database", path)
    assert code == EXIT_VERIFICATION and "missing 1, 1-1, awaited 2" in said.out
    store = SqliteStore(path)
    store.write([read(*records.event(1, "x", 1))], now_ms)
    store.close()
    code, said = run(capsys, "audit", "--settle", "10m", "--database", path)
    assert code == EXIT_OK and "missing 0, awaited 2, newest" in said.out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["show", "press-8"], "the history has no device 'press-8'; it has press-7"),
        (["show", "press-7", "--channel", "heat"], "press-7 has no channel 'heat'; it has vibration"),
        (["show", "press-7", "--every", "1x"], "'1x' is no span of time"),
        (["show", "press-7", "--every", "90s"], "no multiple of a minute"),
        (["show", "press-7", "--since", "-3d"], "'-3d' is no span of time"),
        (["alerts", "--since", "yesterday"], "'yesterday' is no span of time"),
        (["run", "--metrics", "here"], "'here' is no listen"),
    ],
)
def test_question_that_cannot_be_is_a_usage_error(path, capsys, arguments, reason):
    code, said = run(capsys, *arguments, "--database", path)
    assert code == EXIT_USAGE and reason in said.err


def test_audit_exits_5_when_a_record_is_missing(path, capsys):
    code, said = run(capsys, "audit", "--database", path)
    assert code == EXIT_OK and "101 rows, 0 to 100, evicted 0, missing 0" in said.out
    store = SqliteStore(path)
    store.write([read(*records.event(103, "y", 1))], NOW_MS)
    store.close()
    code, said = run(capsys, "audit", "--database", path)
    assert code == EXIT_VERIFICATION and "missing 2, 101-102" in said.out
    code, said = run(capsys, "audit", "--database", path, "--json")
    assert code == EXIT_VERIFICATION and json.loads(said.out)[0]["missing"] == 2


def test_audit_of_nothing_is_no_pass(tmp_path, capsys):
    SqliteStore(tmp_path / "h.sqlite").close()
    code, said = run(capsys, "audit", "--database", tmp_path / "h.sqlite")
    assert code == EXIT_USAGE and "there is nothing to audit" in said.err


@pytest.mark.parametrize("verb", [["devices"], ["channels"], ["show", "x"], ["alerts"], ["audit"]])
def test_file_that_is_not_there_or_none_is_one_line(tmp_path, capsys, verb):
    code, said = run(capsys, *verb, "--database", tmp_path / "absent.sqlite")
    assert code == EXIT_USAGE and "absent.sqlite is not there" in said.err
    assert not (tmp_path / "absent.sqlite").exists()
    (tmp_path / "text").write_text("no database " * 100)
    code, said = run(capsys, *verb, "--database", tmp_path / "text")
    assert code == EXIT_FAILED and said.err.count("\n") == 1 and "file is not a database" in said.err
