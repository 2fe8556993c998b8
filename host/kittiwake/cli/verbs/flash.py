"""`kittiwake flash`: MicroPython's image onto a board, checked before and verified after."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kittiwake.cli.output import print_json, progress


def _number(text: str) -> int:
    return int(text, 0)


def flash(
    board: Annotated[str, typer.Argument(help="As `kittiwake boards` lists it.")],
    port: Annotated[str, typer.Option("--port", "-p", help="The board's port; dfu for USB DFU.")] = "auto",
    image: Annotated[
        Path | None, typer.Option("--image", "-i", help="MicroPython's; else mpflash is asked for one.")
    ] = None,
    manifest: Annotated[Path | None, typer.Option(help="SHA-256 sums; else those beside the image.")] = None,
    offset: Annotated[int | None, typer.Option(parser=_number, help="Of a .bin, not the board's own.")] = None,
    baudrate: Annotated[int | None, typer.Option(help="To begin with, not the board's own.", min=1200)] = None,
    keep: Annotated[bool, typer.Option("--keep-files", help="Erase only what the image covers.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
) -> None:
    """Erase the board, write MicroPython onto it, and verify it.

    Files and journal on the board are erased too, unless --keep-files says otherwise. Interrupted, it can be run again.
    """
    from kittiwake.boards import catalog
    from kittiwake.flash import fetch, flashing

    if image is None:
        image = fetch.image(catalog.find(board), progress)
    settings = flashing.Flashing(board, port, image, offset, manifest, baudrate, keep)
    facts = flashing.flash(settings, progress)
    if as_json:
        print_json(facts)
    else:
        place = f"{facts['board']} on {facts['port']}"
        print(f"{place}: {facts['bytes']} bytes written and verified in {facts['seconds']} s")
        if facts["tool"] != "esptool":
            progress("let BOOT0 go, and reset the board")
        progress(f"next: `kittiwake deploy {board} --port {port} -c node.toml`")
