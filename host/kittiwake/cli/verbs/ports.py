"""`kittiwake ports`: what is plugged in, and what it says when it is asked."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from kittiwake.cli.output import print_json, progress


def ports(
    named: Annotated[list[str] | None, typer.Argument(metavar="[PORT]...", help="Ask these, not those on USB.")] = None,
    ask: Annotated[bool, typer.Option(help="Open ports on USB and ask what runs there.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
) -> None:
    """List the serial ports of this machine, the likely board on each, and whether MicroPython or a node answers.

    Boards are asked without a reset: return is pressed, then a message is sent that only a node answers.
    """
    from kittiwake.ports import serial as serial_ports
    from kittiwake.ports import survey

    ports_here = serial_ports.list_ports()
    if named:
        paths = [serial_ports.resolve(name) for name in named]
        known = {port.path: port for port in ports_here}
        ports_here = [known.get(path, serial_ports.PortInfo(path, None, None, None, None, None)) for path in paths]
        findings = [survey.ask_port(port.path, survey.likely(port)) for port in ports_here]
    else:
        findings = survey.survey(ports_here, ask)
    if as_json:
        rows = [port.as_dict() | asdict(finding) for port, finding in zip(ports_here, findings, strict=True)]
        print_json({"ports": rows})
        return
    for port, finding in zip(ports_here, findings, strict=True):
        name = f"id:{port.serial_number}" if port.serial_number else ""
        usb = f"{port.vid:04x}:{port.pid:04x}" if port.vid is not None and port.pid is not None else ""
        state = "" if finding.state == "unasked" else f"{finding.state}: {finding.detail}"
        print(f"{port.path:<20} {name:<24} {usb:<9} {port.product or '':<24} {state}".rstrip())
        if finding.boards:
            print(f"{'':<20} may be {' or '.join(finding.boards)}")
    if not ports_here:
        progress("no serial port; plug a board in, or use --target unix")
