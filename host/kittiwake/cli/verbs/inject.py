"""`kittiwake inject`: a recording through a running node, by way of its bridge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kittiwake.cli import broker_options, options
from kittiwake.cli.output import print_json


def inject(
    file: Annotated[Path, typer.Argument(help="A CSV file, ',' or ';' separated; or a WAV file for a microphone.")],
    device: Annotated[str, typer.Option(help="The device's id.")],
    column: Annotated[str, typer.Option(help="Column, by its name or its number from 0.")] = "0",
    broker: broker_options.Broker = "",
    config: broker_options.Config = None,
    base: broker_options.Base = "",
    channel: Annotated[int, typer.Option(help="Number of the channel, from 0.", min=0, max=7)] = 0,
    range_: options.Range = None,
    bits: options.Bits = 12,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
) -> None:
    """Send samples to a node whose channel has a source of kind "link"; a bridge must serve it."""
    from kittiwake.clients import inject as work
    from kittiwake.errors import UsageError
    from kittiwake.signals import wav

    is_audio = file.suffix.lower() == ".wav"
    samples = wav.read_wav(file) if is_audio else options.read(file, column, range_, bits)
    if samples.typecode != "h":
        raise UsageError(f"--bits {bits} does not fit the node's int16 samples", "take at most 15")
    stimulus = work.StimulusSender(samples, channel)
    gateway = broker_options.Gateway.of(config, broker, base)
    with work.CommandClient(gateway.broker, device, gateway.base) as client:
        work.send_all(client, stimulus)
    if as_json:
        print_json({"device": device, "samples": stimulus.taken})
    else:
        print(f"{device} has taken {stimulus.taken} samples")
