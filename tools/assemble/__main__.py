"""Make the kernels' modules from their assembler sources, or say which are stale: `python -m tools.assemble`.

Knows arguments and printing only.
"""

import argparse
import sys
from pathlib import Path

from kittiwake.errors import KittiwakeError
from tools.assemble import native_module, project, source
from tools.assemble.instruction_sets import SETS


def main() -> int:
    """Make the modules of all kernels that are written in assembler; with --check, only say which are stale.

    Returns:
        0 when all are fresh, else 1.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.assemble", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="compare recorded digests; needs no assembler")
    try:
        return _check() if parser.parse_args().check else _make()
    except (source.SourceError, KittiwakeError) as error:
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
    for kind in SETS:
        made = [(item, project.make(item)) for item in project.sources() if item.instruction_set is kind]
        for item, content in made:
            _write(project.module_path(item), content)
        if kind.arch:
            _write(project.record_path(kind), native_module.record(made).encode())
    return 0


def _write(path: Path, content: bytes) -> None:
    if not path.is_file() or path.read_bytes() != content:
        path.write_bytes(content)
        print(f"kernels: made {path.name}")


if __name__ == "__main__":
    sys.exit(main())
