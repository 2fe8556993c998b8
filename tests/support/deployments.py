"""Versions of the firmware to deploy in tests, and an application on an emulated board without the console's wait."""

import kittiwake
from kittiwake.deploy import choose, inputs
from kittiwake.deploy.slots import NAMES, Slots
from kittiwake.target import mpy

# Modules that every node imports, of all sizes; the version is put into each, and nothing else differs.
MARKED = ("__init__", "node", "assembly", "config", "link/frame", "link/record", "detect/channel", "store/journal")


def version_of(number):
    """The firmware, marked."""
    files = dict(kittiwake.firmware_files())
    for name in MARKED:
        files[f"kittiwake_node/{name}.py"] += f"\nKW_VERSION = {number}\n".encode()
    return files


def application(number, facts, config):
    """What a slot of a board with these facts holds of a version: path in it -> content."""
    config = {**inputs.of_chip(facts), **config}
    settings = {"node.json": choose.settings(config, "", {})}
    return mpy.compile_files(choose.files(version_of(number), config), facts["arch"], facts["cpu"]) | settings


def install(machine, number, config, boot=b""):
    """Put a version into both slots, app-a the newer; `boot` is what boot.py does."""
    held = application(number, machine.facts(), config)
    files = {f"{slot}/{path}": content for slot in NAMES for path, content in held.items()}
    machine.deploy({**files, "boot.py": boot, "main.py": kittiwake.firmware_files()["main.py"]})
    slots = Slots(machine)
    for slot in reversed(NAMES):
        slots.switch(slot)
