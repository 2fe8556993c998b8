"""`kittiwake journal`: what a partition's image holds and what is wrong with it; and to fetch one from a device."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from kittiwake.cli.output import print_json, progress

_Json = Annotated[bool, typer.Option("--json", help="One JSON object a record, and a last one on the whole.")]


class _ImageOrCommand(TyperGroup):
    """A group whose first word may be an image: `kittiwake journal IMAGE` is `kittiwake journal show IMAGE`."""

    # Any: the parser's own types, which typer keeps under a private name.
    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["show", *args]
        return super().resolve_command(ctx, args)


group = typer.Typer(name="journal", cls=_ImageOrCommand, no_args_is_help=True)


@group.callback()
def journal(
    context: typer.Context,
    port: Annotated[str, typer.Option(help="For pull: the device.")] = "",
) -> None:
    """Read a journal: kittiwake journal IMAGE [--json], or fetch one: kittiwake journal pull --port P.

    An image is a raw dump of the partition, a folder with the journal's files, or one of these. It is only read. Exit 5
    when something in it is damaged.
    """
    context.obj = port


@group.command()
def show(
    image: Annotated[
        Path, typer.Argument(help="A raw dump of the partition, a folder with a journal's files, or one .kwj.")
    ],
    as_json: _Json = False,
) -> None:
    """List an image's records as they would be published, and say what is damaged and where."""
    from kittiwake.errors import EXIT_VERIFICATION
    from kittiwake.journal import image as images
    from kittiwake.journal import reading, tell

    read = reading.read(images.load(image), str(image), images.is_part(image))
    for entry, body in zip(read.entries, tell.records(read), strict=True):
        if as_json:
            print_json(body)
        else:
            print(tell.line(entry, body))
    if as_json:
        print_json(tell.summary(read))
    else:
        for text in tell.closing_lines(read):
            print(text)
    if not read.is_sound:
        raise typer.Exit(EXIT_VERIFICATION)


@group.command()
def pull(
    context: typer.Context,
    port: Annotated[str, typer.Option(help="The device: a port, or a target; see kittiwake targets.")] = "",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="What to write: journal.img, or the folder journal-files.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option("-c", "--config", help="The node's configuration; else the one on the device.")
    ] = None,
) -> None:
    """Fetch the journal from a device: its partition's image, or the files of its folder.

    The node is stopped for it and started again.
    """
    from kittiwake.deploy import application
    from kittiwake.errors import KittiwakeError, UsageError
    from kittiwake.journal import pull as work
    from kittiwake.target import node_config

    name = port or context.obj
    if not name:
        raise UsageError("no device is named", "kittiwake journal pull --port /dev/ttyUSB0")
    settings = node_config.read(config) if config else None
    with application.borrowed_by_name(name) as board:
        storage = (settings or application.kept_config(board)).get("storage") or board.node_overrides()["storage"]
        if storage.get("kind") == "folder":
            files = work.pull_files(board, storage, lambda done, total: progress(f"file {done} of {total}"))
        else:
            files = {"": work.pull(board, storage, lambda done, total: progress(f"piece {done} of {total}"))}
    path = output or Path("journal-files" if storage.get("kind") == "folder" else "journal.img")
    try:
        for inner, content in files.items():
            (path / inner).parent.mkdir(parents=True, exist_ok=True)
            (path / inner).write_bytes(content)
    except OSError as error:
        raise KittiwakeError(f"{path} cannot be written: {error.strerror}", "name another place with -o") from error
    progress(f"{path}: {sum(map(len, files.values()))} bytes; `kittiwake journal {path}` reads it")
