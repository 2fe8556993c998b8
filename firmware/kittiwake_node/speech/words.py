"""Keywords from plans: one scratch for all networks, which take turns in it.

Must not know where plans lie or what a detection leads to.
"""

from ..errors import ModelError
from ..network import Header, Network, Scratch
from .keyword import Keyword
from .note import Note

if False:  # for mypy alone
    from collections.abc import Callable

    from kittiwake_types import Buffer, KernelSet


def make(
    kernel: "KernelSet",
    plans: "list[Buffer]",
    refractory_ms: int,
    refuse: "Callable[[int, ModelError], object] | None" = None,
) -> "list[Keyword]":
    """Make the words that listen.

    Args:
        kernel: what `kernels.load` returned.
        plans: list of plans (.kwm) with a note each, as network.Network takes them.
        refractory_ms: after a detection a word is not heard again for this long.
        refuse: called as refuse(place in plans, ModelError) for a plan that `check` passes and that cannot run here: it
            is left out. When None, the error is raised.

    Returns:
        A list of Keyword.

    Raises:
        ModelError: a plan cannot run, is of no wake word, or does not match the front end. Allocates.
    """
    scratch, words = None, []
    for place, plan in enumerate(plans):
        try:
            if scratch is None:
                scratch = Scratch(max([Header(each).scratch_bytes for each in plans]))
            words.append(Keyword(Note(plan), Network(plan, kernel, scratch), refractory_ms))
        except ModelError as error:
            if refuse is None:
                raise
            refuse(place, error)
    return words


def check(plan: "Buffer") -> None:
    """Make sure that a plan is whole, of this version and of a wake word.

    Raises:
        ModelError: as make. Allocates little.
    """
    Header(plan)
    Note(plan)
