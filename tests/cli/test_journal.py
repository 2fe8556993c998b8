"""`kittiwake journal`: an image listed and checked, fetched from a device, and what is said when something is wrong."""

import binascii
import gzip
import json
import re
import shutil

import pytest

pytest.importorskip("littlefs", reason="littlefs-python is not installed: pip install 'kittiwake[journal]'")

from kittiwake import board_code
from kittiwake.cli import app
from kittiwake.errors import EXIT_NO_DEVICE, EXIT_OK, EXIT_USAGE, EXIT_VERIFICATION, KittiwakeError
from kittiwake.journal import image, pull
from tests.support.micropython import FIRMWARE, ROOT, run_script

VECTORS = ROOT / "tests" / "vectors"


@pytest.fixture
def version_1(tmp_path):
    """The checked-in partition of version 1, and what its writer said of it."""
    path = tmp_path / "v1.img"
    path.write_bytes(gzip.decompress((VECTORS / "journal_v1.img.gz").read_bytes()))
    return path, json.loads(gzip.decompress((VECTORS / "journal_v1.json.gz").read_bytes()))


def test_journal_of_version_1_is_listed_whole(version_1, capsys):
    path, said = version_1
    before = path.read_bytes()
    assert app.run(["journal", str(path), "--json"]) == EXIT_OK
    *records, summary = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    waiting = [r for r in records if not r["acked"]]
    assert [r["seq"] for r in waiting] == [w[0] for w in said["waiting"]]
    assert [r["class"] for r in waiting] == [("raw", "telemetry", "alert")[w[1]] for w in said["waiting"]]
    assert {r["kind"] for r in waiting} == {"opaque", "summary", "event"}
    assert summary["journal"] == said["id"] and summary["next_seq"] == said["next_seq"]
    assert list(summary["dropped"].values()) == said["evicted"] and sum(said["evicted"]) > 50
    assert summary["sound"] is True
    assert path.read_bytes() == before


def test_journal_of_version_1_is_read_by_the_firmware_with_nothing_lost(version_1):
    path, said = version_1
    found = run_script("tests/unit/journal_image_run.py", str(FIRMWARE), str(path), "32", "read")
    assert len(found["waiting"]) > 100
    assert found == {**said, "boot": said["boot"] + 1}


def test_journal_for_people_ends_with_its_state(version_1, capsys):
    path, said = version_1
    assert app.run(["journal", "show", str(path)]) == EXIT_OK
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "sound" and said["id"] in lines[-3]
    assert any("alert" in line and "number" in line for line in lines)


def test_journal_with_damage_names_the_place_and_exits_5(version_1, capsys):
    path, _ = version_1
    raw = bytearray(path.read_bytes())
    segment = image.load(path)["journal/2-00000000.kwj"]
    raw[raw.index(segment[1000:1100]) + 50] ^= 0x20
    path.write_bytes(raw)
    assert app.run(["journal", str(path)]) == EXIT_VERIFICATION
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("NOT sound")
    (named,) = [re.match(r"damaged: (\S+) at byte (\d+), (\d+) bytes: no record", line) for line in lines[-2:-1]]
    assert named[1] == "journal/2-00000000.kwj" and int(named[2]) <= 1050 < int(named[2]) + int(named[3])


@pytest.mark.parametrize("content", [None, b"", b"\xff" * 65536, b"\x00" * 8192, b"kittiwake" * 1000])
def test_journal_of_what_is_no_image_is_one_line(tmp_path, content, capsys):
    path = tmp_path / "it.img"
    if content is not None:
        path.write_bytes(content)
    assert app.run(["journal", str(path)]) == EXIT_USAGE
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1 and str(path) in error


@pytest.mark.parametrize("words", [["journal", "pull"], ["journal", "."]])
def test_journal_with_wrong_usage_is_one_line(words, capsys):
    assert app.run(words) == EXIT_USAGE
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_journal_pull_from_a_port_that_is_not_there_exits_3(tmp_path, capsys):
    assert app.run(["journal", "--port", "/dev/ttyNONE", "pull", "-o", str(tmp_path / "x")]) == EXIT_NO_DEVICE
    assert not (tmp_path / "x").exists()


class Garbling:
    """A device of three blocks of 4 bytes behind a line that spoils its first answers."""

    def __init__(self, spoiled):
        self.spoiled = spoiled

    def exec(self, code, timeout_s=10.0):
        if code == board_code.source("journal/partition"):
            return ""
        if code.startswith("open_partition("):
            return "3 4\n"
        self.spoiled -= 1
        answer = f"=255 4\n{binascii.crc32(b'kitt'):08x} a2l0dA==\n=0 4\n"
        return answer[:9] + answer[10:] if self.spoiled >= 0 else answer


def test_journal_pull_over_a_line_that_garbles_asks_again_and_then_says_so():
    assert pull.pull(Garbling(2), {}) == b"\xff" * 4 + b"kitt" + bytes(4)
    with pytest.raises(KittiwakeError, match="damaged|arrived"):
        pull.pull(Garbling(3), {})


def test_journal_cut_anywhere_is_never_a_surprise(version_1, capsys):
    path, _ = version_1
    raw = path.read_bytes()
    for size in range(4096, len(raw), 12288):
        short = path.with_name("short.img")
        short.write_bytes(raw[:size])
        assert app.run(["journal", str(short)]) in (EXIT_OK, EXIT_USAGE, EXIT_VERIFICATION)
    shutil.rmtree(path.parent, ignore_errors=True)
    capsys.readouterr()


@pytest.fixture
def as_folder(version_1, tmp_path):
    """The same journal as files of a folder, as a board whose journal is no partition has it."""
    path, said = version_1
    folder = tmp_path / "copied"
    for inner, content in image.load(path).items():
        (folder / inner).parent.mkdir(parents=True, exist_ok=True)
        (folder / inner).write_bytes(content)
    return path, folder


def test_journal_of_a_folder_is_that_of_the_partition(as_folder, capsys):
    path, folder = as_folder
    listings = []
    for place in (path, folder, folder / "journal"):
        assert app.run(["journal", str(place), "--json"]) == EXIT_OK
        listings.append(capsys.readouterr().out)
    assert listings[0] == listings[1] == listings[2] and len(listings[0].splitlines()) > 100


def test_journal_of_one_file_lists_its_records_and_misses_no_others(as_folder, capsys):
    _, folder = as_folder
    segment = next((folder / "journal").glob("2-*.kwj"))
    assert app.run(["journal", str(segment), "--json"]) == EXIT_OK
    *records, summary = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert records and {record["class"] for record in records} == {"alert"}
    assert summary["sound"] is True and [file["path"] for file in summary["files"]] == [f"journal/{segment.name}"]


def test_journal_of_one_file_that_is_damaged_exits_5(as_folder, capsys):
    _, folder = as_folder
    segment = next((folder / "journal").glob("2-*.kwj"))
    raw = bytearray(segment.read_bytes())
    raw[len(raw) // 2] ^= 1
    segment.write_bytes(raw)
    assert app.run(["journal", str(segment)]) == EXIT_VERIFICATION
    assert "no record that passes its check" in capsys.readouterr().out


def test_journal_of_a_folder_without_one_says_what_to_name(tmp_path, capsys):
    assert app.run(["journal", str(tmp_path)]) == EXIT_USAGE
    assert "holds no file of a journal" in capsys.readouterr().err
