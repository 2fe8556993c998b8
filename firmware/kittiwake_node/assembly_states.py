"""Assembly of a channel that tells a machine's states, apart from the others': boards without one need not load it."""

from .detect.state_judge import StateJudge
from .detect.state_note import StateNote
from .detect.states import States
from .errors import ModelError
from .io import model_file
from .network import Header, Network


def make_states(kernel, channel, parts, clock, leave_out):
    """A channel that tells states; None where its network cannot run: the node goes on without it.

    Args:
        kernel: what `kernels.load` returned.
        channel: its settings.
        parts: what every channel of samples is made of, as detect.channel.Channel takes it.
        clock: io.clock.Clock.
        leave_out: as for assembly.make_channels.

    Returns:
        detect.states.States, or None. Allocates.
    """
    judge = _make_judge(kernel, channel, leave_out)
    return States(*parts, judge, clock) if judge else None


def _make_judge(kernel, channel, leave_out):
    """What tells a channel's states; None where its network cannot run: the node goes on without it.

    Args:
        kernel: what `kernels.load` returned.
        channel: its settings.
        leave_out: as for make_channels.

    Returns:
        detect.state_judge.StateJudge, or None. Allocates.
    """
    settings = channel["states"]
    path, plan = settings["model"], None
    try:
        plan = model_file.read_plan(path)
        Header(plan)
        note = StateNote(plan)
        judge = StateJudge(kernel, note, Network(plan, kernel), settings["blocks"], settings["margin"])
    except ModelError as error:
        leave_out("model %s is left out: %s" % (path, error), True)
        return None
    except MemoryError:
        plan = None
        leave_out("model %s is left out: memory: the heap has no room for it beside the node" % path, True)
        return None
    for name in settings["act"]:
        if name not in note.names:
            leave_out("channel %s acts on no %r: %s has no such state" % (channel["name"], name, path), False)
    return judge
