"""Keywords from plans: one scratch for all networks, which take turns in it.

Must not know where plans lie or what a detection leads to.
"""

from ..model.executor import Header, Model, Scratch
from .keyword import Keyword
from .note import Note


def make(kernel, plans, refractory_ms):
    """Make the words that listen.

    Args:
        kernel: what `kernels.load` returned.
        plans: list of plans (.kwm) with a note each, as model.executor.Model takes them.
        refractory_ms: after a detection a word is not heard again for this long.

    Returns:
        A list of Keyword.

    Raises:
        ModelError: a plan cannot run, is of no wake word, or does not match the front end. Allocates.
    """
    notes = [Note(plan) for plan in plans]
    scratch = Scratch(max([Header(plan).scratch_bytes for plan in plans] + [0]))
    return [Keyword(note, Model(plan, kernel, scratch), refractory_ms) for note, plan in zip(notes, plans)]
