"""The unix port's stand-in for a board's raw REPL: source comes in framed, output goes out up to a mark."""

import sys


def serve():
    """Run each piece of source; print its mark at the end, with "ok", or before a traceback and again with "failed"."""
    names = {"__name__": "__main__"}
    while True:
        line = sys.stdin.readline()
        if not line:
            break
        size, mark = line.split()
        code = sys.stdin.buffer.read(int(size))
        try:
            exec(compile(str(code, "utf-8"), "<exec>", "exec"), names)
            end = "ok"
        except BaseException as error:  # noqa: BLE001 - whatever ends the source, its mark must come
            print(mark)
            sys.print_exception(error)
            end = "failed"
        print(mark + end)
