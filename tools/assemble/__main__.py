"""Make the kernels' modules from their assembler sources, or say which are stale: `python -m tools.assemble`.

Knows arguments and printing only.
"""

import argparse
import sys

from tools.assemble import project, source


def main() -> int:
    """Make the modules of all kernels that are written in assembler; with --check, only say which are stale.

    Returns:
        0 when all are fresh, else 1.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.assemble", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="compare recorded digests; needs no assembler")
    try:
        return _check() if parser.parse_args().check else _make()
    except source.SourceError as error:
        print(f"assemble: {error}", file=sys.stderr)
    except FileNotFoundError as error:
        print(f"assemble: {error.filename} is not installed; run make boards", file=sys.stderr)
    return 1


def _check() -> int:
    problems = project.stale()
    for problem in problems:
        print(f"kernels: {problem}; run make kernels", file=sys.stderr)
    return 1 if problems else 0


def _make() -> int:
    for item in project.sources():
        path, text = project.module_path(item), project.make(item)
        if not path.is_file() or path.read_text() != text:
            path.write_text(text)
            print(f"kernels: made {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
