"""`kittiwake hil`: the boards of a bench, who has them, and a board for oneself."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
from pathlib import Path
from typing import Annotated

import typer

from kittiwake.cli.output import Json, print_json, progress

app = typer.Typer(name="hil", help="See and hold the boards of a test bench.", no_args_is_help=True)
_Bench = Annotated[Path, typer.Option("--bench", help="The bench's file.")]
_FILE = Path("bench.toml")


@app.command("list")
def list_boards(bench: _Bench = _FILE, as_json: Json = False) -> None:
    """List the boards of a bench: what they are, what they have, and who has them."""
    from kittiwake.hil import bench as benches
    from kittiwake.hil import opening

    rows = [opening.state(board) for board in benches.read(bench).boards]
    if as_json:
        print_json({"boards": rows})
        return
    for row in rows:
        print(f"{row['name']:<20} {row['target']:<24} {row['state']:<8} {' '.join(row['has'])}")
        if row["detail"]:
            print(f"{'':<20} {row['detail']}")


@app.command()
def lock(
    name: Annotated[str, typer.Argument(help="Of the bench, any, any:WORD+WORD, or a port.")],
    command: Annotated[list[str] | None, typer.Argument(help="A program and its arguments, after --.")] = None,
    bench: _Bench = _FILE,
    wait: Annotated[float, typer.Option(help="Seconds to wait for a board that others have.", min=0)] = 0.0,
) -> None:
    """Keep a board from all test runs: until Ctrl-C, or while a command runs that follows after --."""
    from kittiwake.errors import UsageError
    from kittiwake.hil import bench as benches
    from kittiwake.hil import opening

    known = benches.read(bench) if bench.is_file() or bench != _FILE else benches.Bench()
    held = opening.locked(name, known, wait)
    with held.lock:
        progress(f"{held.name} is yours" + ("" if command else " until Ctrl-C"))
        if command:
            try:
                raise typer.Exit(subprocess.run(command).returncode)
            except OSError as error:
                raise UsageError(f"{command[0]} does not run: {error.strerror}", "name a program") from error
        ended = threading.Event()
        signal.signal(signal.SIGTERM, lambda number, frame: ended.set())
        with contextlib.suppress(KeyboardInterrupt):
            ended.wait()
