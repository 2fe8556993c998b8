"""Runs a program of `model/foreign` by an interpreter that has the libraries it wants, and hands back its answer.

Knows processes and folders; nothing of networks.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kittiwake.errors import KittiwakeError, UsageError
from kittiwake.model.foreign import exchange

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

# Names an interpreter, as --python does.
VARIABLE = "KITTIWAKE_TENSORFLOW"
_MENDS = {
    "onnx2tf": "pip install onnx2tf into an environment of its own, and name its interpreter with --python",
    "ai_edge_quantizer": "install kittiwake[quantise], or name an interpreter that has it with --python",
    "tensorflow": "install kittiwake[quantise], or name an interpreter that has it with --python",
}
# Kittiwake's folder comes last, so that the interpreter's own libraries are those that are imported.
_START = "import runpy, sys; sys.path.append(sys.argv.pop(1)); runpy.run_module(sys.argv.pop(1), run_name='__main__')"


@dataclass(frozen=True)
class Answer:
    """What a program answered.

    Attributes:
        facts: its answer.json.
        arrays: by name.
        files: content of the other files that it left, by name.
    """

    facts: dict[str, Any]
    arrays: dict[str, Array] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


def ask(
    program: str,
    request: Mapping[str, Any],
    arrays: Mapping[str, Array],
    wanted: Mapping[str, str],
    python: str | None = None,
    on_progress: Callable[[str], None] = lambda line: None,
) -> Answer:
    """Run a program to its end.

    Args:
        program: a module's name in `model/foreign`.
        request: what it is asked; JSON.
        arrays: that go with it, by name.
        wanted: what it is to leave, by name: "array" or "file".
        python: path of the interpreter; KITTIWAKE_TENSORFLOW's, or this one, when None.
        on_progress: told a line at a time.

    Returns:
        The answer.

    Raises:
        UsageError: there is no such interpreter.
        KittiwakeError: numpy or a library is missing, the program refuses, or it died.
    """
    if find_spec("numpy") is None:
        raise KittiwakeError("numpy is not there", "install kittiwake[model]")
    import numpy

    command = [python or os.environ.get(VARIABLE) or sys.executable, "-c", _START]
    command += [str(Path(__file__).resolve().parents[3]), f"{exchange.__name__.rpartition('.')[0]}.{program}"]
    with tempfile.TemporaryDirectory(prefix="kittiwake-") as name:
        folder = Path(name)
        (folder / exchange.REQUEST).write_text(json.dumps(request), encoding="utf-8")
        for key, array in arrays.items():
            numpy.save(folder / f"{key}.npy", array)
        last = _run(command, folder, on_progress)
        try:
            facts = json.loads((folder / exchange.ANSWER).read_text(encoding="utf-8"))
        except OSError:
            raise KittiwakeError(f"{command[0]} died of it: {last}", "look at the model, or free memory") from None
        if "error" in facts:
            raise KittiwakeError(facts["error"], facts.get("mend") or _MENDS.get(facts.get("missing"), ""))
        return Answer(
            facts,
            {key: numpy.load(folder / f"{key}.npy") for key, kind in wanted.items() if kind == "array"},
            {key: (folder / key).read_bytes() for key, kind in wanted.items() if kind == "file"},
        )


def _run(command: list[str], folder: Path, on_progress: Callable[[str], None]) -> str:
    """Run it in the folder; gives the last line that it printed, which is why it died if it did."""
    last = "it said nothing"
    try:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except OSError as error:
        raise UsageError(f"{command[0]} cannot be run: {error.strerror}", "name a Python with --python") from error
    try:
        if process.stdout is None:
            raise RuntimeError("the program was started without a pipe")
        with process.stdout as output:
            for raw in output:
                line = raw.decode(errors="replace").strip()
                if line.startswith(exchange.PROGRESS):
                    on_progress(line.removeprefix(exchange.PROGRESS))
                elif line:
                    last = line
    finally:
        process.kill()
        process.wait()
    return last
