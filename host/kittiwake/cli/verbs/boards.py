"""`kittiwake boards`: which boards are known, and what is known of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from kittiwake.cli.output import print_json

if TYPE_CHECKING:
    from kittiwake.boards.description import Board, FlashedBoard

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
_HEXADECIMAL = ("offset", "chip_id", "storage_address", "romfs_address", "vid", "pid", "base")

app = typer.Typer(name="boards", help="List the boards that are known here.", invoke_without_command=True)


@app.callback()
def boards(context: typer.Context, as_json: Json = False) -> None:
    """List the boards that are known here."""
    if context.invoked_subcommand is not None:
        return
    from kittiwake.boards import catalog as known

    every = [known.find(name) for name in known.names()]
    if as_json:
        print_json({"boards": [{"name": board.name, "title": board.title, "how": _how(board)} for board in every]})
        return
    for board in every:
        print(f"{board.name:<22} {board.title:<60} {_how(board)}")


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="As `kittiwake boards` lists it.")],
    as_json: Json = False,
) -> None:
    """Print every fact about a board, with its source."""
    from kittiwake.boards import catalog as known
    from kittiwake.boards.description import FlashedBoard

    board = known.find(name)
    if as_json:
        facts = board.model_dump(exclude_none=True) | {"download": board.download_url, "is_virtual": board.is_virtual}
        print_json(facts)
        return
    print(f"{board.name}: {board.title}")
    sources: list[str] = []
    for key, value in board.facts():
        source = board.source(key) or "no source"  # which the schema refuses
        if source not in sources:
            sources.append(source)
        print(f"  {key:<24} {_shown(key, value)} [{sources.index(source) + 1}]")
    for number, source in enumerate(sources, 1):
        print(f"  [{number}] {source}")
    if isinstance(board, FlashedBoard):
        print(f"tried: {_tried(board)}")
        print(f"images: {board.download_url} ({', '.join(board.flash.images)}); then: kittiwake flash {board.name}")


def _how(board: Board) -> str:
    from kittiwake.target import available

    if board.flash is not None:
        return f"flashed by {', '.join(board.flash.tools)}"
    if board.qemu is None:
        return ""
    problem = available(board.qemu.target)
    return f"target {board.qemu.target}" + ("" if problem is None else f", not here: {problem}")


def _tried(board: FlashedBoard) -> str:
    if board.stand_in is None:
        return "on no board of this kind yet"
    shown = f"{board.stand_in.target} runs its instructions; stand_in has what that shows, and what it does not"
    return f"on no board of this kind yet; {shown}"


def _shown(key: str, value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    if isinstance(value, int) and key.rpartition(".")[2] in _HEXADECIMAL:
        return f"0x{value:x}"
    return str(value)
