"""`kittiwake record`: what a board's sensor or microphone gives, into a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kittiwake.cli.output import print_json, progress


def record(
    output: Annotated[Path, typer.Option("-o", "--output", help="FILE.csv or FILE.wav; must not be there yet.")],
    port: Annotated[str, typer.Option("--port", "-p", help="The board's port.")] = "",
    target: Annotated[str, typer.Option(help="Instead: a target; see kittiwake targets.")] = "",
    config: Annotated[
        Path | None, typer.Option("-c", "--config", help="A node's configuration; else the one on the board.")
    ] = None,
    channel: Annotated[str, typer.Option(help="Name or number of the channel.")] = "0",
    seconds: Annotated[float, typer.Option(help="How long.", min=0.001, max=86400)] = 10.0,
    label: Annotated[str, typer.Option(help="What the recording shows, e.g. bearing-worn.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
) -> None:
    """Record a channel's samples without gaps; at the first one that is lost the recording ends, and says so (exit 1).

    The board's node is stopped for it and started again. `kittiwake detect -c raw`, `plot` and `demo --replay` take the
    CSV file, `listen` the WAV file of a microphone.
    """
    from kittiwake.deploy import application
    from kittiwake.errors import EXIT_FAILED, UsageError
    from kittiwake.runs import record
    from kittiwake.signals import files
    from kittiwake.target import node_config

    files.check_path(output)
    settings = node_config.read(config) if config else None
    tenths = 0

    def on_progress(done: int, total: int) -> None:
        nonlocal tenths
        if done * 10 // total > tenths:
            tenths = done * 10 // total
            progress(f"{done} of {total} samples")

    with application.borrowed(port, target) as board:
        configuration = settings or application.find(board).config
        if configuration is None:
            raise UsageError("the board has no configuration", "give one with --config")
        progress(f"recording {seconds:g} s of channel {channel}")
        recording = record.record(board, configuration, channel, seconds, on_progress)
    if len(recording.samples):
        files.write(recording, output, label)
    if as_json:
        facts = {"file": str(output) if len(recording.samples) else None, "samples": len(recording.samples)}
        facts |= {
            "rate_hz": recording.rate_hz,
            "device": recording.device,
            "channel": recording.channel,
            "label": label,
        }
        print_json({**facts, "whole": recording.is_whole, "why": recording.why})
    else:
        print(f"{output}: {len(recording.samples)} samples of {recording.device}/{recording.channel}")
    if not recording.is_whole:
        progress(f"kittiwake: shorter than {seconds:g} s: {recording.why}")
        raise typer.Exit(EXIT_FAILED)
