"""Records in a file, and what is left of them when the power goes."""

import pytest


def test_log_gives_back_what_was_written(ready):
    ready.exec("import logfile\nfor n in range(5): logfile.append('five.log', b'x' * (n + 1))")
    assert ready.eval("logfile.read('five.log')") == [b"x" * (n + 1) for n in range(5)]
    assert ready.eval("logfile.read('none.log')") == []


def test_log_drops_a_torn_end(ready):
    ready.exec("import logfile\nlogfile.append('torn.log', b'whole')\nlogfile.append('torn.log', b'torn off')")
    ready.exec("data = open('torn.log', 'rb').read()\nwith open('torn.log', 'wb') as file: n = file.write(data[:-3])")
    assert ready.eval("logfile.read('torn.log')") == [b"whole"]


@pytest.mark.board(needs=["power"])
def test_log_keeps_what_was_written_before_a_power_cut(ready):
    ready.exec("import logfile\nfor n in range(4): logfile.append('cut.log', b'%d' % n)")
    ready.cut_power()
    ready.start()
    ready.exec("import logfile")
    assert ready.eval("logfile.read('cut.log')") == [b"0", b"1", b"2", b"3"]
