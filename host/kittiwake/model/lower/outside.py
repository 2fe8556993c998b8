"""What the executor copies in before the first step and out behind the last: a run of bytes each.

Every function adds steps where a tensor cannot live there: work is the Lowering.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from kittiwake.model.lower import descriptors
from kittiwake.model.lower.context import Lowering
from kittiwake.model.lower.steps import STATE, Buffer, Ref, Step, View
from kittiwake.model.read.ends import End

_NAME = {True: "the input", False: "the output"}


def place_inputs(work: Lowering, ends: Sequence[End]) -> View:
    """Decide where the executor copies the inputs to: a place of their own where the model wants them in pieces.

    Args:
        work: the Lowering.
        ends: the inputs.

    Returns:
        The bytes of all of them.
    """
    if len(ends) == 1 and (home := work.home(ends[0].tensor.index)).is_contiguous:
        return home
    whole = _run(ends)
    for end in ends:
        index = end.tensor.index
        if len(ends) > 1 and index not in work.inside and index not in work.alias:
            work.views[index] = _within(whole, end)
        else:
            work.copy(_within(whole, end), work.home(index), _NAME[True])
    return whole


def place_outputs(work: Lowering, ends: Sequence[End]) -> View | None:
    """Have several outputs made where the executor copies them from.

    Args:
        work: the Lowering, its inputs placed.
        ends: the outputs.

    Returns:
        The bytes of all of them; None when there is one, which may lie anywhere.
    """
    if len(ends) == 1:
        return None
    whole = _run(ends)
    for end in ends:
        index = end.tensor.index
        elsewhere = (work.views, work.inside, work.alias, work.streams)
        if end.tensor.data is None and not any(index in places for places in elsewhere):
            work.views[index] = _within(whole, end)
    return whole


def collect_outputs(work: Lowering, ends: Sequence[End], whole: View | None) -> View:
    """Bring the outputs to where the executor copies them from, those that are not there.

    Args:
        work: the Lowering, all operators lowered.
        ends: the outputs.
        whole: as of `place_outputs`.

    Returns:
        The bytes of all of them.
    """
    if whole is None:
        value = work.contiguous(work.read(ends[0].tensor.index), _NAME[False])
        if value.buffer.kind != STATE:
            return value
        whole = View.fresh(value.shape, value.width)  # the shift at the end would move it
        work.copy(value, whole, _NAME[False])
        return whole
    for end in ends:
        work.copy(work.read(end.tensor.index), _within(whole, end), _NAME[False])
    for end, following in zip(ends, ends[1:], strict=False):
        gap = following.offset - end.stop
        if gap:  # else what an invoke gives would depend on what was there
            words = descriptors.words("fill", output=Ref(whole.buffer, end.stop), bytes=gap, value=0)
            work.steps.append(Step("fill", words, [], [whole.buffer], _NAME[False], outputs=gap))
    return whole


def _run(ends: Sequence[End]) -> View:
    return View.whole(Buffer(ends[-1].stop), (ends[-1].stop,))


def _within(whole: View, end: End) -> View:
    """The view of one end among all of them."""
    first = View.whole(whole.buffer, end.tensor.shape, end.tensor.width)
    return dataclasses.replace(first, offset=end.offset)
