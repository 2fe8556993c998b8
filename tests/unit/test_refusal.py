"""What the firmware refuses has a code, on which the host decides; and errors that say more are new ones."""

from array import array

import pytest

from kittiwake.deploy import deployment
from kittiwake.errors import PortLostError, RefusedError, TargetError
from kittiwake.runs import listen
from kittiwake.target import refusal
from kittiwake.target.port import PortTarget


class Board:
    """Refuses to open hearing, however many words there are."""

    name = "fake"

    def __init__(self, line):
        self.line, self.openings = line, 0

    def deploy(self, files):
        pass

    def exec(self, code, timeout_s=10.0):
        if not code.startswith("open_hearing("):
            return ""
        self.openings += 1
        return self.line


@pytest.mark.parametrize(
    ("line", "openings"),
    [
        ("! memory the scratch takes 9000 bytes in one piece\n", 2),
        # The text speaks of memory, the code does not: one after the other would not help.
        ("! plan its memory is not a multiple of 4\n", 1),
    ],
)
def test_listen_tries_one_word_after_the_other_for_lack_of_memory_alone(line, openings):
    board = Board(line)
    with pytest.raises(RefusedError, match="fake refuses"):
        list(listen.rounds(board, {"a": b"", "b": b""}, "viper", 0, array("h")))
    assert board.openings == openings


def test_refusal_gives_code_and_reason():
    with pytest.raises(RefusedError) as caught:
        refusal.raise_if_refused("! unknown-word alexa\n", "unix refuses")
    assert (caught.value.code, caught.value.message) == ("unknown-word", "unix refuses: unknown-word: alexa")


@pytest.mark.parametrize("reply", ["", "1234\n", "!", '["kw", []]'])
def test_refusal_of_any_other_reply_hands_it_on(reply):
    assert refusal.raise_if_refused(reply) == reply.strip()


@pytest.mark.parametrize(
    "error", [PortLostError("lost", "plug it in"), RefusedError("no", "memory"), TargetError("died", "x", "Trace")]
)
def test_error_with_a_note_is_a_new_one_with_the_same_fields(error):
    message, mend = error.message, error.mend
    noted = error.with_note("nothing was changed")
    assert type(noted) is type(error)
    assert (error.message, error.mend) == (message, mend)
    assert (noted.message, noted.mend) == (f"{message}; nothing was changed", mend)
    assert {name: value for name, value in vars(noted).items() if name not in ("message", "mend")} == {
        name: value for name, value in vars(error).items() if name not in ("message", "mend")
    }
    assert error.with_note("so", "reset it").mend == "reset it"


class OtherPort(PortTarget):
    """A target on a port by another name: it was taken for one whose link can be asked."""


def test_deploy_to_a_port_without_a_link_of_its_own_does_not_ask_the_console():
    assert deployment._health(OtherPort("/dev/none"), {"link": {"kind": "uart"}}) == "started"
    assert OtherPort("/dev/none", link="/dev/other").has_own_link
