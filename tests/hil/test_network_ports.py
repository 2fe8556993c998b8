"""A board behind socket:// and rfc2217://: deployed to, judged, and visited as one on a port of this machine."""

import pytest

from kittiwake.cli import app
from kittiwake.errors import EXIT_OK
from kittiwake.pytest_plugin import refuse_or_skip
from kittiwake.target import open_target
from kittiwake.target.visit import VisitingTarget, open_visited
from tests.support.served import served

CONFIG = 'device = "kw-far"\n[[channels]]\nsource = {kind = "link"}\n'


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scheme", [pytest.param("socket", marks=pytest.mark.soak), "rfc2217"])  # the plainer: in soak
def test_board_on_the_network_is_a_board_for_deploy_doctor_and_tests(scheme, request, tmp_path, capsys):
    # Regression: a link on the network was never greeted, so that each deployment over it was taken back.
    refuse_or_skip(request.config, "qemu:mps2-an385")
    config = tmp_path / "node.toml"
    config.write_text(CONFIG)
    with open_target("qemu:mps2-an385", deploy=False) as machine:
        machine.exec("")
        machine.release_console()
        machine.set_strap(run_main=True)
        with served(machine.console_port, scheme) as url:
            assert app.run(["deploy", "--port", url, "-c", str(config)]) == EXIT_OK, capsys.readouterr().err
            assert "app-a is running" in capsys.readouterr().out
            assert app.run(["doctor", "--port", url]) == EXIT_OK, capsys.readouterr().out
            assert "kw-far answers on this port" in capsys.readouterr().out
            with open_visited(url) as board:
                assert isinstance(board, VisitingTarget)
                board.deploy({"new.txt": b"1"})
                assert board.exec("import os\nprint('new.txt' in os.listdir('/'))") == "True\n"
                assert "ready" not in board.exec("print(os.listdir('app-a'))").replace("ready.visited", "")
            with open_target(url) as board:
                assert board.exec("import os\nprint('new.txt' in os.listdir('/'))") == "False\n"
                assert "'ready'" in board.exec("print(os.listdir('app-a'))")
