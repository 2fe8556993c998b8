"""The board's side of an update, on this machine: what it takes, and what it refuses before it writes."""

import hashlib
import json
import struct

import pytest

from kittiwake_node.link import messages as m
from kittiwake_node.update import manifest, slots
from tests.support.updated_board import (
    BACK,
    HERE,
    IDLE,
    NEW,
    OLD,
    ON_TRIAL,
    REFUSED,
    WANTS,
    Board,
    head_of,
    offer_of,
    table_of,
)


@pytest.fixture
def board(tmp_path, monkeypatch):
    return Board(tmp_path, monkeypatch)


def test_release_is_taken_marked_for_trial_and_settled(board):
    board.offer(offer_of(head_of(NEW)))
    reply, given = board.give(NEW)
    assert (reply.state, reply.counter, reply.running) == (HERE, 5, 0), reply.text
    assert given == len(table_of(NEW)) + len(NEW["kittiwake_node/a.mpy"]), "only what differs"
    found = board.fs.contents()
    for path, content in NEW.items():
        assert found[f"app-b/{path}"] == content
    assert json.loads(found["app-b/node.json"]) == {"device": "d", "x": 1}
    assert slots.number(board.fs, "app-b", slots.TRIAL) == 4 and not slots.number(board.fs, "app-b", slots.READY)
    assert board.notes == ["release 1.5 (5) is here; its trial begins"]
    board.now_ms += 2000
    board.updating.step(board.now_ms, True)
    assert board.updating.restarts

    slots.write(board.fs, "app-b/tried", slots.RESET.encode())  # as main.py does
    board.start("app-b")
    board.now_ms = 0
    assert board.ask(m.OP_UPDATE_PROGRESS).state == ON_TRIAL
    board.channel.index = 1
    board.turn(200)
    assert board.ask(m.OP_UPDATE_PROGRESS).state == ON_TRIAL, "no record was acknowledged"
    board.journal.acked = 11
    for _ in range(100):
        board.now_ms += 1
        board.updating.step(board.now_ms, False)
    assert board.ask(m.OP_UPDATE_PROGRESS).state == ON_TRIAL, "it has not run for a tenth of its time"
    for _ in range(100):
        board.now_ms += 20
        board.updating.step(board.now_ms, False)
    reply = board.ask(m.OP_UPDATE_PROGRESS)
    assert (reply.state, reply.running) == (IDLE, 5)
    assert slots.number(board.fs, "app-b", slots.READY) == 4
    assert "app-b/tried" not in board.fs.contents() and "app-b/trial" not in board.fs.contents()


def test_trial_that_ends_without_proof_gives_way_and_says_why(board):
    board.offer(offer_of(head_of(NEW)))
    board.give(NEW)
    slots.write(board.fs, "app-b/tried", slots.RESET.encode())
    board.start("app-b")
    board.now_ms = 20_000
    for _ in range(3):
        board.now_ms += 100
        board.updating.step(board.now_ms, False)
    assert board.updating.restarts
    board.start("app-a")
    assert board.notes[-1] == "release 1.5 (5) was taken back: channel 0 has given no sample"
    reply = board.ask(m.OP_UPDATE_PROGRESS)
    assert (reply.state, reply.counter, reply.text) == (BACK, 5, "channel 0 has given no sample")
    count = len(board.notes)
    board.start("app-a")
    assert len(board.notes) == count, "told once"
    assert board.ask(m.OP_UPDATE_PROGRESS).state == BACK
    board.offer(offer_of(head_of(NEW)))
    reply, given = board.give(NEW)
    assert reply.state == HERE and given == len(table_of(NEW)), "it may be offered again, and its files are there"


def test_strangers_in_the_slot_leave(board):
    (board.fs.root / "app-b" / "deep").mkdir(parents=True)
    for path in ("deep/old.py", "node.py", "ready"):
        (board.fs.root / "app-b" / path).write_text("1")
    board.offer(offer_of(head_of(NEW)))
    board.give(NEW)
    there = {path.removeprefix("app-b/") for path in board.fs.contents() if path.startswith("app-b/")}
    assert there == {*NEW, "node.json", "head", "trial"}


def test_settings_of_the_release_keep_what_is_the_boards(board):
    channels = [{"hear": {"models": ["word.kwm", "/rom/else.kwm"]}}, {"states": {"model": "fan.kwm", "hold": 3}}]
    settings = {"device": "other", "rate": 2, "channels": channels}
    files = {**NEW, "node.json": json.dumps(settings).encode(), "word.kwm": b"plan", "fan.kwm": b"plan"}
    board.offer(offer_of(head_of(files)))
    assert board.give(files)[0].state == HERE
    merged = json.loads(board.fs.contents()["app-b/node.json"])
    heard, told = {"models": ["app-b/word.kwm", "/rom/else.kwm"]}, {"model": "app-b/fan.kwm", "hold": 3}
    assert merged == {"device": "d", "rate": 2, "channels": [{"hear": heard}, {"states": told}]}


@pytest.mark.parametrize(
    ("head", "key", "reason"),
    [
        ({}, 1, "signed by no key"),
        ({"arch": "rv32imc"}, 0, "no build for this board"),
        ({"chips": ("ESP32",)}, 0, "no build for this board"),
        ({"newest": (1, 27)}, 0, "MicroPython 1.24 to 1.27"),
    ],
)
def test_release_that_is_not_for_this_board_is_refused_before_anything_is_written(board, head, key, reason):
    before = board.fs.contents()
    reply = board.offer(offer_of(head_of(NEW, **head), key))
    assert reply.state == REFUSED and reason in reply.text
    assert board.fs.contents() == before
    assert len(board.notes) == 1 and reason in board.notes[0]


def test_older_counter_is_refused_unless_the_release_allows_it(board):
    slots.write(board.fs, "app-a/head", head_of(OLD, counter=7))
    board.start()
    before = board.fs.contents()
    assert "its counter is 5, and that of the release that runs is 7" in board.offer(offer_of(head_of(NEW))).text
    assert "runs already" in board.offer(offer_of(head_of(NEW, counter=7))).text
    assert board.fs.contents() == before
    assert board.offer(offer_of(head_of(NEW, flags=manifest.DOWNGRADE))).state == WANTS


def test_release_that_does_not_fit_is_refused(tmp_path, monkeypatch):
    board = Board(tmp_path, monkeypatch, blocks=12)
    files = {"big.kwm": bytes(40_000)}
    board.offer(offer_of(head_of(files)))
    reply, _ = board.give(files)
    assert reply.state == REFUSED and "KiB, and" in reply.text


@pytest.mark.parametrize("path", ["../main.py", "/main.py", "ready", "trial", "a/../../b", ".hidden"])
def test_table_that_names_a_path_outside_the_slot_is_refused(board, path):
    raw = path.encode()
    table = struct.pack("<I", 1) + hashlib.sha256(b"x").digest() + bytes([len(raw)]) + raw
    before = board.fs.contents()
    board.offer(offer_of(head_of({}, table=table, count=1, size=1)))
    reply, _ = board.give({}, table)
    assert reply.state == REFUSED and "path" in reply.text
    assert {k: v for k, v in board.fs.contents().items() if k != "app-b/table"} == before


def test_table_that_is_not_what_the_head_says_is_refused(board):
    two = table_of({"a": b"1", "b": b"2"})
    swapped = two[len(two) // 2 :] + two[: len(two) // 2]
    for table, count, size, reason in (
        (two, 1, 2, "does not list"),
        (two, 2, 3, "does not list"),
        (swapped, 2, 2, "order"),
    ):
        if count == 1:
            table = two[:-1] + b"b"
        board.offer(offer_of(head_of({}, table=table, count=count, size=size, counter=count + size)))
        reply, _ = board.give({}, table)
        assert reply.state == REFUSED and reason in reply.text


def test_content_that_is_not_what_the_table_says_is_refused(board):
    board.offer(offer_of(head_of(NEW)))
    bad = {**NEW, "kittiwake_node/a.mpy": b"evil " * 300}
    reply, _ = board.give(bad, table_of(NEW))
    assert reply.state == REFUSED and "hash" in reply.text
    assert "app-b/kittiwake_node/a.mpy" not in board.fs.contents()
