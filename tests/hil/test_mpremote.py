"""mpremote, the real program: it takes back a running node by Ctrl-C, deploys, and starts the node again."""

import subprocess
import sys

import pytest

from kittiwake.errors import PortBusyError
from kittiwake_node.link import messages
from tests.support.hil import Gateway, blank_journal
from tests.support.waiting import until

CONFIG = {
    "device": "kw-mpremote",
    "health_s": 1,
    "channels": [{"summary_samples": 100, "source": {"kind": "link", "room": 64}}],
}
# What a user would deploy: a main.py that says so and runs the node all the same.
MAIN = """
from kittiwake_node import node
print("deployed by mpremote")
node.run_file("node.json")
"""


@pytest.mark.board("qemu:*")
def test_mpremote_takes_back_a_running_node_deploys_and_starts_it_again(board, tmp_path):
    def mpremote(*arguments):
        command = [sys.executable, "-m", "mpremote", "connect", board.console_port, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    board.interrupt()
    blank_journal(board)
    board.run_node(CONFIG)
    with Gateway(board.link_port, board) as gateway:
        gateway.open()
        assert gateway.ask(messages.OP_PING, b"running") == (messages.OK, b"running")
        journal, boot = gateway.session.journal, gateway.session.boot
    (tmp_path / "main.py").write_text(MAIN)
    told = mpremote("exec", "from kittiwake_node.link import frame\nprint(frame.VERSION, 'taken back')")
    assert told == "1 taken back\n"
    mpremote("cp", str(tmp_path / "main.py"), ":/main.py")
    try:
        mpremote("reset")
        with Gateway(board.link_port) as gateway:
            gateway.until(lambda: gateway.session.is_open and gateway.session.boot == boot + 1, "no second boot")
            assert gateway.session.journal == journal
            assert gateway.ask(messages.OP_PING, b"again") == (messages.OK, b"again")
        log = board.work_dir / "console.log"
        until(lambda: "deployed by mpremote" in log.read_text(errors="replace"), "the words of the deployed main.py")
    finally:
        board.interrupt()
        board.exec("import os\ntry:\n    os.remove('/main.py')\nexcept OSError:\n    pass")
        # The flash may have held a main.py of the firmware's own, which the copy replaced.
        files = {name: data for name, data in _firmware().items() if name == "main.py"}
        board.deploy(files)
    assert board.exec("print(1)") == "1\n"


def _firmware():
    import kittiwake

    return kittiwake.firmware_files()


@pytest.mark.board("qemu:*")
def test_mpremote_in_use_keeps_others_out(board, tmp_path):
    """Two programs on one port: the second is told, and the first goes on."""
    board.interrupt()
    board.release_console()
    command = [sys.executable, "-m", "mpremote", "connect", board.console_port, "exec"]
    with subprocess.Popen([*command, "import time; print('in'); time.sleep(3); print('done')"], stdout=-1) as first:
        assert first.stdout.readline() == b"in\r\n"
        with pytest.raises(PortBusyError, match="in use"):
            board.exec("print(1)")
        assert first.stdout.read() == b"done\r\n"
    assert first.returncode == 0
    assert board.exec("print(1)") == "1\n"
