"""How often the loops of a kernel turn for a step: what its instructions are a sum of.

Knows descriptors and how kernels walk; no figure. Counts are of the loops that the kernels have, so that a sum of
figures times counts (cost_table.py) is an invoke's instructions on the emulated boards, to a few per cent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kittiwake.model.lower import descriptors, weights
from kittiwake.model.lower.steps import CONST, Ref, Step, Word

# How often each loop turns.
Counts = list[int]
_BLOCK = 4
_GROUP = 128  # products of 16x8 that are added up in one word


class _Words:
    """The words of a step by their names; of an address, the lowest bits. And the layout of the weights."""

    def __init__(self, step: Step, layout: str):
        self.layout = layout
        self._words = step.words
        self._places = descriptors.indexes(step.kind)

    def __call__(self, name: str, at: int = 0) -> int:
        return _number(self._words[self._places[name] + at])

    def several(self, name: str, count: int) -> list[int]:
        """A name that stands for several words."""
        return [self(name, at) for at in range(count)]


def _number(word: Word) -> int:
    if isinstance(word, Ref):
        return (0 if word.buffer.kind == CONST else word.buffer.place) + word.offset
    return word if isinstance(word, int) else 0


def of_step(step: Step, layout: str) -> Counts:
    """Count the turns of a step's loops.

    Args:
        step: of a program, its buffers placed; of any layout.
        layout: of the weights, as the kernels in question read them.

    Returns:
        1 for the call, and a number for each loop of its kernel.
    """
    if step.kind == "shift":
        return [1, *_shifted(step.words)]
    return [1, *_LOOPS[step.kind](_Words(step, layout))]


def _conv(w: _Words) -> Counts:
    rows, cols, outputs, inputs = w("rows"), w("cols"), w("outputs"), w("inputs")
    filled = weights.filled(inputs, w.layout, False)
    pixels = rows * cols
    gathered = pixels * w("segments")
    if w.layout == weights.ROWS:
        scaled = pixels * outputs
        return [
            *(rows, pixels, gathered, pixels * (inputs // 4 * 4), pixels * (inputs % 4), pixels * (filled - inputs)),
            *(scaled, scaled * (filled // 16), scaled * (filled % 16 // 8), scaled * w("wide")),
        ]
    blocks = -(-outputs // _BLOCK)
    both, one = rows * (cols // 2), rows * (cols % 2)
    # One pixel takes two blocks at a time.
    doubles, single = blocks // 2, blocks % 2
    is_gathered = w("segments") > 1
    moved = [gathered, pixels * inputs, gathered * (w("segment_bytes") % 4), 0, 0]
    if not is_gathered:
        moved = [0, 0, 0, both * inputs, one * inputs]
    return [
        *(rows, both, one, *moved, both * blocks, both * blocks * filled, one * doubles, one * doubles * filled),
        *(one * single, one * single * filled, pixels * outputs),
    ]


def _depthwise(w: _Words) -> Counts:
    rows, pixels, channels = w("rows"), w("rows") * w("cols"), w("channels")
    height, width = w("filter_height"), w("filter_width")
    outputs = pixels * channels
    if w.layout == weights.ROWS:
        return [
            *(rows, pixels, outputs, outputs * height, outputs * height * (width // 3)),
            *(outputs * height * (width % 3), outputs * w("wide")),
        ]
    blocks = pixels * -(-channels // _BLOCK)
    return [rows, pixels, blocks, blocks * height * width, pixels * (channels % _BLOCK), outputs]


def _conv16(w: _Words) -> Counts:
    pixels, gathered, filled = w("rows") * w("cols"), w("inputs"), w("filled")
    outputs = pixels * w("outputs")
    return [
        *(w("rows"), pixels, pixels * w("segments"), pixels * gathered, pixels * (filled - gathered)),
        *(outputs, outputs * -(-filled // _GROUP), outputs * (filled // 8)),
    ]


def _depthwise16(w: _Words) -> Counts:
    pixels, height = w("rows") * w("cols"), w("filter_height")
    outputs = pixels * w("channels")
    threes, rest = divmod(w("filter_width"), 3)
    return [w("rows"), pixels, outputs, outputs * height, outputs * height * threes, outputs * height * rest]


def _copy(w: _Words) -> Counts:
    sizes, source, target = w.several("sizes", 4), w.several("in_strides", 4), w.several("out_strides", 4)
    runs = sizes[0] * sizes[1] * sizes[2]
    size = sizes[3]
    if source[3] != 1 or target[3] != 1:
        return [sizes[0], sizes[0] * sizes[1], runs, 0, 0, 0, 0, runs * size]
    steps = [stride for n, *both in zip(sizes[:3], source, target, strict=False) if n > 1 for stride in both]
    aligned = runs
    if any(stride % 4 for stride in steps):
        aligned = runs // 4  # so many begin at a word on both ends, or about
    elif (w("input") | w("output")) % 4:
        aligned = 0
    apart = runs - aligned
    return [
        *(sizes[0], sizes[0] * sizes[1], runs, aligned * (size // 16)),
        *(aligned * (size % 16 // 4) + apart * (size // 4), aligned * int(size % 16 > 3), runs, runs * (size % 4)),
    ]


def _fill(w: _Words) -> Counts:
    size = w("bytes")
    if w("output") % 4:
        return [0, size // 4, size % 4]
    return [size // 16, size % 16 // 4, size % 4]


def _shifted(words: Sequence[Word]) -> Counts:
    moves = int(_number(words[0]))
    fast = rest = slow = 0
    for move in range(moves):
        target, source, size = (_number(word) for word in words[1 + 3 * move : 4 + 3 * move])
        if (target | source | size) % 4:
            slow += size
        else:
            fast, rest = fast + size // 32, rest + size % 32 // 4
    return [moves, fast, rest, slow]


def _table(w: _Words) -> Counts:
    return [w("rows"), w("rows") * w("row_bytes")]


def _run(name: str) -> Callable[[_Words], Counts]:
    return lambda w: [w(name)]


def _pairs(w: _Words) -> Counts:
    sizes = w.several("sizes", 4)
    runs = sizes[0] * sizes[1] * sizes[2]
    return [sizes[0], sizes[0] * sizes[1], runs, runs * sizes[3]]


def _pool(w: _Words, joins: bool = True) -> Counts:
    down = _windows(w("rows"), w("stride_down"), w("pad_above"), w("filter_height"), w("height"))
    across = _windows(w("cols"), w("stride_across"), w("pad_left"), w("filter_width"), w("width"))
    channels, runs, seen = w("channels"), 0, 0
    for tall in down:
        for wide in across:
            runs += 1 if joins and wide * w("in_col") == w("in_row") else tall
            seen += tall * wide
    outputs = len(down) * len(across) * channels
    return [len(down), len(down) * len(across), outputs, runs * channels, seen * channels]


def _pool16(w: _Words) -> Counts:
    *walk, seen = _pool(w, joins=False)
    averages = w("averages")
    return [*walk, seen * averages, seen * (1 - averages), walk[2] * averages]


def _windows(outputs: int, stride: int, before: int, filter_: int, size: int) -> list[int]:
    return [min(size, at * stride - before + filter_) - max(0, at * stride - before) for at in range(outputs)]


def _mean(w: _Words) -> Counts:
    kept, joined = w.several("kept_sizes", 3), w.several("joined_sizes", 3)
    outputs = kept[0] * kept[1] * kept[2]
    runs = outputs * joined[0] * joined[1]
    return [kept[0] * kept[1], outputs, outputs * joined[0], runs, runs * joined[2]]


def _softmax(w: _Words) -> Counts:
    return [w("rows"), w("rows") * w("classes")]


def _dense16(w: _Words) -> Counts:
    cols, inputs, filled = w("cols"), w("inputs"), w("filled")
    outputs = cols * w("outputs")
    return [cols, cols * inputs, cols * (filled - inputs), outputs, outputs * (filled // 8), outputs * w("wide")]


def _svdf16(w: _Words) -> Counts:
    features = w("units") * w("rank")
    return [w("units"), features, features * w("memory")]


def _matmul(w: _Words) -> Counts:
    rows, cols = w("rows"), w("cols")
    return [rows, rows * cols, rows * cols * w("inner")]


_LOOPS: dict[str, Callable[[_Words], Counts]] = {
    "conv": _conv,
    "depthwise": _depthwise,
    "copy": _copy,
    "fill": _fill,
    "table": _table,
    "widen": _run("count"),
    "add": _pairs,
    "mul": _pairs,
    "average": _pool,
    "largest": _pool,
    "mean": _mean,
    "softmax": _softmax,
    "log_softmax": _softmax,
    "quantise": _run("count"),
    "dense16": _dense16,
    "lstm": _run("units"),
    "matmul": _matmul,
    "svdf16": _svdf16,
    "conv16": _conv16,
    "depthwise16": _depthwise16,
    "add16": _pairs,
    "mul16": _pairs,
    "rescale16": _run("count"),
    "pool16": _pool16,
    "mean16": _mean,
    "curve16": _run("count"),
    "softmax16": _softmax,
    "quantise16": _run("count"),
    "widen16": _run("count"),
}
