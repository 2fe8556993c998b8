"""`kittiwake simulate`: a fleet of devices that do not exist, at a broker."""

from __future__ import annotations

from typing import Annotated

import typer

from kittiwake.cli import broker_options
from kittiwake.cli.output import Json, print_json, progress


def simulate(
    devices: Annotated[int, typer.Option(help="How many.", min=1, max=100_000)] = 100,
    rate: Annotated[float, typer.Option(help="Records a second, of all of them.", min=0.01, max=100_000)] = 100,
    seconds: Annotated[float, typer.Option(help="For which they make records.", min=0.1)] = 60,
    bridges: Annotated[int, typer.Option(help="Processes that they are divided among.", min=1, max=64)] = 1,
    direct: Annotated[
        bool, typer.Option("--direct", help="They speak MQTT themselves, over a connection each.")
    ] = False,
    broker: broker_options.Broker = "",
    config: broker_options.Config = None,
    base: broker_options.Base = "",
    seed: Annotated[int, typer.Option(help="Of all that happens.", min=0)] = 1,
    faults: Annotated[
        bool, typer.Option(help="They go off line, reboot, do not know the time, flood the link.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Let simulated devices publish through the firmware's sessions; ends when the broker has all; exit 5 when not."""
    from kittiwake.errors import EXIT_VERIFICATION
    from kittiwake.simulate import fleet

    gateway = broker_options.Gateway.of(config, broker, base)
    progress(f"simulate: {devices} devices, {rate:g} records a second, {seconds:g} s, to {gateway.broker.url}")
    outcome = fleet.run(gateway.broker, gateway.base, devices, rate, bridges, seconds, seed, faults, direct)
    figures = {**vars(outcome), "seconds": round(outcome.seconds, 2)}
    if as_json:
        print_json(figures)
    else:
        print(", ".join(f"{name} {value}" for name, value in figures.items()))
    if outcome.left or outcome.refused:
        raise typer.Exit(EXIT_VERIFICATION)
