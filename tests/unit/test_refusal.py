"""What the firmware refuses has a code, on which the host decides; and errors that say more are new ones."""

from array import array

import pytest

from kittiwake.deploy import starting
from kittiwake.errors import PortLostError, RefusedError, TargetError, VerificationError
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


class Watched(PortTarget):
    """A board on a port whose node was started: its console says what it says."""

    def __init__(self, text, link=None):
        super().__init__("/dev/none", link=link)
        self.text, self.is_free = text, False

    def node_text(self):
        return self.text

    def check_running(self):
        refusal.check_not_at_prompt(self.text, "")

    def release_console(self):
        self.is_free = True


@pytest.mark.parametrize("kind", ["uart", "mqtt", "kwboard"])
def test_node_whose_link_leads_elsewhere_is_heard_on_the_console(kind):
    board = Watched("\r\nkittiwake: press-7 runs\r\n")
    assert starting.wait(board, {"link": {"kind": kind}}) == starting.Running("press-7", False, kind)
    assert board.is_free


@pytest.mark.parametrize("link", ["uart:1", "mqtt"])
def test_node_that_says_nothing_and_cannot_be_asked_is_not_called_healthy(link):
    board = Watched("\r\nsomething else\r\n")
    with pytest.raises(VerificationError, match="does not say that it runs.*cannot be asked from here"):
        starting.wait(board, {"link": link}, limit_s=0.2)
    assert board.is_free


@pytest.mark.parametrize("link", ["uart:1", "mqtt", "stdio"])
@pytest.mark.parametrize("said", ["", "kittiwake: press-7 runs\r\n"])
def test_node_that_ends_is_told_with_its_last_words(link, said):
    board = Watched(f"{said}Traceback (most recent call last):\r\nConfigError: no pin\r\nMicroPython v1\r\n>>> ")
    with pytest.raises(TargetError, match="the node ended: ConfigError: no pin"):
        starting.wait(board, {"link": link}, limit_s=5)
    assert board.is_free
