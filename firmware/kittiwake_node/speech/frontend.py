"""The audio front end: PCM at 16 kHz in, 40 features every 10 ms out (docs/explanation/hearing.md).

Bit for bit what TensorFlow's microfrontend gives with microWakeWord's constants. Must not know where audio comes from
or what listens. The constructor allocates 8 KiB; nothing else does, with native kernels.
"""

import array

from . import tables

if False:  # for mypy alone
    from kittiwake_types import KernelSet, Samples

WINDOW_SAMPLES = 480
STEP_SAMPLES = 160
FEATURES = 40


class Frontend:
    """The front end of one stream of audio.

    Args:
        kernel: what `kernels.load` returned.

    Attributes:
        features: array('H') of 40, of the newest frame: 25.6 a unit of the features that models are trained on.
    """

    def __init__(self, kernel: "KernelSet") -> None:
        spectrum = kernel.part("spectrum")
        self._put, self._window, self._scale = spectrum.put, spectrum.window, spectrum.scale
        self._transform = kernel.part("fft").transform
        self._energies = spectrum.energies
        self._channels = kernel.part("mel").channels
        self._finish = kernel.part("features").finish
        self.features = array.array("H", bytes(2 * FEATURES))
        self._pcm = array.array("h", bytes(2 * WINDOW_SAMPLES))
        self._energy = array.array("i", bytes(4 * 256))
        self._z = array.array("h", bytes(4 * 256))
        self._signal = array.array("i", bytes(4 * (FEATURES + 1)))
        self._noise = array.array("i", bytes(4 * FEATURES))
        self._shape = array.array("H", tables.WINDOW)
        self._sine = _full_circle(array.array("h", tables.SINE))
        self._bank = bytes([tables.FIRST_BIN]) + tables.WIDTHS + tables.WEIGHTS
        self._tables = tables.LOGS + tables.GAINS
        self.reset()

    def reset(self) -> None:
        """Begin as new. Does not allocate."""
        self._head = 0  # place of the oldest sample, where the next goes
        self._wanted = WINDOW_SAMPLES  # samples that complete the next frame
        for i in range(FEATURES):
            self._noise[i] = 0

    def feed(self, buf: "Samples", start: int, stop: int) -> int:
        """Take buf[start:stop], but no further than the end of a frame.

        Args:
            buf: array('h'); read only.
            start: index of the first sample, 0 or more.
            stop: index after the last sample, start <= stop <= len(buf).

        Returns:
            Index up to which samples were taken. A frame is complete, and its `features` there, exactly when it is the
            WINDOW_SAMPLES-th since the start, and each STEP_SAMPLES-th from there on.
        """
        count = min(stop - start, self._wanted)
        self._put(self._pcm, buf, start, self._head | count << 9)
        self._head = (self._head + count) % WINDOW_SAMPLES
        self._wanted -= count
        if not self._wanted:
            self._wanted = STEP_SAMPLES
            self._frame()
        return start + count

    def _frame(self) -> None:
        shift = self._window(self._pcm, self._head, self._shape, self._z)
        self._scale(self._z, shift)
        self._transform(self._z, self._sine)
        self._energies(self._z, self._sine, self._energy)
        self._channels(self._energy, self._bank, self._signal, shift)
        self._finish(self._signal, self._noise, self._tables, self.features)


def _full_circle(quarter: "Samples") -> "Samples":
    """A sine of 512 steps a turn, and a quarter more for cosines, from the first 129 of them."""
    sine = array.array("h", bytes(2 * 640))
    for j in range(640):
        side = j % 256
        value = quarter[side] if side <= 128 else quarter[256 - side]
        sine[j] = value if j % 512 < 256 else -value
    return sine
