"""Explain what a microphone's channel listens for: its frames, each word's network, and the audio that it keeps.

Arithmetic on settings that the firmware has checked and on what plans say of themselves; runs no network.
"""

from __future__ import annotations

from collections.abc import Mapping

from kittiwake.explain.detectors import Explanation, Settings
from kittiwake.model import wake
from kittiwake.model.compiler import WEIGHT_LAYOUT_OF
from kittiwake.model.emit import kwm

RATE_HZ = 16000
FRAME_MS = 10
# What a board needs and does for a second of audio; tests hold these against the firmware.
RING_BYTES = 2 * RATE_HZ
SPARE_BYTES = 16384
PART_SAMPLES = 448


def explain_hearing(channel: Settings, plans: Mapping[str, bytes]) -> list[Explanation]:
    """Explain what a channel hears.

    Args:
        channel: of a checked node configuration: name, kind, summary_samples, hear.
        plans: file name -> content (.kwm), as far as they are at hand.

    Returns:
        One for the channel and one for each word whose plan is at hand; none for a channel that is no microphone.

    Raises:
        ConfigError: a plan is damaged, or of no wake word.
    """
    if channel["kind"] != "microphone":
        return []
    names = channel["hear"]["models"]
    words = [_word(channel, name, plans[name]) for name in names if name in plans]
    return [_channel(channel, [name for name in names if name not in plans]), *words]


def _channel(channel: Settings, absent: list[str]) -> Explanation:
    hear = channel["hear"]
    explanation = Explanation(channel["name"], "hearing", hear)
    facts, notes = explanation.facts, explanation.notes
    facts["summary_each_s"] = float(f"{channel['summary_samples'] / RATE_HZ:.4g}")
    if not hear["models"]:
        notes.append("no word is named under models: the channel only measures its level")
    else:
        facts["frames_of_features_a_second"] = 1000 // FRAME_MS
        facts["networks_work_for_ms_a_turn"] = hear["slice_us"] / 1000
        facts["silent_after_a_word_s"] = hear["refractory_ms"] / 1000
        notes.append("slice_us: a layer is never cut, so a turn of the loop is longer by up to one layer")
        notes.append("while networks work, audio waits in the source's ring; what finds it full is lost and counted")
        notes.append("refractory_ms: the same word is not told again for so long; other words are")
    if hear["audio"]:
        facts["audio_kept_s"] = 1
        facts["audio_heap_bytes"] = RING_BYTES
        facts["audio_records_a_word"] = -(-RATE_HZ // PART_SAMPLES)
        notes.append(
            f"audio: with less than {RING_BYTES + SPARE_BYTES} bytes of heap free at the start it is left out, with an "
            "event record, and words are heard without"
        )
        notes.append("audio: the second is journalled before its word, so what was said leaves the board")
    elif hear["models"]:
        notes.append("audio = false: no sound is kept or leaves the board, and no gateway can give a second opinion")
    notes += [f"{name} is not beside the configuration: what it listens for is not said here" for name in absent]
    return explanation


def _word(channel: Settings, name: str, plan: bytes) -> Explanation:
    header, note = kwm.read_header(plan), wake.read_note(plan, name)
    explanation = Explanation(channel["name"], f"word {note.name}", {"kind": "word", "model": name})
    output_ms = note.stride * FRAME_MS
    explanation.facts |= {
        "output_each_ms": output_ms,
        "outputs_in_the_mean": note.window,
        "mean_over_ms": note.window * output_ms,
        "mean_must_exceed": float(f"{note.limit / (256 * note.window):.4g}"),
        "plan_bytes": header.size,
        "state_bytes": header.state,
        "scratch_bytes_that_words_share": header.scratch,
    }
    kernels = [isa for isa, layout in WEIGHT_LAYOUT_OF.items() if layout == header.weight_layout]
    explanation.notes.append(f"runs by the kernels {', '.join(kernels)}; a board with others leaves the word out")
    explanation.notes.append("how often it hears what was not said depends on the room: try it with `kittiwake listen`")
    return explanation
