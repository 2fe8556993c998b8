"""Hold a folder of models against TFLite Micro: which run as they are, byte for byte, and why others do not.

    python tools/check_models.py FOLDER [--most BYTES] [--invokes N]

Nobody's models are part of the project; name a folder of those that you have. Models of the same content count once.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kittiwake.errors import KittiwakeError, RefusedError
from kittiwake.model import compiler
from kittiwake.model.run import check, on_target, oracle
from kittiwake.target import open_target
from kittiwake.target.base import Target

EQUAL, DIFFERS, REFUSED, NOT_MICRO = "equal", "differs", "refused", "not TFLite Micro's"
_MOST_BYTES = 300 * 1024  # of a file: what small boards can hold
_KERNEL = "viper"


@dataclass(frozen=True)
class Verdict:
    """What came of one model.

    Attributes:
        path: of its file.
        outcome: EQUAL, DIFFERS, REFUSED or NOT_MICRO (TFLite Micro refuses what we compile).
        detail: its plan and RAM, or the reason.
    """

    path: Path
    outcome: str
    detail: str


def models(folder: Path, most_bytes: int) -> Iterator[tuple[Path, bytes]]:
    """Yield path and content of every .tflite below a folder, the same content once, by path.

    Args:
        folder: where they are.
        most_bytes: larger files are passed over.
    """
    seen = set()
    for path in sorted(folder.rglob("*.tflite")):
        content = path.read_bytes()
        digest = hashlib.sha256(content).digest()
        if len(content) <= most_bytes and digest not in seen:
            seen.add(digest)
            yield path, content


def judge(
    board: Target, micro: oracle.Oracle, path: Path, content: bytes, invokes: int, kernel: str = _KERNEL
) -> Verdict:
    """Compile and run one model on a started target and by TFLite Micro.

    Args:
        board: started.
        micro: the reference.
        path: of the model.
        content: of its file.
        invokes: how many are compared.
        kernel: which kernels run it.
    """
    try:
        compiled = compiler.compile_model(content, kernel, path.name)
    except KittiwakeError as error:
        return Verdict(path, REFUSED, str(error))
    inputs = check.inputs_of(compiled.program.inputs, compiled.graph, invokes)
    try:
        expected, _ = micro.run(content, inputs)
    except KittiwakeError as error:
        return Verdict(path, NOT_MICRO, str(error))
    try:
        on_target.load(board, compiled.plan, kernel)
    except RefusedError as error:  # the board has not the heap
        return Verdict(path, REFUSED, str(error))
    result = check.compare(on_target.invoke(board, inputs), expected)
    size = f"plan {len(compiled.plan)} bytes, RAM {compiled.scratch + compiled.state}"
    if result.mismatches:
        return Verdict(path, DIFFERS, f"{result.mismatches} of {result.invokes} invokes; {size}")
    return Verdict(path, EQUAL, f"{result.invokes} invokes, {len(set(expected))} different outputs; {size}")


def main() -> int:
    """Print a line a model and the counts.

    Returns:
        0; 1 when a model differs, or there is none.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--most", type=int, default=_MOST_BYTES, help="bytes of a model's file, at most")
    parser.add_argument("--invokes", type=int, default=12)
    arguments = parser.parse_args()
    counts: Counter[str] = Counter()
    with open_target("unix") as board, oracle.Oracle() as micro:
        for path, content in models(arguments.folder, arguments.most):
            verdict = judge(board, micro, path, content, arguments.invokes)
            counts[verdict.outcome] += 1
            print(f"{verdict.outcome:<18} {path.relative_to(arguments.folder)}: {verdict.detail}", flush=True)
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.most_common()) or "no models")
    return int(counts[DIFFERS] > 0 or not counts)


if __name__ == "__main__":
    sys.exit(main())
