"""Runs compiled models (plans): integer networks as a list of kernel calls, one a layer, nothing allocated in between.

Must not know files, flash or what a network is for; kernels, plan and memory arrive as arguments. The plan's bytes are
described in docs/spec/model-plan.md.

Whole: `model.invoke(data, result)`. In slices, so that a poll loop can sample between layers:

    model.begin(data)
    while model.step():  # one layer a call
        ...
    model.finish(result)
"""

import binascii
import struct

from .errors import ModelError

if False:  # for mypy alone
    from kittiwake_types import Buffer, KernelFunction, KernelSet, Memory

VERSION = 1
HEADER_BYTES = 68
_MAGIC = b"KWMP"
_HEADER = "<4sHBBIIIIHHIIIIIBBHfifi"
_CRC_FROM = 16
# Which layout of the weights a set of kernels reads; the definition reads all.
LAYOUTS = ("rows", "quads", "pairs")
_READS = {"plain": (0, 1, 2), "viper": (0,), "thumb2": (1,), "rv32": (1,), "dsp": (2,), "xtensa": (0,)}
# By a step's kind, from 1: the stage of the kernels, and its function.
_ENTRIES = (
    ("conv", "conv"),
    ("depthwise", "depthwise"),
    ("shape", "shift"),
    ("copy", "copy"),
    ("shape", "fill"),
    ("table", "table"),
    ("table", "widen"),
    ("pointwise", "add"),
    ("pointwise", "mul"),
    ("pool", "average"),
    ("pool", "largest"),
    ("pool", "mean"),
    ("softmax", "softmax"),
    ("floats", "quantise"),
    ("recurrent", "dense16"),
    ("recurrent", "lstm"),
    ("matmul", "matmul"),
    ("recurrent", "svdf16"),
    ("logsoftmax", "log_softmax"),
)


class Header:
    """What a plan says of itself; makes sure that it is whole, and of this version.

    Args:
        plan: bytes, bytearray, or a memoryview of flash.

    Attributes:
        layout: name of the layout of its weights.
        scratch_bytes: RAM needed during an invoke; models that take turns may share it.
        state_bytes: RAM that belongs to this model.
        input_bytes, output_bytes: of one invoke.
        input_scale, input_zero_point, output_scale, output_zero_point: what a byte is worth.

    Raises:
        ModelError: "plan" (none), "version", "damaged".
    """

    scratch_bytes: int
    state_bytes: int
    step_count: int
    reset_count: int
    table: int
    input_ref: int
    input_bytes: int
    output_ref: int
    output_bytes: int
    input_scale: float
    input_zero_point: int
    output_scale: float
    output_zero_point: int

    def __init__(self, plan: "Buffer") -> None:
        if len(plan) < HEADER_BYTES or bytes(plan[:4]) != _MAGIC:
            raise ModelError("plan", "this is no model plan; make one with kittiwake model compile")
        fields = struct.unpack_from(_HEADER, plan)
        if fields[1] != VERSION:
            raise ModelError("version", "the plan has version %d, this firmware runs %d" % (fields[1], VERSION))
        if fields[4] != len(plan) or fields[5] != binascii.crc32(memoryview(plan)[_CRC_FROM:]):
            raise ModelError("damaged", "the plan's length or CRC is wrong; copy it again")
        if fields[2] >= len(LAYOUTS):
            raise ModelError("layout", "the plan's layout %d is unknown; compile it anew" % fields[2])
        self.layout = LAYOUTS[fields[2]]
        self.scratch_bytes, self.state_bytes, self.step_count, self.reset_count, self.table = fields[6:11]
        self.input_ref, self.input_bytes, self.output_ref, self.output_bytes = fields[11:15]
        self.input_scale, self.input_zero_point, self.output_scale, self.output_zero_point = fields[18:22]


class Scratch:
    """RAM that several models take turns in, one invoke after the other.

    Args:
        size: bytes; the largest Header.scratch_bytes of them.

    Attributes:
        data: bytearray.
        user: the Network whose invoke is under way, or None. Written by models only.

    Raises:
        ModelError: "memory". Allocates.
    """

    def __init__(self, size: int) -> None:
        try:
            self.data = bytearray(size)
        except MemoryError:
            raise ModelError("memory", "the scratch takes %d bytes in one piece" % size)
        self.user: "Network | None" = None


class Network:
    """A network, ready to run.

    Args:
        plan: bytes, bytearray, or a memoryview of flash (used where it lies; it must start at a multiple of 4).
        kernel: what `kernels.load` returned.
        scratch: Scratch that several models share; its own when None.

    Attributes:
        header: Header.

    Raises:
        ModelError: "plan", "version", "damaged", "layout" (compiled for other kernels), "aligned", "memory" (with the
            bytes needed), "step" (the plan is of a later compiler, or of int16 activations, for which a node has no
            kernels), "scratch" (what was given is too short). Allocates.
    """

    def __init__(self, plan: "Buffer", kernel: "KernelSet", scratch: "Scratch | None" = None) -> None:
        header = Header(plan)
        if LAYOUTS.index(header.layout) not in _READS.get(kernel.name, ()):
            raise ModelError(
                "layout",
                "the plan is for other kernels than %s; compile it with --target-isa %s" % ((kernel.name,) * 2),
            )
        if kernel.entry("shape", "address")(plan) & 3:
            raise ModelError("aligned", "the plan must start at a multiple of 4; align it in flash or load it into RAM")
        if scratch is not None and len(scratch.data) < header.scratch_bytes:
            raise ModelError("scratch", "%d bytes of scratch, it takes %d" % (len(scratch.data), header.scratch_bytes))
        self.header = header
        try:
            self._turns = Scratch(header.scratch_bytes) if scratch is None else scratch
            self._state = bytearray(header.state_bytes)
        except (MemoryError, ModelError):
            raise ModelError("memory", "it takes %d bytes" % (header.scratch_bytes + header.state_bytes))
        self._scratch = self._turns.data
        self._at = 0
        self._plan = plan
        calls = self._calls(kernel)
        self._steps = tuple(calls[: header.step_count])
        self._resets = tuple(calls[header.step_count :])
        self._put = kernel.entry("shape", "put")
        self._take = kernel.entry("shape", "take")
        self._input, self._input_at = self._find(header.input_ref)
        self._output, self._output_at = self._find(header.output_ref)
        self.reset()

    def _calls(self, kernel: "KernelSet") -> "list[tuple[KernelFunction, int]]":
        header = self.header
        calls = []
        entries: "tuple[tuple[str, str], ...]" = _ENTRIES
        for i in range(header.step_count + header.reset_count):
            kind, words, at = struct.unpack_from("<HHI", self._plan, header.table + 8 * i)
            if kind > len(entries):
                entries = _ENTRIES + kernel.halfword_entries()
            if not 1 <= kind <= len(entries) or at & 3 or at + 4 * words > len(self._plan):
                raise ModelError("step", "step %d of kind %d is unknown; update the firmware" % (i, kind))
            calls.append((kernel.entry(*entries[kind - 1]), at))
        return calls

    def _find(self, ref: int) -> tuple[bytearray, int]:
        space = ref >> 28
        if space > 1:
            raise ModelError("step", "an end of the network lies in the plan")
        return (self._scratch, self._state)[space], ref & 0xFFFFFFF

    def reset(self) -> None:
        """Put the state back to its beginning; gives up an invoke under way. Does not allocate with native kernels."""
        if self._turns.user is self:
            self._turns.user = None
        plan = self._plan
        scratch = self._scratch
        state = self._state
        for run, at in self._resets:
            run(at, plan, scratch, state)

    def invoke(self, data: "Buffer", result: "Memory") -> None:
        """Run the network once. Does not allocate with native kernels.

        Args:
            data: header.input_bytes bytes, in the model's own type, little-endian; read only.
            result: bytearray of at least header.output_bytes, which is written.

        Raises:
            ModelError: "input" or "output": a buffer has the wrong length; "busy": as begin.
        """
        if len(result) < self.header.output_bytes:
            raise ModelError("output", "%d bytes, it gives %d" % (len(result), self.header.output_bytes))
        self.begin(data)
        plan = self._plan
        scratch = self._scratch
        state = self._state
        for run, at in self._steps:
            run(at, plan, scratch, state)
        self._at = len(self._steps)
        self.finish(result)

    def begin(self, data: "Buffer") -> None:
        """Start an invoke that `step` carries on. Copies the input; does not allocate with native kernels.

        Args:
            data: as invoke.

        Raises:
            ModelError: "input": it has the wrong length; "busy": an invoke is under way, of this model or of another
                that shares its scratch.
        """
        if len(data) != self.header.input_bytes:
            raise ModelError("input", "%d bytes, it takes %d" % (len(data), self.header.input_bytes))
        if self._turns.user is not None:
            raise ModelError("busy", "an invoke is under way in this scratch; finish it, or reset its model")
        self._turns.user = self
        self._at = 0
        self._put(self._input, self._input_at, data, self.header.input_bytes)

    def step(self) -> int:
        """Run the next layer of the invoke under way. Does not allocate with native kernels.

        The longest layer bounds how long a caller is away; `kittiwake model info` estimates each one's instructions.

        Returns:
            How many are left; 0 when it is time for `finish`.

        Raises:
            ModelError: "idle": no invoke was begun.
        """
        if self._turns.user is not self:
            raise ModelError("idle", "no invoke is under way; begin one")
        steps = self._steps
        if self._at < len(steps):
            run, at = steps[self._at]
            run(at, self._plan, self._scratch, self._state)
            self._at += 1
        return len(steps) - self._at

    def finish(self, result: "Memory") -> None:
        """End an invoke whose layers have all run, and hand out its output. Does not allocate with native kernels.

        Args:
            result: as invoke.

        Raises:
            ModelError: "idle": no invoke was begun, or layers are left; "output": the buffer is too short.
        """
        if self._turns.user is not self or self._at < len(self._steps):
            raise ModelError("idle", "no invoke has run through; call step until it returns 0")
        if len(result) < self.header.output_bytes:
            raise ModelError("output", "%d bytes, it gives %d" % (len(result), self.header.output_bytes))
        self._take(result, self._output, self._output_at, self.header.output_bytes)
        self._turns.user = None
