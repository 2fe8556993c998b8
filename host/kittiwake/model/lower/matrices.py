"""BATCH_MATMUL: two matrices that are both computed, a kernel call for each pair of a batch.

Knows views and the kernel's descriptor.
"""

from __future__ import annotations

from itertools import product

from kittiwake.model.lower import descriptors, fixed
from kittiwake.model.lower.context import Lowering
from kittiwake.model.lower.steps import Ref, Step, View
from kittiwake.model.read import shapes
from kittiwake.model.read.graph import Operator


def batch_matmul(work: Lowering, op: Operator, name: str) -> None:
    """Lower a BATCH_MATMUL.

    Args:
        work: the Lowering; gets the steps.
        op: the operator.
        name: what to call its steps.
    """
    first, second, result = (work.tensor(index) for index in (*op.inputs, *op.outputs))
    home = work.home(result.index)  # first: what follows a refused operator is lowered, too
    rows, cols, inner = shapes.sides_of_product(work.graph.main, op)
    m, shift = fixed.quantize_multiplier(first.scale * second.scale / result.scale)
    if inner * 255 * 255 << max(shift, 0) >= 1 << 30:
        work.refuse(op, f"its sums of {inner} products reach 2^30")
        return
    batch = result.shape[:-2]
    a = _matrices(work.read(first.index), batch, op.options["adj_x"])
    b = _matrices(work.read(second.index), batch, not op.options["adj_y"])
    packed = work.contiguous_home(home)
    for number, place in enumerate(product(*map(range, batch))):
        at = [view.offset + sum(i * s for i, s in zip(place, view.strides, strict=False)) for view in (a, b)]
        words = descriptors.words(
            "matmul",
            a=Ref(a.buffer, at[0]),
            b=Ref(b.buffer, at[1]),
            output=Ref(packed.buffer, packed.offset + number * rows * cols),
            rows=rows,
            cols=cols,
            inner=inner,
            a_row=a.strides[-2],
            a_step=a.strides[-1],
            b_col=b.strides[-2],
            b_step=b.strides[-1],
            a_zero=first.zero_point + 128,
            b_zero=second.zero_point + 128,
            m=m,
            right=max(-shift, 0),
            left=max(shift, 0),
            zero=result.zero_point + 128,
        )
        macs = rows * cols * inner
        work.steps.append(
            Step("matmul", words, [a.buffer, b.buffer], [packed.buffer], name, macs=macs, outputs=rows * cols)
        )
    work.copy(packed, home, name)


def _matrices(view: View, batch: tuple[int, ...], is_turned: bool) -> View:
    """An operand as matrices whose rows are multiplied: turned about where its columns are, repeated over the batch."""
    shape, strides = list(view.shape), list(view.strides)
    if is_turned:
        shape[-2:], strides[-2:] = shape[:-3:-1], strides[:-3:-1]
    turned = view.turned(tuple(shape), tuple(strides))
    return turned.spread_over((*batch, *shape[-2:]))
