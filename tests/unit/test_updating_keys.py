"""Releases that bring keys, and releases of configuration alone, on the board's side."""

import json
import os

import pytest

from kittiwake_node.errors import ConfigError
from kittiwake_node.io import build_facts, provisioned
from kittiwake_node.update import manifest, slots
from tests.support import release_keys
from tests.support.updated_board import HERE, IDLE, NEW, OLD, REFUSED, WANTS, Board, head_of, offer_of, table_of

KEYS = [release_keys.modulus_of(release_keys.private_key(number)) for number in (0, 1)]


@pytest.fixture
def board(tmp_path, monkeypatch):
    keys = build_facts.keys
    board = Board(tmp_path, monkeypatch)
    monkeypatch.setattr(build_facts, "keys", keys)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "provision").mkdir()
    (tmp_path / "provision" / "release-0").write_bytes(KEYS[0])
    own = {"device": "d", "release": {"keys_file": "provision/release-0"}}
    (tmp_path / "provision.json").write_text(json.dumps(own))
    return board


def prove(board, slot="app-b"):
    """The slot's application starts, and does its work."""
    slots.write(board.fs, f"{slot}/tried", slots.RESET.encode())
    board.start(slot)
    board.channel.index, board.journal.acked = 1, 11
    board.now_ms = 2500
    for _ in range(3):
        board.now_ms += 100
        board.updating.step(board.now_ms, False)
    assert slots.number(board.fs, slot, slots.READY)


def take(board, files, key=0, **head):
    board.offer(offer_of(head_of(files, **head), key))
    return board.give(files)


def test_keys_of_a_release_are_trusted_once_it_has_proved_itself_and_the_old_one_no_more(board):
    files = {**NEW, "keys": KEYS[1]}
    assert take(board, files)[0].state == HERE
    assert build_facts.keys() == [KEYS[0]], "nothing is proved yet"
    prove(board)
    assert build_facts.keys() == [KEYS[1]]
    assert json.loads(board.fs.contents()["provision.json"])["device"] == "d"
    names = release_keys.digest(KEYS[1])[:8].hex()
    assert board.notes[-1] == f"releases of these keys are taken from now on: {names}"
    assert {path for path in board.fs.contents() if path.startswith("provision/") or path.endswith("keys")} == {
        f"provision/release-{release_keys.digest(KEYS[1])[:4].hex()}"
    }
    board.start("app-b")
    reply = board.offer(offer_of(head_of(NEW, counter=6), 0))
    assert reply.state == REFUSED and "no key" in reply.text
    assert board.offer(offer_of(head_of(NEW, counter=6), 1)).state == WANTS


def test_release_that_is_taken_back_leaves_the_keys(board):
    take(board, {**NEW, "keys": KEYS[1]})
    slots.write(board.fs, "app-b/tried", b"it raised ValueError")
    board.start("app-a")
    assert build_facts.keys() == [KEYS[0]]
    assert board.updating.restarts is False and board.offer(offer_of(head_of(NEW, counter=6))).state == WANTS


@pytest.mark.parametrize("step", range(1, 8))
def test_keys_are_the_old_or_the_new_ones_wherever_the_medium_fails(board, step, monkeypatch):
    take(board, {**NEW, "keys": KEYS[0] + KEYS[1]})
    count = 0

    def failing(real):
        def operation(*arguments):
            nonlocal count
            count += 1
            if count == step:
                raise OSError(5, "cut")
            return real(*arguments)

        return operation

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", failing(os.rename))
        patch.setattr(os, "remove", failing(os.remove))
        patch.setattr(build_facts, "_write", failing(build_facts._write))
        prove(board)
    assert count >= step
    assert build_facts.keys() in ([KEYS[0]], KEYS)
    board.start("app-b")
    assert build_facts.keys() == KEYS
    assert json.loads(board.fs.contents()["provision.json"])["device"] == "d"


@pytest.mark.parametrize("keys", [b"", bytes(5 * 384)])
def test_release_with_too_many_keys_or_none_is_refused(board, keys):
    reply, _ = take(board, {**NEW, "keys": keys})
    assert reply.state == REFUSED and "keys" in reply.text


def test_configuration_alone_leaves_the_application_that_runs(board):
    slots.write(board.fs, "app-a/head", head_of(OLD, counter=4))
    board.start()
    files = {"node.json": json.dumps({"device": "other", "x": 2}).encode()}
    reply, given = take(board, files, flags=manifest.KEEPS)
    assert reply.state == HERE and given == len(table_of(files)) + len(files["node.json"])
    found = board.fs.contents()
    new = {path[6:]: content for path, content in found.items() if path.startswith("app-b/")}
    assert {path for path in new if path not in manifest.MARKS} == set(OLD)
    for path in set(OLD) - {"node.json"}:
        assert new[path] == OLD[path]
    assert json.loads(new["node.json"]) == {"device": "d", "x": 2}
    prove(board)
    assert board.ask(13).state == IDLE and board.ask(13).running == 5


def test_configuration_alone_does_not_write_what_is_there(board):
    files = {"node.json": b'{"x": 2}'}
    take(board, files, flags=manifest.KEEPS)
    stat = os.stat("app-b/kittiwake_node/b.mpy")
    os.utime("app-b/kittiwake_node/b.mpy", (1, 1))
    (board.fs.root / "app-b/kittiwake_node/a.mpy").write_bytes(b"damaged")
    board.start()
    assert take(board, files, counter=6, flags=manifest.KEEPS)[0].state == HERE
    assert os.stat("app-b/kittiwake_node/b.mpy").st_mtime == 1 != stat.st_mtime
    assert board.fs.contents()["app-b/kittiwake_node/a.mpy"] == OLD["kittiwake_node/a.mpy"]


def test_configuration_alone_may_not_go_back_either(board):
    slots.write(board.fs, "app-a/head", head_of(OLD, counter=7))
    board.start()
    reply = board.offer(offer_of(head_of({"node.json": b"{}"}, flags=manifest.KEEPS)))
    assert reply.state == REFUSED and "its counter is 5" in reply.text


def test_board_of_signed_settings_refuses_others(board, tmp_path):
    assert provisioned.objection() == ""
    (tmp_path / "provision.json").write_text('{"release": {"settings": "signed"}}')
    assert "signed releases alone" in provisioned.objection()
    (tmp_path / "provision.json").write_text("{")
    assert "damaged" in provisioned.objection()
    with pytest.raises(ConfigError):
        build_facts.keys()
