"""Making a release: the firmware compiled for every kind of board, with its configuration and plans, and signed.

Knows what an application is (as deploy does) and boards by name; how the file is laid out is container.py's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kittiwake.boards import arch as architectures
from kittiwake.boards import catalog
from kittiwake.boards.description import FlashedBoard
from kittiwake.deploy import choose
from kittiwake.errors import ConfigError, UsageError
from kittiwake.flash import esp_image
from kittiwake.release import container, keys
from kittiwake.target import micropython_versions, mpy
from kittiwake.target.base import NodeConfig
from kittiwake_node.errors import FrameError
from kittiwake_node.update import manifest

TRIAL_S = 300
# A board has these of its own, whatever application it runs.
_OWN = ("device", "link", "storage", "wifi", "mqtt")


@dataclass(frozen=True)
class Order:
    """What a release is to be.

    Args:
        version: a name for people.
        counter: above that of every release before.
        boards: names of boards (`kittiwake boards`), or architectures of mpy-cross for any board of it.
        config: of the nodes; None for no configuration: boards keep theirs.
        models: file name -> plan.
        trial_s: seconds that a new application has to prove itself.
        notes: what people ought to know.
        allows_downgrade: it may take the place of a later release.
        is_config_alone: it brings configuration and models, and leaves the application that runs.
        image: MicroPython's own, for a partition of an ESP32: it comes alone, and the application that runs stays.
        trusted: keys whose releases boards take once they run this one (keys.joined); empty for those that they have.
    """

    version: str
    counter: int
    boards: Sequence[str]
    config: NodeConfig | None = None
    models: Mapping[str, bytes] = field(default_factory=dict)
    trial_s: int = TRIAL_S
    notes: str = ""
    allows_downgrade: bool = False
    is_config_alone: bool = False
    trusted: bytes = b""
    image: bytes = b""


def make(order: Order, signers: Sequence[keys.Signer], firmware: Mapping[str, bytes]) -> bytes:
    """Make a release.

    Args:
        order: what it is to be.
        signers: whose signatures it carries; one or more.
        firmware: path -> source, as `kittiwake.firmware_files` gives it.

    Returns:
        The file: the same bytes for the same order, signers, firmware and compiler.

    Raises:
        UsageError: a board is unknown, or there is no configuration where there is to be nothing else.
        ConfigError: it would be too large in some way, or a model is not listened for.
        KittiwakeError: of the compiler.
    """
    if order.is_config_alone and order.config is None:
        raise UsageError("a release of configuration alone has a configuration", "name it with -c")
    if order.image and (order.config is not None or order.models or order.trusted or order.is_config_alone):
        raise UsageError(
            "MicroPython's image comes alone: a cut may leave either application with either image",
            "make a second release of what else there is",
        )
    builds = _builds(order, firmware)
    described = [
        manifest.Build(
            arch,
            chips,
            len(files),
            sum(map(len, files.values())),
            len(container.table_of(files)),
            hashlib.sha256(container.table_of(files)).digest(),
        )
        for arch, chips, files in builds
    ]
    head = manifest.Head(
        manifest.DOWNGRADE * order.allows_downgrade
        | manifest.KEEPS * (order.is_config_alone or bool(order.image))
        | manifest.IMAGE * bool(order.image),
        order.counter,
        order.trial_s,
        micropython_versions.OLDEST,
        micropython_versions.NEWEST,
        order.version,
        order.notes,
        described,
    )
    try:
        raw_head = manifest.pack_head(head)
        manifest.read_head(raw_head)  # what no board would take is not signed
    except FrameError as error:
        raise ConfigError(f"this cannot be a release: {error}", "fewer boards, or shorter notes") from error
    signed = [container.Signature(keys.id_of(key.modulus), key.sign(manifest.MAGIC + raw_head)) for key in signers]
    raw = container.pack(raw_head, signed, [files for _, _, files in builds])
    read = container.read(raw, "what was made")
    for key in signers:
        if read.signer(key.modulus) is None:
            raise ConfigError("a signature that was just made is not good", "try another key")
    return raw


def _builds(order: Order, firmware: Mapping[str, bytes]) -> list[tuple[str, tuple[str, ...], dict[str, bytes]]]:
    """Architecture, chips and files of each build: boards that take the same files share one."""
    chips_of: dict[tuple[str, bool], set[str]] = {}
    for name in order.boards:
        if order.image:
            _check_image(order.image, name)
        arch, chip = _kind(name)
        # Of chips that run an architecture's kernels in machine code, and those that do not, each has its own build.
        special = any(architectures.runs(kernels, arch, f"with {chip}") for kernels in architectures.ASSEMBLERS)
        chips_of.setdefault((arch, special), set()).add(chip)
    builds = []
    for (arch, _), chips in sorted(chips_of.items(), key=lambda item: (item[0][0], not item[0][1])):
        listed = () if "" in chips else tuple(sorted(chips))
        builds.append((arch, listed, _files(order, firmware, arch, min(chips))))
    # The most particular first: a board takes the first one that it runs.
    family = architectures.CORTEX_M
    return sorted(builds, key=lambda build: (not build[1], -family.index(build[0]) if build[0] in family else 0))


def _kind(name: str) -> tuple[str, str]:
    if name in architectures.NAMES and name:
        return name, ""
    try:
        board = catalog.find(name)
    except UsageError as error:
        raise UsageError(f"{name!r} is neither a board nor an architecture", error.mend) from error
    return board.mpy_arch, board.mcu


def _check_image(image: bytes, name: str) -> None:
    board = catalog.find(name)
    if not isinstance(board, FlashedBoard) or "esptool" not in board.flash.tools:
        raise UsageError(f"{name} has no partitions for two images of MicroPython", "kittiwake flash, at its cable")
    version = esp_image.check_application(image, board, "the image")
    oldest, newest = micropython_versions.OLDEST, micropython_versions.NEWEST
    if not oldest <= version <= newest:
        raise ConfigError(
            "the image is MicroPython {}.{}, and applications run by {}.{} to {}.{}".format(*version, *oldest, *newest),
            "take another one",
        )


def _files(order: Order, firmware: Mapping[str, bytes], arch: str, chip: str) -> dict[str, bytes]:
    if order.image:
        return {manifest.IMAGE_FILE: order.image}
    machine = f"with {chip}" if chip else ""
    files = {**({} if order.is_config_alone else _application(order, firmware, arch, machine)), **order.models}
    if order.trusted:
        files[manifest.KEYS] = order.trusted
    if order.config is not None:
        kernel = {"kernel": "xtensa"} if architectures.runs("xtensa", arch, machine) else {}
        config = {name: value for name, value in {**kernel, **order.config}.items() if name not in _OWN}
        files["node.json"] = choose.settings(config, "", {})
        missing = set(order.models) - choose.named_models(config, None)
        if missing:
            raise ConfigError(f"no channel listens for {min(missing)}, or tells states by it", choose.UNUSED_MEND)
    return files


def _application(order: Order, firmware: Mapping[str, bytes], arch: str, machine: str) -> dict[str, bytes]:
    wanted = choose.files(firmware, order.config) if order.config is not None else choose.every_file(firmware)
    return mpy.compile_files(wanted, arch, machine)
