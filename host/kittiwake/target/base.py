"""The interface that every place where firmware can run implements, and the way to one by name.

This module must not know how any target works: implementations register under a name and are imported when asked for.
"""

from __future__ import annotations

import abc
import importlib
from collections.abc import Generator, Mapping
from types import TracebackType
from typing import Any, Self, TypedDict, cast

from kittiwake.errors import KittiwakeError, UsageError
from kittiwake.target.requests import Requests

NodeConfig = dict[str, Any]
"""A node's configuration as TOML or JSON gives it; only the firmware says what it must be."""

# Scheme -> (module, class). A name is "scheme" or "scheme:board"; anything that looks like a port is a serial target.
# Each class has `names() -> list[str]`, `available(name) -> KittiwakeError | None` and a constructor taking the name.
_SCHEMES = {
    "unix": ("kittiwake.target.unix", "UnixTarget"),
    "qemu": ("kittiwake.target.qemu", "QemuTarget"),
}
_PORT = ("kittiwake.target.port", "PortTarget")
_PORT_PREFIXES = ("/dev/", "COM", "id:", "auto", "socket://", "rfc2217://")


class Facts(TypedDict):
    """What a board is; None for what is not known.

    `mpy` is `sys.implementation._mpy`, `cpuid` the Cortex-M's register, 0 on other processors.
    """

    implementation: str
    mpy: int
    arch: str | None
    cpu: str
    cpuid: int
    mhz: float | None
    heap_free: int
    has_storage: bool


class Target(abc.ABC):
    """A board, real or not: code runs on it, the node runs on it, its power can be cut.

    Nothing is started by the constructor. As a context manager, entering starts it and leaving stops it.

    Args:
        name: the name it was asked for by, e.g. "unix" or "qemu:mps2-an385".

    Attributes:
        can_cut_power: whether `cut_power` works here; a real board's supply has to hang on a switch for it.
        counts_instructions: whether what it executes is counted exactly.
        requests: what answers code that asks this machine for something; None for nothing.
        has_own_link: whether `link_port` is the node's link whatever kind that is, and not only the console.
    """

    can_cut_power = True
    counts_instructions = False
    has_own_link = True
    requests: Requests | None = None

    def __init__(self, name: str):
        self.name = name

    @classmethod
    def names(cls) -> list[str]:
        """List the full names under which this class has targets, for `kittiwake targets`."""
        return []

    @classmethod
    def available(cls, name: str) -> KittiwakeError | None:
        """Say why `name` cannot be started here.

        Args:
            name: full, one of `names`; of a port's target, the port.

        Returns:
            None when it can; else an error, not raised, with the mend.
        """
        return None

    @abc.abstractmethod
    def start(self) -> None:
        """Boot the board to a state in which `exec` works. Idempotent.

        Raises:
            KittiwakeError: it cannot start; the mend says what to do.
        """

    @abc.abstractmethod
    def deploy(self, files: Mapping[str, bytes]) -> None:
        """Write files to the board, those only that differ from what is there.

        Args:
            files: path on the board -> content.
        """

    @abc.abstractmethod
    def exec(self, code: str, timeout_s: float = 10.0, limit_bytes: int | None = None) -> str:
        """Run Python source on the board; its globals persist from call to call.

        Args:
            code: source, in the board's subset of Python.
            timeout_s: seconds after which the board is taken to hang.
            limit_bytes: how much it may print before it is interrupted; None for any.

        Returns:
            What the code printed.

        Raises:
            TargetError: the code raised (`traceback` carries the board's own), printed too much, or the board died or
                hangs.
        """

    @abc.abstractmethod
    def exec_lines(self, code: str, idle_s: float = 10.0) -> Generator[str, None, None]:
        """Run Python source on the board, and give each line that it prints when it comes.

        A caller that stops in the middle (closes the generator) interrupts the code.

        Args:
            code: source, in the board's subset of Python.
            idle_s: seconds without a line after which the board is taken to hang.

        Yields:
            Lines, without their ends.

        Raises:
            TargetError: as of `exec`; what was printed before has been given.
        """

    @abc.abstractmethod
    def run_node(self, config: NodeConfig, watch: bool = False) -> None:
        """Start the firmware's main loop in the background, with this configuration; return at once.

        Args:
            config: what `firmware/main.py` reads; the target puts its own link and storage where they are not given.
            watch: as of `start_node`.
        """

    @abc.abstractmethod
    def start_node(self, watch: bool = False) -> None:
        """Restart the board so that it runs main.py with the configuration it has; return at once.

        Args:
            watch: keep the console, so that `node_text` has what comes over it and `check_running` sees an end, until
                `release_console`.
        """

    @abc.abstractmethod
    def node_text(self) -> str:
        """All that the node has printed since its start; of a board on a port, while its start is watched."""

    def release_console(self) -> None:  # noqa: B027 (not abstract: not every target has one that others could use)
        """Let other programs use the console. Idempotent."""

    @property
    @abc.abstractmethod
    def node_is_running(self) -> bool:
        """Whether the node was started and not taken the board from; a target that can tell says when it has ended."""

    @property
    @abc.abstractmethod
    def link_port(self) -> str:
        """Path or URL of the link, which any program can open like a serial port."""

    @abc.abstractmethod
    def interrupt(self) -> None:
        """Take the board back from a running node (Ctrl-C), so that `exec` works again. Idempotent."""

    @abc.abstractmethod
    def cut_power(self) -> None:
        """Stop the board at this very instant, as a supply that fails would; storage stays. `start` boots it again."""

    def node_overrides(self) -> NodeConfig:
        """Tell the firmware where this target's link and storage are."""
        return {}

    def deploy_firmware(self) -> None:  # noqa: B027 (not abstract: boards of our own making start with it)
        """Put this installation's firmware on the board, where `start` does not do so by itself."""

    def reboot(self) -> None:
        """Boot the board anew, to where `exec` works and knows no name from before; files and flash stay."""
        self.cut_power()
        self.start()

    def check_running(self) -> None:  # noqa: B027 (not abstract: most targets cannot tell)
        """Raise when the node was started and has ended by itself; targets that cannot tell never raise.

        Raises:
            TargetError: with the last lines that the node printed as `traceback`.
        """

    def instructions(self) -> int | None:
        """Read the emulated machine's instruction counter; None where there is none."""
        return None

    @abc.abstractmethod
    def facts(self) -> Facts:
        """Tell what the board is."""

    @abc.abstractmethod
    def stop(self) -> None:
        """End everything that `start` began. Idempotent; leaves no process behind."""

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()  # a start that failed half-way must not leave an emulator running
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def open_target(name: str, **options: Any) -> Target:
    """Make the target of that name; nothing is started yet.

    Args:
        name: "unix", "qemu:BOARD", or a port: a path, COMn, id:SERIAL, socket:// or rfc2217:// URL.
        options: passed to the target's constructor (see its class).

    Returns:
        The target, not started.

    Raises:
        UsageError: no target has that name.
    """
    return _class_of(name)(name, **options)


def is_port(name: str) -> bool:
    """Whether a target of that name is a board on a port, and not one that is virtual or emulated.

    Args:
        name: as `open_target` takes it.
    """
    return name.startswith(_PORT_PREFIXES)


def available(name: str) -> KittiwakeError | None:
    """Say why the target of that name cannot start here.

    Args:
        name: as `open_target` takes it.

    Returns:
        None when it can; else an error, not raised, with the mend.

    Raises:
        UsageError: no target has that name.
    """
    return _class_of(name).available(name)


def names() -> list[str]:
    """List every target that needs no port, whether it can start here or not."""
    every: list[str] = []
    for scheme in _SCHEMES:
        kind = _load(*_SCHEMES[scheme])
        if kind is not None:
            every += kind.names()
    return every


def _class_of(name: str) -> type[Target]:
    scheme = name.partition(":")[0]
    if is_port(name):
        place = _PORT
    elif scheme in _SCHEMES:
        place = _SCHEMES[scheme]
    else:
        raise _unknown(name)
    kind = _load(*place)
    if kind is None or (place is not _PORT and name not in kind.names()):
        raise _unknown(name)
    return kind


def _load(module: str, cls: str) -> type[Target] | None:
    try:
        return cast(type[Target], getattr(importlib.import_module(module), cls))
    except ModuleNotFoundError as error:
        if error.name != module:
            raise  # the module is there but broken: that is a bug, not an absent target
        return None


def _unknown(name: str) -> UsageError:
    return UsageError(
        f"no target is called {name!r}", f"use one of {', '.join(names())}, or a port such as /dev/ttyUSB0"
    )
