"""The hot loops, one file for each instruction set and stage, all with the same functions and the same state.

This package knows words in arrays; it must not know records, channels, clocks or pins.

A kernel set is chosen by name: `load("viper").part("zscore")` is the module `viper_zscore`, or an error. Another set
comes in its place by `load_or_viper` alone, for a board that refuses the native modules of `xtensa`. `plain` is the
readable definition and runs anywhere (its products exceed the small integers of a 32-bit board, so there it allocates);
`viper` and the sets of one instruction set never allocate and may run in an interrupt. `thumb2`, `dsp`, `rv32` and
`xtensa` are generated from the sources in firmware/assembler.

## State layout

The one description of it; viper files repeat the numbers that they use, because an imported name is no constant to that
emitter, and assembler sources name them in firmware/assembler/layout. Every word is at least 0 and below 2^30 between
calls, so that a 32-bit MicroPython reads it as a small integer and viper's `ptr32` loads it alike on 32- and 64-bit
machines.

Samples are kept as u = x + 2^15 (16-bit containers) or u = x + 2^23 (24-bit samples), which is never negative. Moving
all samples by a constant changes neither D nor V, below.

### zscore: `find(state, ring, buf) -> index`

state is array('i') of 15 words, ring is array('H') of n (array('i') when samples have more than 16 bits), buf is
array('h') (array('i')). Slots that no sample has reached yet hold u of x = 0, so they add nothing to S and Q.

     0 N      window length
     1 POS    slot of the oldest sample, the next to be overwritten
     2 COUNT  samples in the window, 0 .. N
     3 S0     sum of u over the ring, low 26 bits
     4 S1     the rest of it (0 for 16-bit samples)
     5 V0     V = N·Q - S², low 14 bits
     6 V1     V, bits 14 to 43
     7 V2     V, bits from 44
     8 A      q²·(N - 1) / g with g = gcd(q²·(N - 1), p²·N)
     9 B      p²·N / g; a sample is anomalous exactly when A·D² > B·V, with D = N·x - S
    10 KR     kappa + (f << 11), the bound by which viper rejects cheaply: see viper_zscore
    11 F0     lagged form: least V, low 14 bits (N·(N - 1)·floor)
    12 F1     lagged form: least V, bits from 14
    13 START  first index of buf to feed; set before each call. After an anomaly of the lagged form, u of the sample
              that the anomalous one displaced
    14 STOP   index after the last to feed; set before each call

The call feeds buf[START:STOP] up to and including the first anomalous sample, and returns its index, or STOP. The
stages `zscore`, `lagged` (each sample against the N before it) and `wide` (more than 16 bits; `find`, `find_lagged`)
share it.

### summary: `feed(state, buf)`

state is array('i') of 10 words.

     0 COUNT   samples
     1 LOW     smallest u
     2 HIGH    largest u
     3 S0      sum of u, low 30 bits
     4 S1      sum of u, from bit 30
     5 Q0      sum of x², low 15 bits
     6 Q1      sum of x², bits 15 to 44
     7 Q2      sum of x², from bit 45
     8 START   first index of buf to feed
     9 STOP    index after the last; at most START + 16384

### drift: `find(state, buf, start, stop) -> index`

state is array('i') of 15 words. F and M are the means (Q16, kept as F + 2^31), V the variance (Q16 of LSB²).

     0 COUNT    samples so far, at most 2^29
     1 HOLD     silent samples to come
     2 F1, 3 F0   fast mean, high and low 16 bits
     4 M1, 8 M0   slow mean, high and low 16 bits
     5 V0, 6 V1, 7 V2   V as in zscore
     9 SHIFTS   fast + (slow << 8)
    10 PQ       p + (q << 8)
    11 KR       kappa + (f << 11), kappa >= q/p·2^f: see viper_drift
    12 WARMUP   samples before the first test
    13 HOLDOFF  silent samples after a detection
    14 FLOOR    least variance, LSB²

### novelty: `find(state, buf, start, stop) -> index, or -1 - index`

state is array('H') of 64 halves (low half first where a value takes two), 128 bytes with the settings.

     0 COUNT (2)  samples so far, at most 2^29     18 BINS4     the last four bins, newest in the low nibble
     2 F (2), 4 M (2)   means, as in drift         19 BINS8     the four before them
     6 HOLD       silent samples to come           20 SEEN      bins visited, a bit each
     7 SCALE      log2 of a bin's width            21 .. 31     BASE LEAST STEP MOST HOLDOFF NEW_LEVEL NEW_STEP
     8 ORIGIN (2) of the bins, LSB + 2^18                       LEARNING WARMUP SHIFTS FADE: the settings
    10 V0 (2), 12 V1 (2), 14 V2 (2)   V            32 .. 47     AFTER4: row = bin four samples ago, bit = bin now
    16 BOOST (2) of the threshold, Q16             48 .. 63     AFTER8: the same over eight samples

A sample outside the bins is answered with -1 - index, unfed; detect.novelty widens the bins and calls again.

### ring: `keep(state, ring, buf)` and `cross(state, buf)`

keep: state is array('i') of LEN, POS (next slot), START, STOP; ring is array('h') of LEN samples.
cross: state is array('i') of LEVEL (u), SIDE (1 when the last sample was at it or above), START, STOP, COUNT.

### clip: `count(state, buf) -> samples`

state is array('i') of LOW (u), HIGH (u), START, STOP.

### wake: `quantise(features, table, out, at)`

features is array('H') of 40, table bytearray of 671; out[at:at + 40] is written.

### block: `total(buf, count)` and `quantise(state, buf, out)`

state is array('i') of COUNT, MEAN (u), MULTIPLIER (below 2^13), SHIFT (from 1), ZERO (zero point + 128); buf is
array('h') of COUNT, out bytearray of COUNT.

### networks: `conv`, `depthwise`, `copy`, … (at, plan, scratch, state)

`at` is the offset of the layer's descriptor in the plan; docs/spec/model-plan.md has the words.
"""

import sys

from ..errors import ConfigError

if False:  # for mypy alone
    from types import ModuleType

    from kittiwake_types import KernelFunction

SETS = ("plain", "viper", "thumb2", "rv32", "dsp", "xtensa")
# What is seldom run, and stages of networks without inner products: written once, in viper, for all native sets.
_SHARED = "block clip wake shape copy table pointwise pool softmax logsoftmax floats recurrent matmul".split()
_SHARED += "conv16 pointwise16 pool16 curve16 floats16".split()
# By set, the stages that it has in viper alone.
_IN_VIPER = {"thumb2": _SHARED, "rv32": _SHARED, "xtensa": _SHARED + ["wide"]}


class Kernel:
    """One set of kernels; its parts are imported when asked for, so that a board holds only the code it uses.

    Args:
        name: one of SETS.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def part(self, stage: str) -> "ModuleType":
        """Import the kernels of one stage.

        Args:
            stage: "zscore", "lagged", "wide", "summary", "drift", "novelty", "ring", "clip", "block" or "wake"; of
                audio "spectrum", "fft", "mel" or "features"; of networks "conv", "depthwise", "shape", "copy", "table",
                "pointwise", "pool", "softmax", "logsoftmax", "floats", "recurrent" or "matmul"; of int16 activations
                "conv16", "pointwise16", "pool16", "curve16" or "floats16".

        Returns:
            The module with that stage's functions.

        Raises:
            ConfigError: "kernel" when this set cannot run on this machine or lacks the stage. Allocates.
        """
        if self.name != "plain" and sys.implementation.name != "micropython":
            raise ConfigError(
                "kernel", "kernel %r needs MicroPython; this is %s" % (self.name, sys.implementation.name)
            )
        module = "%s_%s" % (_written_in(self.name, stage), stage)
        try:
            package = __import__("kittiwake_node.kernels." + module, None, None, (module,))
        # A missing emitter is a SyntaxError, another architecture's .mpy a ValueError, CPython has no `micropython`.
        except (ImportError, SyntaxError, ValueError) as error:
            raise ConfigError(
                "kernel",
                "kernel %r has no %s for this machine (%s): %s"
                % (self.name, stage, getattr(sys.implementation, "_machine", sys.implementation.name), error),
            )
        return package

    def entry(self, stage: str, name: str) -> "KernelFunction":
        """Return one function of a stage.

        Args:
            stage: as for `part`.
            name: the function's name, e.g. "find_wide".

        Raises:
            ConfigError: "kernel" when this set has no such function. Allocates.
        """
        function: "KernelFunction | None" = getattr(self.part(stage), name, None)
        if function is None:
            raise ConfigError("kernel", "kernel %r has no %s of %s" % (self.name, name, stage))
        return function

    def halfword_entries(self) -> "tuple[tuple[str, str], ...]":
        """Return stage and function of each kind of step of int16 activations, in their order; none where a node is."""
        try:
            from .entries16 import ENTRIES
        except ImportError:
            return ()
        return ENTRIES


def _written_in(name: str, stage: str) -> str:
    """The set in which a stage of a set is written: `dsp` is `thumb2` with dense layers of its own."""
    if name == "dsp" and stage != "conv":
        name = "thumb2"
    return "viper" if stage in _IN_VIPER.get(name, ()) else name


def load(name: str) -> "Kernel":
    """Choose a set of kernels by name; there is no fallback.

    Args:
        name: one of SETS.

    Returns:
        A Kernel.

    Raises:
        ConfigError: "kernel" when the name is unknown or the set cannot run on this machine. Allocates.
    """
    if name not in SETS:
        raise ConfigError("kernel", "%r is none of %s" % (name, ", ".join(SETS)))
    kernel = Kernel(name)
    kernel.part("summary")  # the smallest part, which every node uses: a set that cannot run is refused here
    return kernel


def load_or_viper(name: str) -> "Kernel":
    """As `load`, but a board that refuses the native modules of `xtensa`, or was not given them, gets `viper`.

    For a node, which had better run more slowly than not at all; what measures and compares kernels uses `load`.

    Args:
        name: one of SETS.

    Returns:
        A Kernel, whose name tells which it is.

    Raises:
        ConfigError: as of `load`. Allocates.
    """
    if name == "xtensa":
        try:
            return load(name)
        except ConfigError:
            name = "viper"
    return load(name)
