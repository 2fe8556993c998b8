"""A user's script, in a namespace of its own."""

import sys


def run_script(source, name, mark):
    """Run it; print the mark when it is through, then the traceback if there is one: what it printed is not lost.

    Args:
        source: of the script.
        name: of the script, for its traceback.
        mark: a line that no script prints.
    """
    try:
        exec(compile(source, name, "exec"), {"__name__": "__main__"})
        print(mark)
    except SystemExit as error:
        print(mark)
        if error.args and error.args[0]:
            print("SystemExit:", error.args[0])
    except BaseException as error:  # noqa: BLE001 - whatever ends a script is told
        print(mark)
        sys.print_exception(error)
