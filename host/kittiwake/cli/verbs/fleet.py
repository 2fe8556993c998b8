"""`kittiwake fleet`: the devices behind a broker, what they run, and the groups that people put them into."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kittiwake.cli import broker_options
from kittiwake.cli.output import Json, iso, print_json, progress

if TYPE_CHECKING:
    from kittiwake.fleet.inventory import Device

_Inventory = Annotated[Path, typer.Option(help="File that keeps what is known of the devices, and their tags.")]
_INVENTORY = Path("fleet.sqlite")

group = typer.Typer(name="fleet", help="The devices behind a broker, and their groups.", no_args_is_help=True)


@group.command("list")
def list_(
    broker: broker_options.Broker = "",
    config: broker_options.Config = None,
    base: broker_options.Base = "",
    to: Annotated[str, typer.Option(help="Only devices with this tag, GROUP=VALUE.")] = "",
    wait: Annotated[float, typer.Option(help="Seconds for devices to respond.", min=0.1, max=600)] = 5.0,
    known: Annotated[bool, typer.Option("--known", help="Show what the file has; ask nobody.")] = False,
    inventory: _Inventory = _INVENTORY,
    as_json: Json = False,
) -> None:
    """List devices: what the broker keeps of them, and what each one that is there says of itself."""
    import asyncio

    from kittiwake.fleet.inventory import Inventory
    from kittiwake.fleet.store import FleetStore
    from kittiwake.fleet.survey import survey
    from kittiwake.fleet.tags import selection

    selection(to)
    gateway = broker_options.Gateway.of(config, broker, base)
    with FleetStore(inventory) as store:
        fleet = Inventory(store.devices(), gateway.base)
        if not known:
            asyncio.run(
                survey(
                    gateway.broker, gateway.base, fleet, wait, lambda heard, asked: progress(f"{heard}/{asked} heard")
                )
            )
            store.write(fleet.listed())
    devices = fleet.listed(to)
    if as_json:
        print_json([_fields(device) for device in devices])
        return
    print(f"{'device':<24} {'state':<8} {'last heard':<20} {'bridge':<12} {'firmware':<10} {'tags':<24} on")
    for d in devices:
        tags = " ".join(f"{group}={value}" for group, value in sorted(d.tags.items()))
        print(
            f"{d.name:<24} {d.state.value:<8} {iso(d.heard_ms) or '-':<20} {d.bridge or '-':<12} "
            f"{d.firmware or '-':<10} {tags or '-':<24} {d.on or '-'}"
        )


@group.command()
def tag(
    words: Annotated[list[str], typer.Argument(metavar="DEVICE… GROUP=VALUE…", help="Devices, then their tags.")],
    inventory: _Inventory = _INVENTORY,
) -> None:
    """Put devices into groups; GROUP= takes them out."""
    from kittiwake.fleet.store import FleetStore
    from kittiwake.fleet.tags import split

    names, tags = split(words)
    with FleetStore(inventory) as store:
        store.tag(names, tags)
    print(f"{len(names)} tagged" if len(names) != 1 else f"{names[0]} tagged")


def _fields(device: Device) -> dict[str, object]:
    fields = {name: value for name, value in vars(device).items() if name not in ("is_heard", "heard_ms", "status")}
    return fields | {"state": device.state.value, "heard": iso(device.heard_ms) or None}
