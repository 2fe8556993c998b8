"""Slots: where an application lies, the marks that say whether the board may start it, and its settings.

Pure: the file system comes in as an argument, with the methods of VfsLfs2. firmware/main.py reads the same marks,
before there is a module to import, and the host's deploy writes `ready` (docs/explanation/updates.md).
"""

import binascii

if False:  # for mypy alone
    from collections.abc import Callable, Iterator
    from typing import Any

    from kittiwake_types import FileSystem

NAMES = ("app-a", "app-b")
READY = "ready"
"""It is whole, and has proved itself or was tried at the cable: a number, the higher the newer, and its CRC."""
TRIAL = "trial"
"""It is whole, and may be started once: as READY."""
TRIED = "tried"
"""It was: why it does not count any more, as far as is known."""
IMAGE = "image"
"""MicroPython's image came with it: the partition of it, that of the one before, and how many bytes are there."""
RESET = "it was reset before it had proved itself"
NO_HEAP = "the heap is too small for it beside the node"
OWN = ("device", "link", "storage", "wifi", "mqtt")
"""Settings that a release never changes: the name, the network, and the places of link and journal."""
_ENOENT = 2
_FOLDER = 0x4000
_REASON_BYTES = 120


def other(slot: str) -> str:
    """Name the slot that does not run."""
    return NAMES[1] if slot == NAMES[0] else NAMES[0]


def number(fs: "FileSystem", slot: str, mark: str) -> int:
    """What a mark says: 0 where it is not there or torn.

    Args:
        fs: file system with the slots.
        slot: its name.
        mark: READY or TRIAL.
    """
    try:
        value, check = read(fs, slot + "/" + mark).split()
        return int(value) if int(check, 16) == binascii.crc32(value) & 0xFFFFFFFF else 0
    except ValueError:
        return 0


def mark(fs: "FileSystem", slot: str, name: str, value: int) -> None:
    """Write READY or TRIAL.

    Raises:
        OSError: of the medium.
    """
    text = "%d" % value
    write(fs, slot + "/" + name, ("%s %08x" % (text, binascii.crc32(text.encode()) & 0xFFFFFFFF)).encode())


def next_number(fs: "FileSystem") -> int:
    """A number above that of every slot. Allocates."""
    return 1 + max([number(fs, slot, name) for slot in NAMES for name in (READY, TRIAL)])


def is_on_trial(fs: "FileSystem", slot: str) -> bool:
    """Whether a slot that runs has still to prove itself."""
    return not number(fs, slot, READY) and number(fs, slot, TRIAL) > 0


def settle(fs: "FileSystem", slot: str) -> None:
    """Make a slot that has proved itself the one to start, for good: READY first, and only then do the others go.

    Raises:
        OSError: of the medium; what is there then is as it was before, or settled.
    """
    value = number(fs, slot, TRIAL)
    if not number(fs, slot, READY):
        mark(fs, slot, READY, value)
    remove(fs, slot + "/" + TRIAL)
    remove(fs, slot + "/" + TRIED)


def disown(fs: "FileSystem", slot: str) -> None:
    """Take all marks from a slot: TRIED last, since TRIAL without it lets the slot start.

    Raises:
        OSError: of the medium.
    """
    for name in (READY, TRIAL, TRIED):
        remove(fs, slot + "/" + name)


def read(fs: "FileSystem", path: str, limit_bytes: int = _REASON_BYTES) -> bytes:
    """A small file's content, empty where there is none. Allocates."""
    try:
        with fs.open(path, "rb") as file:
            return file.read(limit_bytes)
    except OSError:
        return b""


def write(fs: "FileSystem", path: str, content: bytes) -> None:
    """Write a small file.

    Raises:
        OSError: of the medium.
    """
    with fs.open(path, "wb") as file:
        file.write(content)


def remove(fs: "FileSystem", path: str) -> None:
    """Remove a file that may be there.

    Raises:
        OSError: it is there and stays.
    """
    try:
        fs.remove(path)
    except OSError as error:
        if error.errno != _ENOENT:
            raise


def walk(fs: "FileSystem", folder: str) -> "Iterator[tuple[str, int]]":
    """Go through a slot's files, one at a time: a listing of them all takes a board long. No file may leave meanwhile.

    Args:
        fs: file system with the slots.
        folder: of the slot; one that is not there has none.

    Yields:
        Path, without the slot's name in front, and size in bytes.
    """
    folders = [""]
    while folders:
        inner = folders.pop()
        try:
            for entry in fs.ilistdir(folder + "/" + inner if inner else folder):
                path = inner + "/" + entry[0] if inner else entry[0]
                if entry[1] == _FOLDER:
                    folders.append(path)
                else:
                    yield path, entry[3] if len(entry) > 3 else 0  # the unix port's own file system tells none
        except OSError:
            continue


def merge_settings(
    template: "bytes | None",
    running: bytes,
    slot: str,
    parse: "Callable[[bytes], Any]",
    dump: "Callable[[Any], str]",
    keeps_models: bool = False,
) -> bytes:
    """Give the content of a new slot's node.json. Allocates.

    Args:
        template: settings of the release; None where it brings none, and the board's go on.
        running: node.json of the slot that runs.
        slot: name of the new one, in which the release's models lie.
        parse: reads JSON; raises ValueError.
        dump: writes it.
        keeps_models: those of the slot that runs are in the new one, too.

    Raises:
        ValueError: they cannot be; says why.
    """
    old = parse(running)
    settings = parse(template) if template is not None else parse(running)
    if not isinstance(settings, dict) or not isinstance(old, dict):
        raise ValueError("its settings are no JSON object")
    for name in OWN:
        settings.pop(name, None)
        if name in old:
            settings[name] = old[name]

    def located(name: "Any") -> "Any":
        """Where a model lies that settings name: without a folder, in their slot."""
        if template is not None:
            return name if "/" in str(name) else "%s/%s" % (slot, name)
        if not str(name).startswith(NAMES):
            return name
        if not keeps_models:
            raise ValueError("it brings no settings, and the board's name models of the slot that runs")
        return slot + str(name)[len(slot) :]

    channels = settings.get("channels")
    for channel in channels if isinstance(channels, list) else ():
        if not isinstance(channel, dict):
            continue
        hear, states = channel.get("hear"), channel.get("states")
        if isinstance(hear, dict) and isinstance(hear.get("models"), list):
            hear["models"] = [located(name) for name in hear["models"]]
        if isinstance(states, dict) and "model" in states:
            states["model"] = located(states["model"])
    return dump(settings).encode()
