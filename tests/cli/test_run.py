"""`kittiwake run`: a script's output, its traceback, and what cannot be run."""

from kittiwake.cli import app
from kittiwake.errors import EXIT_FAILED, EXIT_OK, EXIT_USAGE


def script(tmp_path, source):
    path = tmp_path / "script.py"
    path.write_text(source)
    return str(path)


def test_run_prints_what_the_script_prints(tmp_path, capsys):
    path = script(tmp_path, "import sys\nprint(sys.implementation.name, __name__)\nprint('é')\n")
    assert app.run(["run", path]) == EXIT_OK
    assert capsys.readouterr().out == "micropython __main__\né\n"


def test_run_can_import_the_firmware(tmp_path, capsys):
    path = script(tmp_path, "from kittiwake_node.link import frame\nprint(frame.VERSION)\n")
    assert app.run(["run", path]) == EXIT_OK
    assert capsys.readouterr().out == "1\n"


def test_run_script_that_raises_exits_1_with_its_output_and_traceback(tmp_path, capsys):
    path = script(tmp_path, "print('before')\ndef f():\n    1 // 0\nf()\n")
    assert app.run(["run", path]) == EXIT_FAILED
    told = capsys.readouterr()
    assert told.out == "before\n"
    assert 'File "script.py", line 3, in f' in told.err
    assert told.err.rstrip().endswith("ZeroDivisionError: divide by zero")


def test_run_script_with_a_syntax_error_exits_1(tmp_path, capsys):
    assert app.run(["run", script(tmp_path, "print('x'\n")]) == EXIT_FAILED
    assert "SyntaxError" in capsys.readouterr().err


def test_run_script_that_ends_by_sys_exit(tmp_path, capsys):
    assert app.run(["run", script(tmp_path, "import sys\nprint(1)\nsys.exit()\n")]) == EXIT_OK
    assert app.run(["run", script(tmp_path, "import sys\nsys.exit(3)\n")]) == EXIT_FAILED
    told = capsys.readouterr()
    assert (told.out, told.err) == ("1\n", "SystemExit: 3\n")


def test_run_script_that_hangs_exits_1_with_one_line(tmp_path, capsys):
    assert app.run(["run", "--timeout", "0.3", script(tmp_path, "while True: pass\n")]) == EXIT_FAILED
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_run_of_a_missing_file_or_target_exits_2(tmp_path, capsys):
    assert app.run(["run", str(tmp_path / "none.py")]) == EXIT_USAGE
    assert app.run(["run", "--target", "moon", script(tmp_path, "1\n")]) == EXIT_USAGE
    assert len(capsys.readouterr().err.splitlines()) == 2
