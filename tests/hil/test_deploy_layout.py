"""An application of the firmware's earlier layout of folders, updated in place and cut at any step.

What lies on the board was the whole application before its modules moved to other folders. A step is one exchange with
the board; at each of them (KITTIWAKE_SOAK=1; else at some, drawn at random) the board loses its supply. What starts
then must be whole, the old or the new one, with the journal as it was; in the end nothing of the old folders is left.
"""

import json
import random
import zipfile
from pathlib import Path

import pytest

import kittiwake
from kittiwake.deploy import choose, deployment, inputs
from kittiwake.deploy.slots import NAMES, Slots
from kittiwake.errors import PortLostError
from kittiwake.target import mpy, open_target
from tests.support.deployments import version_of
from tests.support.hil import SOAK, Gateway

EARLIER = Path(__file__).parents[1] / "vectors" / "firmware_before_rooms.zip"
CHANNELS = [{"source": {"kind": "link", "room": 64}}]
CUTS = 6


def quiet(text):
    """No progress."""


def install_earlier(board):
    """Put the application of the earlier layout into app-a, as a deployment left it. Returns its configuration."""
    with zipfile.ZipFile(EARLIER) as archive:
        sources = {name: archive.read(name) for name in archive.namelist()}
    main = sources.pop("main.py")
    config = {"device": "kw-earlier", "health_s": 1, "channels": CHANNELS, **board.node_overrides()}
    files = mpy.compile_files(sources, board.facts()["arch"]) | {"node.json": json.dumps(config).encode()}
    board.deploy({**{f"app-a/{path}": content for path, content in files.items()}, "main.py": main})
    Slots(board).switch("app-a")
    return config


def records_of(board, at_least):
    """Start what the board starts by itself, take its records and acknowledge none: (journal, seq -> payload)."""
    board.start_node()
    with Gateway(board.link_port, board) as gateway:
        gateway.acks = False
        gateway.open()
        gateway.until(lambda: len(gateway.records) >= at_least, f"{at_least} records")
        seen = (gateway.session.journal, {record.seq: record.payload for record in gateway.records})
    board.interrupt()
    return seen


def cut_at(board, step):
    """Let the board lose its supply at that exchange with it. Returns what counts the exchanges."""
    count = [0]
    execute, write = board.exec, board.deploy

    def counted(call):
        def exchange(*arguments):
            count[0] += 1
            if count[0] == step:
                board.cut_power()
            if count[0] >= step > 0:
                raise PortLostError("the board lost its supply")
            return call(*arguments)

        return exchange

    board.exec, board.deploy = counted(execute), counted(write)
    return count


def mend(board):
    """Give the board its supply back."""
    del board.exec, board.deploy
    board.cut_power()
    board.start()


def update(board, number):
    wanted = inputs.Deployment(board.name, start=False)
    return deployment.deploy_to(board, wanted, None, {}, version_of(number), quiet)


LIST = """
import os
def _walk(folder):
    for name in os.listdir(folder):
        path = folder + "/" + name
        if os.stat(path)[0] & 0x4000:
            print(path + "/")
            _walk(path)
        else:
            print(path)
"""


def slots_hold(board):
    """Every file and folder (with a slash at its end) of both slots."""
    return set(board.exec(LIST + "".join(f"_walk({slot!r})\n" for slot in NAMES)).split())


def assert_nothing_of_the_earlier_layout(board, config):
    firmware = mpy.compile_files(choose.files(kittiwake.firmware_files(), config), board.facts()["arch"])
    wanted = {f"{slot}/{path}" for slot in NAMES for path in firmware}
    folders = {path.rpartition("/")[0] + "/" for path in wanted} | {f"{slot}/kittiwake_node/" for slot in NAMES}
    own = {f"{slot}/{name}" for slot in NAMES for name in ("ready", "node.json")}
    assert slots_hold(board) - own == wanted | folders


def keeps_the_journal(board, earlier):
    journal, records = earlier
    journal_now, records_now = records_of(board, len(records))
    assert journal_now == journal
    assert {seq: records_now.get(seq) for seq in records} == records


@pytest.fixture
def board(target_name):
    options = {} if target_name == "unix" else {"deploy": False}
    with open_target(target_name, **options) as opened:
        yield opened


@pytest.mark.timeout(300)
@pytest.mark.board("unix", "qemu:mps2-an385")
def test_deploy_over_the_earlier_layout_keeps_the_journal_and_leaves_none_of_the_old_files(board):
    config = install_earlier(board)
    earlier = records_of(board, 3)
    assert update(board, 1)["slot"] == "app-b"
    keeps_the_journal(board, earlier)
    assert update(board, 2)["slot"] == "app-a"
    keeps_the_journal(board, earlier)
    assert_nothing_of_the_earlier_layout(board, config)


@pytest.mark.timeout(3600 if SOAK else 300)
@pytest.mark.board("unix")
def test_deploy_over_the_earlier_layout_cut_at_a_step_leaves_one_whole_application(board):
    config = install_earlier(board)
    earlier = records_of(board, 3)
    count = cut_at(board, 0)
    update(board, 1)  # from app-a to app-b, whole
    steps = count[0]
    assert steps > 20
    mend(board)
    drawn = range(1, steps + 1) if SOAK else sorted(random.Random("steps").sample(range(1, steps + 1), CUTS))
    for number, step in enumerate(drawn, 2):
        install_earlier(board)
        if "app-b" in board.exec("import os\nprint(os.listdir())"):  # a cut at the first steps leaves none
            Slots(board).clear("app-b")
        cut_at(board, step)
        with pytest.raises(PortLostError):
            update(board, number)
        mend(board)
        keeps_the_journal(board, earlier)
    update(board, 1000)
    update(board, 1001)
    keeps_the_journal(board, earlier)
    assert_nothing_of_the_earlier_layout(board, config)
