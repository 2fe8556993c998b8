"""`kittiwake node`: a configuration to start from, its judgement and its schema; a board that is kept running."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from kittiwake.cli.output import Json, print_json, progress

app = typer.Typer(name="node", help="Write, check and try a node's configuration.", no_args_is_help=True)
_LOOK_S = 0.5


@app.command()
def init(
    board: Annotated[str, typer.Argument(help="As `kittiwake boards` lists it.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A new file; else stdout.")] = None,
) -> None:
    """Write a commented configuration for a board, with every setting, its meaning and its default."""
    from kittiwake.boards import catalog
    from kittiwake.errors import UsageError
    from kittiwake.node import example, tables
    from kittiwake.target import open_target

    known = catalog.find(board)
    with open_target("unix") as judge:
        text = example.text(known, tables.ask(judge))
    if output is None:
        print(text, end="")
        return
    try:
        with open(output, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{output} is there already", "name a new file") from None
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}", "name another place") from error
    progress(f"{output}: `kittiwake node check {output}` says whether a node would start with it")


@app.command()
def check(
    config: Annotated[Path, typer.Argument(help="A node's configuration, TOML.")],
    as_json: Json = False,
) -> None:
    """Say whether a node would start with a configuration, asked of the firmware; exit 2 names the line at fault."""
    from kittiwake.target import node_config, open_target

    settings = node_config.read(config)
    with open_target("unix") as judge:
        checked = node_config.checked(judge, settings, config)
    if as_json:
        print_json(checked)
    else:
        channels = ", ".join(channel["name"] for channel in checked["channels"])
        print(f"{config}: a node would start with it: {checked['device']}, channels {channels}")


@app.command()
def schema() -> None:
    """Print a JSON Schema of the configuration, for editors."""
    from kittiwake.node import schema as work
    from kittiwake.node import tables
    from kittiwake.target import open_target

    with open_target("unix") as judge:
        print_json(work.schema(tables.ask(judge)))


@app.command()
def up(
    target: Annotated[str, typer.Option(help="A virtual or emulated board; see kittiwake targets.")] = "unix",
    config: Annotated[
        Path | None, typer.Option("-c", "--config", help="The node that it runs; else it is as its maker ships it.")
    ] = None,
    power_cut: Annotated[
        bool, typer.Option("--power-cut", help="Cut its power, and give it back, at each signal USR1.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Keep a board running, its console and link as ports for other programs, until Ctrl-C."""
    from kittiwake.errors import UsageError
    from kittiwake.node.up import Up
    from kittiwake.target import node_config

    settings = node_config.read(config) if config else None
    ended, cut = threading.Event(), threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    if power_cut:
        if not hasattr(signal, "SIGUSR1"):
            raise UsageError("this system has no signal USR1", "leave --power-cut out")
        signal.signal(signal.SIGUSR1, lambda number, frame: cut.set())
    with contextlib.suppress(KeyboardInterrupt), Up(target, settings) as board:
        ports = board.start()
        if as_json:
            print_json({**ports, "pid": os.getpid()})
        else:
            for name in ("console", "link", "device"):
                if ports[name]:
                    print(f"{name:<8} {ports[name]}", flush=True)
            mend = f"; kill -USR1 {os.getpid()} cuts its power" if power_cut else ""
            progress(f"{target} is up until Ctrl-C{mend}")
        while not ended.wait(_LOOK_S):
            if cut.is_set():
                cut.clear()
                board.cut_power()
                progress("the power was cut, and is back")
            board.check()
