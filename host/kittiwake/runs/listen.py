"""Audio through the firmware's hearing on a target: detections, peaks, and what they cost.

The host only sends samples (or features) and reads decisions; it decides nothing.
"""

from __future__ import annotations

import base64
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from kittiwake import board_code
from kittiwake.errors import RefusedError, TargetError
from kittiwake.target import refusal
from kittiwake.target.base import Target

STEP_MS = 30
# What a step of 30 ms may cost: 40 % of an ESP32 core (240 MHz), 22 % of an STM32 at 168 MHz, 40 % of an ESP32-C3 at
# 160 MHz, at an instruction a cycle.
BUDGET_INSTRUCTIONS = {
    "viper": 2_900_000,
    "thumb2": 1_100_000,
    "dsp": 1_100_000,
    "rv32": 1_920_000,
    "xtensa": 2_900_000,
}
_FIRST_SAMPLES, _FRAME_SAMPLES, _RATE_HZ = 480, 160, 16000
_TIMEOUT_S = 300.0
_CHUNK_SAMPLES = 1600
_NO_MEMORY = "memory"  # the firmware's code


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
        RefusedError: by the firmware; its reason is the message.
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
        # Collecting often keeps what stays at the heap's beginning: plans need room in one piece.
        target.exec("import gc; gc.threshold(4096)")
        target.exec(board_code.source("runs/hearing"))
        files = [f"{name}.kwm" for name in plans]
        self._opening = board_code.call("open_hearing", kernel, files, refractory_ms, traced, not from_features)
        self.restart()

    def restart(self) -> None:
        """Begin anew, as if the board had just booted."""
        reply = refusal.raise_if_refused(self._target.exec(self._opening, _TIMEOUT_S), f"{self._target.name} refuses")
        self.session = Session(int(reply.split()[-1]), {name: bytearray() for name in self._names})
        self.session.counted = self._target.instructions() is not None
        for line in self._target.exec("print_hearing()").splitlines()[1:]:
            self._window[line.split()[0]] = int(line.split()[2])

    def hear(
        self, samples: array[int], chunk: int = _CHUNK_SAMPLES, on_progress: Callable[[int], None] = lambda done: None
    ) -> Iterator[Detection]:
        """Send samples and yield what is heard.

        Args:
            samples: array('h') at 16 kHz.
            chunk: samples at a time.
            on_progress: called with the samples done.
        """
        for start in range(0, len(samples), chunk):
            yield from self._send("hear_samples", samples[start : start + chunk].tobytes())
            on_progress(min(len(samples), start + chunk))

    def take(self, frames: Sequence[Sequence[int]], batch: int = 120) -> Iterator[Detection]:
        """Send features in place of samples, and yield what is heard.

        Args:
            frames: of 40 features each.
            batch: frames at a time.
        """
        for start in range(0, len(frames), batch):
            part = array("H", [value for frame in frames[start : start + batch] for value in frame])
            yield from self._send("hear_features", part.tobytes())

    def close(self) -> Session:
        """Ask for peaks and cost."""
        lines = self._target.exec("print_hearing()").split("\n")
        self.session.frames, self.session.spent = (int(word) for word in lines[0].split())
        for line in lines[1:]:
            if line.strip():
                name, peak, window = line.split()
                self.session.peaks[name] = int(peak) / (256 * int(window))
        return self.session

    def _send(self, function: str, content: bytes) -> Iterator[Detection]:
        text = base64.b64encode(content).decode()
        for line in self._target.exec(board_code.call(function, text), _TIMEOUT_S).splitlines():
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
    samples: array[int],
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
        RefusedError: by the firmware, for lack of memory a single word.
        TargetError: the board failed.
    """
    groups = [plans]
    listener: Listener | None = None
    try:
        listener = Listener(target, plans, kernel, refractory_ms)
    except RefusedError as error:
        if len(plans) == 1 or error.code != _NO_MEMORY:
            raise
        on_text(f"{target.name} has no memory for {len(plans)} words together: one after the other")
        groups = [{name: plan} for name, plan in plans.items()]
    for group in groups:
        listener = listener or Listener(target, group, kernel, refractory_ms)
        detections = list(listener.hear(samples))
        yield listener.close(), detections
        listener = None
