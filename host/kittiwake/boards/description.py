"""What a board's file may say: what is on it, how it is flashed, its pins, and from which source each is known.

Knows the form of `boards/NAME/board.toml`; not where those files lie.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from kittiwake.config.load import Section

_DOWNLOAD = "https://micropython.org/download"
# What says what the file is rather than stating a fact about the board.
_UNSOURCED = ("name", "sources")


def _one_line(text: str) -> str:
    if not text.strip() or "\n" in text:
        raise ValueError("is one line of text")
    return text


Line = Annotated[str, AfterValidator(_one_line)]
Pin = int | Line
Word = Annotated[int, Field(ge=0, lt=1 << 32)]
Size = Annotated[int, Field(gt=0, lt=1 << 32)]
Id16 = Annotated[int, Field(ge=0, lt=1 << 16)]
Arch = Literal["armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp", "xtensa", "xtensawin", "rv32imc"]


class Flash(Section):
    """How MicroPython gets onto the board."""

    tools: list[Literal["esptool", "dfu-util", "stm32loader"]] = Field(min_length=1, description="The first is tried.")
    offset: Word = Field(description="Where the image starts: in flash (ESP32), or as an address (STM32)")
    images: list[Literal["bin", "dfu", "hex"]] = Field(min_length=1, description="File formats, best first")
    chip_id: Id16 = Field(description="In the image's header (ESP32), or what the ROM answers to Get ID (STM32)")
    baudrate: int = Field(
        gt=0, json_schema_extra={"unit": "baud"}, description="To begin with; slower ones are tried when it fails"
    )
    reset: Literal["lines", "boot0"] = Field(description="By the serial port's DTR and RTS, or by hand with BOOT0 high")
    enter: Line = Field(description="How the ROM's loader is entered by hand")


class Memory(Section):
    """Memories, in bytes."""

    flash_bytes: Size | None = Field(None, description="Of the flash")
    ram_bytes: Size | None = Field(None, description="Of the RAM")
    heap_bytes: Size | None = Field(None, description="Of MicroPython's heap, where the build fixes it")
    storage: Literal["littlefs", "fat", "romfs"] = Field(description="What files are deployed to, on a new board")
    storage_address: Word | None = Field(None, description="Where it starts, in flash")
    storage_bytes: Size = Field(description="Of the place for files")
    romfs_address: Word | None = Field(None, description="Where read-only files start, in flash")
    romfs_bytes: Size | None = Field(None, description="Of the place for read-only files")


class Journal(Section):
    """Where the journal is kept: the firmware's `storage`."""

    kind: Literal["folder", "kwflash"] = Field(description="A folder of the file system, or the emulated boards' flash")
    path: Line | None = Field(None, description="The folder, where kind is folder")
    partition: Line = Field(description="What the board calls the place")
    bytes: Size | None = Field(
        None, json_schema_extra={"unit": "bytes"}, description="Where the place is the journal's alone"
    )

    @model_validator(mode="after")
    def _has_path(self) -> Journal:
        if (self.kind == "folder") != (self.path is not None):
            raise ValueError("a path belongs to kind folder, and only there")
        return self


class Uart(Section):
    """A UART for a link of its own, beside the console."""

    id: int = Field(description="Its number, as machine.UART takes it")
    tx: Pin = Field(description="Transmits")
    rx: Pin = Field(description="Receives")


class Link(Section):
    """The link, as a node has it unless told otherwise."""

    kind: Literal["stdio", "kwboard"] = Field(description="The console, or the emulated boards' second UART")
    port: Line = Field(description="Which connector that is")
    uart: Uart | None = None


class I2s(Section):
    """An I2S microphone."""

    id: int = Field(description="Its number, as machine.I2S takes it")
    sck: Pin = Field(description="Bit clock")
    ws: Pin = Field(description="Word select")
    sd: Pin = Field(description="Data")


class I2c(Section):
    """An I2C bus: the chip's, or Arm's SBCon where the board is emulated."""

    kind: Literal["machine", "sbcon"] = Field("machine", description="The chip's, or Arm's SBCon")
    id: int | None = Field(None, description="Its number, as machine.I2C takes it")
    scl: Pin | None = Field(None, description="Clock")
    sda: Pin | None = Field(None, description="Data")
    base: Word | None = Field(None, description="Address of an SBCon")

    @model_validator(mode="after")
    def _is_whole(self) -> I2c:
        stated = {name for name in ("id", "scl", "sda", "base") if getattr(self, name) is not None}
        if stated != ({"base"} if self.kind == "sbcon" else {"id", "scl", "sda"}):
            raise ValueError("machine has id, scl and sda; sbcon has base")
        return self


class Pins(Section):
    """Default pins, as `machine.Pin` takes them."""

    adc: Pin | None = Field(None, description="An input of the converter")
    i2s: I2s | None = None
    i2c: I2c | None = None
    action: Pin | None = Field(None, description="What a flag drives")


class Usb(Section):
    """What the board shows on USB."""

    vid: Id16 = Field(description="Vendor")
    pid: Id16 = Field(description="Product")
    what: Line = Field(description="What shows them")


class Qemu(Section):
    """How the board is emulated; see kittiwake.target."""

    target: Line = Field(description="Name of the target")
    system: Line = Field(description="QEMU's program")
    package: Line = Field(description="Debian's package of it")
    machine: Line = Field(description="QEMU's machine")
    console: Literal["serial", "pci-serial"] = Field("serial", description="The machine's own UART, or a card")
    link: Literal["serial", "pci-serial"] = Field(description="Device that carries the link")
    arguments: list[Line] = Field([], description="More of the emulator's command line")
    compiler: Line = Field(description="What the board's MicroPython is compiled by")
    traced: Line | None = Field(None, description="Folder of an image that can tell which lines run")
    instructions_step: int = Field(
        gt=0, json_schema_extra={"unit": "instructions"}, description="Resolution of its counter of instructions"
    )


class StandIn(Section):
    """An emulated board that runs the same machine code, for what is claimed of this one without having it."""

    target: Line = Field(description="Its target")
    shown: list[Line] = Field(min_length=1, description="Claims about this board that were made on the other")
    not_shown: list[Line] = Field(min_length=1, description="What the other says nothing about")


class Board(Section):
    """One board.

    Every fact has its source in `sources`, under its own key ("flash.offset") or that of its table ("flash").
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$", description="As the folder is called")]
    title: Line = Field(description="As its maker calls it")
    chip: Line | None = Field(None, description="As the flashing tool names it")
    mcu: Line = Field(description="As the board's sys.implementation names it")
    mpy_arch: Arch = Field(description="Architecture of .mpy files that it loads")
    micropython: Line | None = Field(None, description="The board's name at micropython.org")
    cautions: list[Line] = Field([], description="What a user must know before wiring it")
    flash: Flash | None = None
    qemu: Qemu | None = None
    memory: Memory
    journal: Journal
    link: Link
    pins: Pins = Pins()
    stand_in: StandIn | None = None
    usb: list[Usb] = []
    sources: dict[str, Line] = Field(description="Where each fact is from, by its key or its table's")

    @model_validator(mode="after")
    def _is_whole(self) -> Board:
        if (self.flash is None) == (self.qemu is None):
            raise ValueError("a board is either flashed or emulated: one of [flash] and [qemu]")
        if self.flash is not None and (self.chip is None or self.micropython is None):
            raise ValueError("a board that is flashed has chip and micropython")
        memory = self.memory
        if self.flash is not None and None in (memory.flash_bytes, memory.ram_bytes, memory.storage_address):
            raise ValueError("a board that is flashed has memory.flash_bytes, .ram_bytes and .storage_address")
        facts = list(self.facts())
        bare = [key for key, _ in facts if not self.source(key)]
        if bare:
            raise ValueError(f"no source is given for {', '.join(bare)}")
        idle = [key for key in self.sources if not any(key == fact or fact.startswith(f"{key}.") for fact, _ in facts)]
        if idle:
            raise ValueError(f"a source is given for {', '.join(idle)}, which is not there")
        return self

    @property
    def is_virtual(self) -> bool:
        """Whether the board exists in emulation only."""
        return self.qemu is not None

    @property
    def download_url(self) -> str | None:
        """The page at micropython.org with the board's images; None of a virtual one."""
        return f"{_DOWNLOAD}/{self.micropython}/" if self.micropython else None

    def facts(self) -> Iterator[tuple[str, Any]]:
        """Give every fact that the file states, as (dotted key, value)."""
        for key, value in _leaves("", self.model_dump(exclude_unset=True)):
            if key.partition(".")[0] not in _UNSOURCED:
                yield key, value

    def source(self, key: str) -> str | None:
        """Name where a fact comes from, by its dotted key; None when it is not said."""
        while key:
            if key in self.sources:
                return self.sources[key]
            key = key.rpartition(".")[0]
        return None


class FlashedMemory(Memory):
    """Memories of a board that is flashed."""

    flash_bytes: Size
    ram_bytes: Size
    storage_address: Word


class FlashedBoard(Board):
    """A board that is flashed: what that needs is there."""

    chip: Line
    micropython: Line
    flash: Flash
    memory: FlashedMemory

    @property
    def download_url(self) -> str:
        """The page at micropython.org with the board's images."""
        return f"{_DOWNLOAD}/{self.micropython}/"


def _leaves(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for inner, item in value.items():
            yield from _leaves(f"{key}.{inner}" if key else inner, item)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for number, item in enumerate(value):
            yield from _leaves(f"{key}.{number}", item)
    else:
        yield key, value
