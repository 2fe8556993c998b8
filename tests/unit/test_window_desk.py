"""Commands from the window's pages: two people at one configuration, refusals, time-outs, late answers."""

import asyncio

import pytest

from kittiwake.errors import KittiwakeError
from kittiwake.window import desk as desks
from kittiwake.window.desk import ChangedError, Desk


class Board:
    """Answers commands as a device does, unless it is to keep still."""

    def __init__(self):
        self.config = {"device": "a", "channels": []}
        self.sent, self.late = [], []
        self.is_still = self.is_away = False
        self.desk = Desk(self.send, lambda *late: self.late.append(late))

    def send(self, name, command):
        if self.is_away:
            return False
        self.sent.append((name, command))
        if not self.is_still:
            asyncio.get_running_loop().call_soon(self.answer, command)
        return True

    def answer(self, command):
        result = {}
        if command["op"] == "config_get":
            result = {"config": self.config}
        elif command["op"] == "config_set":
            self.config = command["config"]
        self.desk.on_response({"id": command["id"], "op": command["op"], "status": "ok", "result": result})


@pytest.fixture
def board():
    return Board()


def test_command_has_an_id_of_its_own_and_only_what_it_takes(board):
    async def work():
        for _ in range(2):
            answer = await board.desk.command("ann", "a", "ping", {"text": "x", "device": "b", "id": "mine"})
            assert answer["status"] == "ok"

    asyncio.run(work())
    (first, one), (second, two) = board.sent
    assert (first, second) == ("a", "a") and one["id"] != two["id"] and "mine" not in (one["id"], two["id"])
    assert one == {"id": one["id"], "op": "ping", "text": "x"}


def test_unknown_operation_is_not_sent(board):
    with pytest.raises(ValueError, match="op: there are ping"):
        asyncio.run(board.desk.command("ann", "a", "stimulus", {}))
    assert board.sent == []


def test_of_two_who_edit_one_configuration_the_second_is_told(board):
    base = dict(board.config)

    async def work():
        edits = {"ann": base | {"health_s": 5}, "bob": base | {"health_s": 7}}
        changes = [
            board.desk.command(who, "a", "config_set", {"config": edit, "base": base}) for who, edit in edits.items()
        ]
        return await asyncio.gather(*changes, return_exceptions=True)

    first, second = asyncio.run(work())
    assert first["status"] == "ok" and isinstance(second, ChangedError)
    assert board.config == base | {"health_s": 5}
    assert [command["op"] for _, command in board.sent] == ["config_get", "config_set", "config_get"]


def test_configuration_without_the_one_that_was_edited_is_not_sent(board):
    with pytest.raises(ChangedError):
        asyncio.run(board.desk.command("ann", "a", "config_set", {"config": {}}))
    assert board.config["device"] == "a"


def test_command_while_the_broker_is_away_says_that_nothing_was_sent(board):
    board.is_away = True
    with pytest.raises(KittiwakeError, match="nothing was sent"):
        asyncio.run(board.desk.command("ann", "a", "identify", {}))


def test_command_without_an_answer_ends_and_a_late_one_is_written_down(board, monkeypatch):
    monkeypatch.setattr(desks, "ANSWER_S", 0.01)
    board.is_still = True

    async def work():
        with pytest.raises(KittiwakeError, match="may still be carried out"):
            await board.desk.command("ann", "a", "identify", {})
        board.answer(board.sent[0][1])
        board.answer(board.sent[0][1])

    asyncio.run(work())
    ((who, device, op, answer),) = board.late
    assert (who, device, op, answer["status"]) == ("ann", "a", "identify", "ok")


def test_answer_that_nobody_asked_for_changes_nothing(board):
    for identity in ("x", None, 3, []):
        board.desk.on_response({"id": identity, "status": "ok"})
    assert board.late == []
