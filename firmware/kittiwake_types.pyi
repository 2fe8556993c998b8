"""What the firmware's pure rooms expect of what they are given, and the shapes of what they give, for mypy alone.

A board never sees this file: MicroPython has no `typing`, and modules import it only under `if False:`, which both
Pythons drop (docs/explanation/annotations.md).
"""

from array import array
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, Literal, Protocol, TypedDict

from kittiwake_node.detect.baseline import Baseline
from kittiwake_node.detect.channel import Watch as Watch
from kittiwake_node.link.record import Record
from kittiwake_node.speech.meter import Meter as Meter

Buffer = bytes | bytearray | memoryview
"""Bytes that are only read."""

Memory = bytearray | memoryview
"""Bytes that may be written."""

Samples = array[int]
"""array('h'), or array('i') for samples of more than 16 bits; also the words of a kernel's state."""

Settings = dict[str, Any]
"""A table of settings, checked and filled in."""

Fraction = tuple[int, int]
"""Numerator, and denominator above 0."""

# The link.

Reply = tuple[int, bytes]
"""Status and body, see link.messages."""

CommandHandler = Callable[[int, bytes, int], Reply]
"""Called as handle(op, body, now_ms)."""

Hello = tuple[int, int, int, int, int, int, int, int, str]
"""Session, oldest and newest version, max_frame, journal, boot, acked, next_seq, device."""

SessionEvent = (
    tuple[Literal["record"], Record, bytes]
    | tuple[Literal["opened"], bool]
    | tuple[Literal["lost"], str]
    | tuple[Literal["text"], bytes]
    | tuple[Literal["reply"], int, int, bytes]
    | tuple[Literal["status"], int, int, tuple[int, int, int]]
    | tuple[Literal["refused"], str]
)
"""See GatewaySession.feed."""

class SettingsFile(Protocol):
    def read(self, offset: int, limit_bytes: int) -> tuple[int, bytes]: ...
    def replace(self, data: bytes) -> bool: ...

class Executed(Protocol):
    def once(self, key: bytes, seq: int, do: Callable[[], Reply]) -> Reply: ...

class SentJournal(Protocol):
    """The journal as a session reads it."""

    @property
    def id(self) -> int: ...
    @property
    def acked(self) -> int: ...
    @property
    def next_seq(self) -> int: ...
    @property
    def evicted(self) -> Any: ...
    def read(self, start: int, limit_bytes: int) -> tuple[bytes, int]: ...
    def ack(self, next_seq: int) -> None: ...
    def description(self, number: int) -> bytes: ...

class Session(Protocol):
    """What link.device_session.DeviceSession and mqtt.session.MqttSession have for their owner."""

    @property
    def problem(self) -> str: ...
    def set_link(self, is_up: bool, now_ms: int) -> None: ...
    def feed(self, data: bytes, now_ms: int) -> None: ...
    def next_output(self, now_ms: int) -> bytes | None: ...
    def goodbye(self) -> bytes: ...

class Port(Protocol):
    """See io/port.py."""

    @property
    def is_idle(self) -> bool: ...
    def poll(self, now_ms: int) -> bool: ...
    def readinto(self, buf: bytearray) -> int: ...
    def send(self, data: bytes) -> None: ...
    def flush(self) -> None: ...
    def drop(self, why: str, now_ms: int) -> None: ...
    def close(self) -> None: ...

# Samples and their detectors.

KernelFunction = Callable[..., int]
"""A kernel, with the arguments that the package `kernels` describes."""

Emit = Callable[[int, int, int, int, bytes], None]
"""Called as emit(type, channel, class, time_ms, payload) for every record."""

class KernelSet(Protocol):
    """See kernels.Kernel."""

    name: str
    def part(self, stage: str) -> ModuleType: ...
    def entry(self, stage: str, name: str) -> KernelFunction: ...
    def halfword_entries(self) -> tuple[tuple[str, str], ...]: ...

class Source(Protocol):
    """See io/source.py."""

    @property
    def ended(self) -> bool: ...
    def read_into(self, buf: Samples) -> int: ...
    def time_ms(self, index: int) -> int: ...

class ChannelOwner(Protocol):
    """Who a channel tells, see channel.BaseChannel."""

    @property
    def emit(self) -> Emit: ...
    @property
    def on_alert(self) -> Callable[[Source, int], object]: ...
    @property
    def commit(self) -> Callable[[int], object]: ...
    @property
    def on_microphone(self) -> Callable[[], object]: ...

class Sensor(Protocol):
    @property
    def low(self) -> int: ...
    @property
    def high(self) -> int: ...
    def read(self) -> int: ...

class Action(Protocol):
    """See io/action.py."""

    def set(self, level: int) -> object: ...
    def fail_safe(self) -> object: ...

class SummedUp(Protocol):
    """See detect.summary.Summary."""

    @property
    def count(self) -> int: ...
    @property
    def min(self) -> int | Any: ...
    @property
    def max(self) -> int | Any: ...
    @property
    def sum(self) -> int: ...
    @property
    def sum_sq(self) -> int: ...
    def feed(self, buf: Samples, start: int, stop: int) -> None: ...
    def reset(self) -> None: ...

class ClipCounter(Protocol):
    """See detect.clip.Clip."""

    low: int
    high: int
    def count(self, buf: Samples, start: int, stop: int) -> int: ...

class Clock(Protocol):
    """See io/clock.py."""

    def ms(self) -> int: ...
    def us(self) -> int: ...
    def since_us(self, earlier: int) -> int: ...

class FeatureSource(Protocol):
    """See speech.frontend.Frontend."""

    @property
    def features(self) -> Samples: ...
    def reset(self) -> None: ...
    def feed(self, buf: Samples, start: int, stop: int) -> int: ...

class Network(Protocol):
    """See network.Network."""

    @property
    def header(self) -> Any: ...
    def reset(self) -> None: ...
    def begin(self, data: Buffer) -> None: ...
    def step(self) -> int: ...
    def finish(self, result: Memory) -> None: ...

class Detector(Protocol):
    """See detect.kinds.make."""

    @property
    def number(self) -> int: ...
    @property
    def learner(self) -> Baseline | None: ...
    @property
    def forget(self) -> Callable[[], None] | None: ...
    @property
    def find(self) -> Callable[[Samples, int, int], int]: ...
    @property
    def push(self) -> Callable[[int], bool]: ...
    def score(self, x: int) -> int: ...
    def tell(self, x: int, flags: int, index: int) -> bytes: ...

# Storage.

class File(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...
    def write(self, data: Buffer, /) -> object: ...
    def readinto(self, buf: Memory, /) -> int: ...
    def seek(self, offset: int, whence: int = 0, /) -> int: ...
    def flush(self) -> object: ...
    def close(self) -> object: ...
    def __enter__(self) -> File: ...
    def __exit__(self, *error: object) -> object: ...

class FileSystem(Protocol):
    """VfsLfs2's methods; the entries of ilistdir are (name, type, inode, size)."""

    def open(self, path: str, mode: str, /) -> File: ...
    def ilistdir(self, path: str, /) -> Iterable[tuple[Any, ...]]: ...
    def mkdir(self, path: str, /) -> object: ...
    def remove(self, path: str, /) -> object: ...
    def rename(self, old: str, new: str, /) -> object: ...
    def statvfs(self, path: str, /) -> tuple[int, ...]: ...

class Hash(Protocol):
    """hashlib.sha256's methods."""

    def update(self, data: Buffer, /) -> object: ...
    def digest(self) -> bytes: ...

class Wear(Protocol):
    """What a storage device has programmed and erased since the start."""

    @property
    def programmed_bytes(self) -> int: ...
    @property
    def erased_blocks(self) -> int: ...

class Learner(Protocol):
    """See detect.baseline.Baseline."""

    @property
    def learned(self) -> bool: ...
    def clear(self) -> None: ...
    def dump(self) -> bytes: ...
    def restore(self, data: bytes) -> None: ...

# Payloads.

Fields = list[tuple[str, object]]
"""Names and values of a JSON object, in their order; see mqtt.jsontext.dump."""

class Snapshot(TypedDict):
    part: int
    parts: int
    index: int
    samples: list[int]

class Keyword(TypedDict):
    flags: int
    name: str
    window: int
    sum: int
    limit: int
    index: int

class State(TypedDict):
    name: str
    previous: str
    score: int
    index: int
    lasted: int

class Boot(TypedDict):
    reset_cause: int
    heap_free: int
    firmware: str

class Event(TypedDict):
    code: int
    text: str
