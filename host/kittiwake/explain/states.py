"""Explain what a channel of kind `states` tells: its blocks, how long a change takes, and its network.

Arithmetic on settings that the firmware has checked and on what the plan says of itself; runs no network.
"""

from __future__ import annotations

from collections.abc import Mapping

from kittiwake.explain.detectors import Explanation, Settings
from kittiwake.model import states
from kittiwake.model.compiler import WEIGHT_LAYOUT_OF
from kittiwake.model.emit import kwm


def explain_states(channel: Settings, plans: Mapping[str, bytes]) -> list[Explanation]:
    """Explain the states that a channel tells.

    Args:
        channel: of a checked node configuration: name, kind, rate_hz, states.
        plans: file name -> content (.kwm), as far as they are at hand.

    Returns:
        One, or none for a channel that tells no states.

    Raises:
        ConfigError: the plan is damaged, or tells no states.
    """
    if channel["kind"] != "states":
        return []
    settings, rate_hz = channel["states"], channel["rate_hz"]
    name = settings["model"]
    explanation = Explanation(channel["name"], "states", settings)
    facts, notes = explanation.facts, explanation.notes
    facts["network_works_for_ms_a_turn"] = settings["slice_us"] / 1000
    notes.append("margin: a state that is told with less ahead of the one that holds begins its count anew")
    if name not in plans:
        notes.append(f"{name} is not beside the configuration: which states there are is not said here")
        return [explanation]
    header, note = kwm.read_header(plans[name]), states.read_note(plans[name], name)
    facts["states"] = len(note.names)
    facts["samples_of_a_block"] = note.block
    if rate_hz:
        facts["block_s"] = float(f"{note.block / rate_hz:.4g}")
        # A change in the middle of a block may spoil that block.
        facts["told_after_s_at_most"] = float(f"{(settings['blocks'] + 1) * note.block / rate_hz:.4g}")
    facts |= {"plan_bytes": header.size, "scratch_bytes": header.scratch, "state_bytes": header.state}
    kernels = [isa for isa, layout in WEIGHT_LAYOUT_OF.items() if layout == header.weight_layout]
    notes.append(f"runs by the kernels {', '.join(kernels)}; a board with others leaves it out")
    notes.append(f"states: {', '.join(note.names)}")
    notes += [f"act: {name} has no state {each!r}" for each in settings["act"] if each not in note.names]
    return [explanation]
