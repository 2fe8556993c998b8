"""Releases that bring MicroPython's image, on the board's side: two partitions, and a bootloader that may go back."""

import json
import random
import sys

import pytest

from kittiwake_node.errors import FrameError
from kittiwake_node.update import manifest, slots
from tests.support import esp32_partitions as esp32
from tests.support.image_board import FLAGS, IMAGE, ImageBoard, PowerCut
from tests.support.updated_board import BACK, HERE, IDLE, NEW, REFUSED, Board, head_of, offer_of

NEWER = esp32.MAGIC + random.Random(1).randbytes(100_000)
OTHER = esp32.MAGIC + random.Random(2).randbytes(100_000)
SMALL = esp32.MAGIC + random.Random(3).randbytes(9_000)


@pytest.fixture
def board(tmp_path, monkeypatch):
    return ImageBoard(tmp_path, monkeypatch)


def content(board, label, size):
    return board.chip.content(label)[:size]


def test_image_is_written_tried_and_kept_with_the_application_that_runs(board):
    reply, given = board.take(NEWER)
    assert (reply.state, given) == (HERE, len(NEWER)), reply.text
    assert content(board, "ota_1", len(NEWER)) == NEWER and board.is_whole("app-b")
    assert board.chip.data == {"boot": "ota_1", "states": {"ota_0": "valid", "ota_1": "new"}}
    board.run(2000)
    assert board.updating.restarts
    assert board.reset() == "app-b" and board.chip.running == "ota_1"
    board.run(5000)
    assert board.chip.data["states"]["ota_1"] == "valid"
    assert slots.number(board.fs, "app-b", slots.READY)
    assert board.notes[-1] == "release 1.5 (5) proved itself in 2 s"
    assert board.reset() == "app-b" and board.chip.running == "ota_1"
    reply = board.state()
    assert (reply.state, reply.running) == (IDLE, 5)


def test_next_image_goes_to_the_other_partition(board):
    for counter, image, label in ((5, NEWER, "ota_1"), (6, OTHER, "ota_0")):
        assert board.take(image, counter)[0].state == HERE
        board.reset()
        board.run(5000)
        assert board.chip.running == label and board.chip.data["states"][label] == "valid"
        assert content(board, label, len(image)) == image


def test_image_by_which_the_application_does_not_prove_itself_is_taken_back(board):
    board.take(NEWER)
    assert board.reset() == "app-b"
    board.run(25_000, proves=False)
    assert board.updating.restarts and board.chip.data["states"]["ota_1"] == "pending"
    assert board.reset() == "app-a" and board.chip.running == "ota_0"
    assert board.notes[-1] == "release 1.5 (5) was taken back: channel 0 has given no sample"
    assert board.state().state == BACK and not board.updating.restarts
    assert board.chip.data["states"] == {"ota_0": "valid", "ota_1": "aborted"}


def test_image_that_does_not_start_ends_the_trial_at_once(board):
    board.take(esp32.DOES_NOT_START + NEWER)
    assert board.reset() == "app-b" and board.chip.running == "ota_0"
    board.run(300)
    assert board.updating.restarts
    assert board.reset() == "app-a"
    assert board.notes[-1].endswith("was taken back: MicroPython's image did not start")


def test_image_that_the_bootloader_refuses_is_never_tried(board):
    reply, _ = board.take(b"no image" * 2000)
    assert reply.state == REFUSED and "cannot be tried: the bootloader refuses MicroPython's image" in reply.text
    assert "app-b/trial" not in board.fs.contents()
    assert board.reset() == "app-a" and board.chip.running == "ota_0"


@pytest.mark.parametrize("has_rollback", [True, False])
def test_older_slot_that_finds_itself_on_the_new_image_goes_back_to_the_old_one(tmp_path, monkeypatch, has_rollback):
    """As where a bootloader goes back by no reset, or main.py fell back to the older slot without one."""
    board = ImageBoard(tmp_path, monkeypatch, has_rollback)
    board.take(NEWER)
    assert board.reset() == "app-b"
    assert board.reset(boots=False) == "app-a" and board.chip.running == "ota_1"
    board.run(100)
    assert board.updating.restarts and board.chip.data["boot"] == "ota_0"
    assert board.reset() == "app-a" and board.chip.running == "ota_0"
    assert board.notes[-1].startswith("release 1.5 (5) was taken back: it was reset")
    assert not board.updating.restarts and board.chip.data["states"]["ota_0"] == "valid"
    assert board.reset() == "app-a" and board.chip.running == "ota_0"


def test_old_image_that_does_not_come_back_is_asked_for_once(tmp_path, monkeypatch):
    board = ImageBoard(tmp_path, monkeypatch, has_rollback=False)
    board.take(NEWER)
    board.reset()
    board.reset(boots=False)
    board.chip.put("ota_0", esp32.DOES_NOT_START)
    assert board.reset() == "app-a" and board.chip.running == "ota_1"
    board.run(100)
    assert not board.updating.restarts, "it works by the new one, rather than to start for ever"


def test_image_goes_on_where_a_cut_left_it_and_never_with_another_releases(board):
    board.offer(board.release(NEWER))
    board.cut_at = board.changes + 200
    with pytest.raises(PowerCut):
        board.give({IMAGE: NEWER})
    board.reset()
    reply, given = board.take(NEWER)
    assert reply.state == HERE and given == len(NEWER) - 65536
    assert content(board, "ota_1", len(NEWER)) == NEWER

    board.reset()
    board.reset()
    board.offer(board.release(OTHER, counter=6))
    board.cut_at = board.changes + 200
    with pytest.raises(PowerCut):
        board.give({IMAGE: OTHER})
    board.reset()
    reply, given = board.take(NEWER, counter=7)
    assert (reply.state, given) == (HERE, len(NEWER)), reply.text


@pytest.mark.parametrize("mark", [b"", b"ota_1 ota_0", b"ota_1 ota_0 many", b"\xff\xfe", b"ota_1 ota_0 5000 more"])
def test_damaged_note_of_an_image_that_came_in_part_counts_as_none(board, mark):
    board.offer(board.release(NEWER))
    board.cut_at = board.changes + 200
    with pytest.raises(PowerCut):
        board.give({IMAGE: NEWER})
    slots.write(super(type(board.fs), board.fs), "app-b/image", mark)
    board.reset()
    reply, given = board.take(NEWER)
    assert (reply.state, given) == (HERE, len(NEWER)), reply.text


def test_image_that_is_there_is_not_asked_for_again(board):
    board.take(NEWER)
    board.reset()
    board.run(25_000, proves=False)
    board.reset()
    reply, given = board.take(NEWER, counter=6)
    assert (reply.state, given) == (HERE, 0)
    assert board.chip.data["boot"] == "ota_1"


def test_image_that_runs_already_is_kept(board):
    board.chip.put("ota_0", NEWER)
    reply, given = board.take(NEWER)
    assert (reply.state, given) == (HERE, 0) and board.chip.data["boot"] == "ota_0"
    assert board.reset() == "app-b"
    board.run(5000)
    assert board.chip.running == "ota_0" and board.state().running == 5


def test_damaged_image_is_refused_and_asked_for_anew(board):
    board.offer(board.release(NEWER))
    reply, _ = board.give({IMAGE: NEWER[:-1] + bytes([NEWER[-1] ^ 1])})
    assert reply.state == REFUSED and "not what its hash says" in reply.text
    assert board.take(NEWER)[0].state == HERE


def test_image_larger_than_the_partition_is_refused_before_it_is_written(board):
    reply, given = board.take(esp32.MAGIC + bytes(esp32.SIZE_BYTES))
    assert reply.state == REFUSED and "193 KiB, and the partition 192" in reply.text and given == 0
    assert set(board.chip.content("ota_1")) <= {0xFF} or not board.chip.content("ota_1")


def test_board_without_partitions_refuses_an_image(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "esp32", raising=False)
    board = Board(tmp_path, monkeypatch)
    reply = board.offer(offer_of(head_of({IMAGE: SMALL}, flags=FLAGS)))
    assert reply.state == REFUSED and "no second place for MicroPython's image" in reply.text


@pytest.mark.parametrize(
    ("files", "flags"),
    [({IMAGE: b""}, FLAGS), ({IMAGE: b"x"}, manifest.IMAGE), ({IMAGE: b"x", "a.mpy": b"y"}, FLAGS)],
    ids=["empty", "without KEEPS", "beside another file"],
)
def test_head_of_an_image_that_cannot_be_is_none(files, flags):
    with pytest.raises(FrameError):
        manifest.read_head(head_of(files, flags=flags))


def test_image_under_another_name_is_refused(board):
    board.offer(offer_of(head_of({"a.mpy": SMALL}, flags=FLAGS)))
    reply, _ = board.give({"a.mpy": SMALL})
    assert reply.state == REFUSED and "beside MicroPython's image" in reply.text


def test_models_in_the_slot_go_along(board):
    channels = [{"hear": {"models": ["app-a/w.kwm", "/rom/x.kwm"]}}, {"states": {"model": "app-a/s.kwm"}}]
    slots.write(board.fs, "app-a/node.json", json.dumps({"device": "d", "channels": channels}).encode())
    assert board.take(SMALL)[0].state == HERE
    there = json.loads(board.fs.contents()["app-b/node.json"])["channels"]
    assert there == [{"hear": {"models": ["app-b/w.kwm", "/rom/x.kwm"]}}, {"states": {"model": "app-b/s.kwm"}}]


def play(board):
    """From the offer to the end of the trial, over any resets that it asks for."""
    for _ in range(6):
        board.run(5000)
        if board.updating.restarts:
            board.slot = board.reset()
        elif not slots.is_on_trial(board.fs, board.slot):
            if board.state().running == 5:
                return
            assert board.take(SMALL)[0].state == HERE, board.state().text


def test_power_cut_at_every_change_of_the_flash_ends_with_the_new_image(tmp_path, monkeypatch):
    (tmp_path / "whole").mkdir()
    board = ImageBoard(tmp_path / "whole", monkeypatch)
    board.slot, first = "app-a", board.changes
    play(board)
    count = board.changes - first
    assert board.state().running == 5 and count > 40
    ends = {"old": 0, "new": 0}
    for cut in range(2 * count):
        folder = tmp_path / str(cut)
        folder.mkdir()
        board = ImageBoard(folder, monkeypatch)
        board.slot, board.is_torn = "app-a", bool(cut % 2)
        board.cut_at = board.changes + cut // 2
        with pytest.raises(PowerCut):
            cut_play(board)
        board.slot = board.reset()
        running = content(board, board.chip.running, len(SMALL))
        assert running == SMALL or board.chip.running == "ota_0", f"cut {cut}: neither image is whole"
        assert board.is_whole(board.slot), f"cut {cut}: {board.slot} is not whole"
        ends["new" if running == SMALL else "old"] += 1
        play(board)
        assert board.state().running == 5, (cut, board.notes)
        assert content(board, board.chip.running, len(SMALL)) == SMALL, cut
        assert board.reset() == board.slot and content(board, board.chip.running, len(SMALL)) == SMALL, cut
        assert board.chip.data["states"][board.chip.running] == "valid", cut
    assert ends["old"] > 20 and ends["new"] > 5, ends


def cut_play(board):
    """`play` with a reset in its middle that leaves the cut where it is."""
    cut_at = board.cut_at
    board.take(SMALL)
    board.run(2000)
    if board.changes <= cut_at:
        board.slot = board.reset()
        board.cut_at = cut_at
        board.run(5000)
    raise AssertionError("no cut")


def test_judge_of_cuts_sees_an_image_that_was_never_confirmed(board, monkeypatch):
    monkeypatch.setattr(esp32.Partition, "mark_app_valid_cancel_rollback", classmethod(lambda cls: None))
    board.slot = "app-a"
    play(board)
    assert board.state().running == 5 and board.reset() == "app-b"
    assert content(board, board.chip.running, len(SMALL)) != SMALL


def test_release_with_a_whole_application_takes_the_image_mark_away(board):
    board.take(SMALL)
    board.reset()
    board.run(5000)
    assert "app-b/image" in board.fs.contents()
    for counter, slot in ((6, "app-a"), (7, "app-b")):
        board.offer(offer_of(head_of(NEW, counter=counter)))
        assert board.give(NEW)[0].state == HERE
        assert board.reset() == slot
        board.run(5000)
    assert "app-b/image" not in board.fs.contents() and board.chip.running == "ota_1"
