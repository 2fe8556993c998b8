"""Audio through the firmware's hearing on a target: detections, peaks, and what they cost.

The host only sends samples (or features) and reads decisions; it decides nothing.
"""

from __future__ import annotations

import base64
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from kittiwake.errors import ConfigError, TargetError
from kittiwake.target.base import Target

STEP_MS = 30
# What a step of 30 ms may cost: 40 % of an ESP32 core (240 MHz), 22 % of an STM32 at 168 MHz, 40 % of an ESP32-C3 at
# 160 MHz, at an instruction a cycle.
BUDGET_INSTRUCTIONS = {"viper": 2_900_000, "thumb2": 1_100_000, "dsp": 1_100_000, "rv32": 1_920_000}
_FIRST_SAMPLES, _FRAME_SAMPLES, _RATE_HZ = 480, 160, 16000
_TIMEOUT_S = 300.0
_CHUNK_SAMPLES = 1600
# A line of a detection: "+ word sum frame"; of the trace: "= " and two hex digits a word and output, in turn.
# Collecting often keeps what stays at the heap's beginning: plans need room in one piece.
_ON_BOARD = """
import gc
gc.threshold(4096)
from array import array
from binascii import a2b_base64, hexlify
from kittiwake_node import kernels
from kittiwake_node.errors import NodeError
from kittiwake_node.io import model_file
from kittiwake_node.speech.hearing import Hearing
from kittiwake_node.speech import words as _words
try:
    import kwboard
    _count = getattr(kwboard, 'count', None)
except ImportError:
    _count = None
try:
    import time
except ImportError:
    time = None
class _Silence:
    def reset(self):
        pass
def _open(kernel, names, refractory_ms, traced, frontend):
    global _h, _outputs, _spent
    _h = None
    gc.collect()
    before = gc.mem_alloc()
    _outputs = bytearray() if traced else None
    _spent = 0
    try:
        k = kernels.load(kernel)
        f = _Silence()
        if frontend:
            from kittiwake_node.speech.frontend import Frontend
            f = Frontend(k)
        _h = Hearing(k, f, _words.make(k, [model_file.read_plan(name) for name in names], refractory_ms))
    except NodeError as error:
        print('!', error)
        return
    gc.collect()
    gc.threshold(-1)
    print(gc.mem_alloc() - before)
def _work():
    while _h.pending:
        word = _h.step()
        if word:
            if word.heard:
                print('+', word.name, word.sum, _h.frames)
            if _outputs is not None:
                _outputs.append(word.value)
def _hear(buf, stop):
    at = 0
    while at < stop:
        at = _h.feed(buf, at, stop)
        _work()
def _told():
    if _outputs:
        print('=', hexlify(_outputs).decode())
        _outputs[:] = b''
def _chunk(text):
    global _spent
    buf = array('h', a2b_base64(text))
    if _count:
        _spent += _count(_hear, buf, len(buf))
    else:
        began = time.ticks_us()
        _hear(buf, len(buf))
        _spent += time.ticks_diff(time.ticks_us(), began)
    _told()
def _features(text):
    data = array('H', a2b_base64(text))
    for i in range(0, len(data), 40):
        _h.take(data[i : i + 40])
        _work()
    _told()
def _close():
    print(_h.frames, _spent)
    for word in _h.words:
        print(word.name, word.peak, word.note.window)
"""


@dataclass(frozen=True)
class Detection:
    """A word was heard.

    Attributes:
        model: name of the word.
        time_s: from the first sample to the last one that was needed.
        probability: mean of the window.
    """

    model: str
    time_s: float
    probability: float


@dataclass
class Session:
    """What was heard so far, and its cost.

    Attributes:
        heap_bytes: of the board's heap that front end, models and their kernels take.
        trace: each word's outputs, 0 to 255, when they are asked for.
        frames: of features.
        peaks: largest mean a word.
        spent: microseconds, or instructions where they can be counted.
        counted: whether `spent` is in instructions.
    """

    heap_bytes: int
    trace: dict[str, bytearray] = field(default_factory=dict)
    frames: int = 0
    peaks: dict[str, float] = field(default_factory=dict)
    spent: int = 0
    counted: bool = False

    @property
    def per_step(self) -> float:
        """Cost of 30 ms of audio."""
        return self.spent / max(1.0, self.frames / 3)


class Listener:
    """Hearing on a started target.

    Args:
        target: started.
        plans: name -> plan with its note.
        kernel: which kernels run it.
        refractory_ms: silence after a detection.
        traced: keep every output.
        from_features: take the front end's features in place of samples.

    Raises:
        ConfigError: the firmware refuses; its reason is the message.
        TargetError: the board failed.
    """

    def __init__(
        self,
        target: Target,
        plans: dict[str, bytes],
        kernel: str,
        refractory_ms: int = 2000,
        traced: bool = False,
        from_features: bool = False,
    ):
        self._target = target
        self._names = list(plans)
        self._window: dict[str, int] = {}
        target.deploy({f"{name}.kwm": plan for name, plan in plans.items()})
        target.exec(_ON_BOARD)
        files = [f"{name}.kwm" for name in plans]
        self._opening = f"_open({kernel!r}, {files!r}, {refractory_ms}, {traced}, {not from_features})"
        self.restart()

    def restart(self) -> None:
        """Begin anew, as if the board had just booted."""
        said = self._target.exec(self._opening, _TIMEOUT_S).strip()
        if said.startswith("!"):
            raise ConfigError(f"{self._target.name} refuses: {said.removeprefix('!').strip()}")
        self.session = Session(int(said.split()[-1]), {name: bytearray() for name in self._names})
        self.session.counted = self._target.instructions() is not None
        for line in self._target.exec("_close()").splitlines()[1:]:
            self._window[line.split()[0]] = int(line.split()[2])

    def hear(
        self, samples: array, chunk: int = _CHUNK_SAMPLES, on_progress: Callable[[int], None] = lambda done: None
    ) -> Iterator[Detection]:
        """Send samples (array('h')), `chunk` at a time, and yield what is heard."""
        for start in range(0, len(samples), chunk):
            yield from self._send("_chunk", samples[start : start + chunk].tobytes())
            on_progress(min(len(samples), start + chunk))

    def take(self, frames: Sequence[Sequence[int]], batch: int = 120) -> Iterator[Detection]:
        """Send frames of 40 features in place of samples."""
        for start in range(0, len(frames), batch):
            part = array("H", [value for frame in frames[start : start + batch] for value in frame])
            yield from self._send("_features", part.tobytes())

    def close(self) -> Session:
        """Ask for peaks and cost."""
        lines = self._target.exec("_close()").split("\n")
        self.session.frames, self.session.spent = (int(word) for word in lines[0].split())
        for line in lines[1:]:
            if line.strip():
                name, peak, window = line.split()
                self.session.peaks[name] = int(peak) / (256 * int(window))
        return self.session

    def _send(self, function: str, content: bytes) -> Iterator[Detection]:
        text = base64.b64encode(content).decode()
        for line in self._target.exec(f"{function}({text!r})", _TIMEOUT_S).splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "=":
                outputs = bytes.fromhex(rest)
                for place, name in enumerate(self._names):
                    self.session.trace[name] += outputs[place :: len(self._names)]
            elif kind == "+":
                name, total, frame = rest.split()
                end = _FIRST_SAMPLES + _FRAME_SAMPLES * (int(frame) - 1)
                yield Detection(name, end / _RATE_HZ, int(total) / (256 * self._window[name]))
            elif line.strip():
                raise TargetError(f"the board said {line!r} where a decision was due")


def rounds(
    target: Target,
    plans: dict[str, bytes],
    kernel: str,
    refractory_ms: int,
    samples: array,
    on_text: Callable[[str], None] = lambda line: None,
) -> Iterator[tuple[Session, list[Detection]]]:
    """Hear a recording with all words together; on a board that has no memory for that, with one after the other.

    Args:
        target: started.
        plans: name -> plan with its note.
        kernel: as of Listener.
        refractory_ms: as of Listener.
        samples: the recording.
        on_text: called with a line when the words do not fit together.

    Yields:
        What each round heard: one round, or one a word.

    Raises:
        ConfigError: the firmware refuses, for lack of memory a single word.
        TargetError: the board failed.
    """
    groups = [plans]
    try:
        listener = Listener(target, plans, kernel, refractory_ms)
    except ConfigError as error:
        if len(plans) == 1 or "memory" not in error.message:
            raise
        on_text(f"{target.name} has no memory for {len(plans)} words together: one after the other")
        listener = None
        groups = [{name: plan} for name, plan in plans.items()]
    for group in groups:
        listener = listener or Listener(target, group, kernel, refractory_ms)
        found = list(listener.hear(samples))
        yield listener.close(), found
        listener = None
