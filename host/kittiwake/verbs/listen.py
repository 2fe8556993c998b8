"""`kittiwake listen`: a recording through the firmware's hearing."""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Annotated

import typer

_NAMES = "A wake word: one that was added, one of pymicro-wakeword's four, or a microWakeWord .json. Repeatable; all."


def listen(
    file: Annotated[Path | None, typer.Argument(help="A WAV file: 16 kHz, mono, 16 bits.")] = None,
    mic: Annotated[bool, typer.Option("--mic", help="Listen to this computer's microphone (extra: mic).")] = False,
    seconds: Annotated[float, typer.Option(help="How long --mic listens.", min=1, max=86400)] = 10,
    meter: Annotated[bool, typer.Option("--meter", help="Level, offset, clipping, dead: a line a second.")] = False,
    model: Annotated[list[str] | None, typer.Option("--model", help=_NAMES)] = None,
    target: Annotated[str, typer.Option(help="Where the firmware runs; see kittiwake targets.")] = "unix",
    kernel: Annotated[str | None, typer.Option(help="Which kernels; the target's fastest when not given.")] = None,
    refractory_ms: Annotated[int, typer.Option(help="Silence after a detection.", min=0, max=60000)] = 2000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines, for machines.")] = False,
) -> None:
    """Run a recording through the firmware on a target and print what it hears."""
    from kittiwake import audio, cli
    from kittiwake import listen as work
    from kittiwake.errors import UsageError
    from kittiwake.model import wake
    from kittiwake.verbs.model import _fastest, _opened

    if (file is None) != mic:
        raise UsageError("either a file or --mic", "name a WAV file: kittiwake listen speech.wav")
    if mic and meter:
        samples = array("h")
        for piece in work.microphone(seconds):
            samples += piece
    elif not mic:
        samples = audio.read_wav(file)
    if meter:
        _show_levels(samples, target, kernel, as_json)
        return
    names = model or wake.known()
    if not names:
        raise UsageError("no wake word is here", "install kittiwake[wake], or kittiwake model add FILE.json")
    words = {word.name: word for word in map(wake.find, names)}
    sessions = []
    with _opened(target) as board:
        chosen = kernel or _fastest(board)
        plans = {name: wake.compile_word(word, chosen) for name, word in words.items()}
        if mic:
            listener = work.Listener(board, plans, chosen, refractory_ms)
            for piece in work.microphone(seconds):
                _print_found(listener.hear(piece), as_json)
            sessions.append(listener.close())
        else:
            for session, found in work.rounds(board, plans, chosen, refractory_ms, samples, cli.progress):
                _print_found(found, as_json)
                sessions.append(session)
    session = sessions[0]
    unit, budget = ("us", work.STEP_MS * 1000)
    if session.counted:
        unit, budget = "instructions", work.BUDGET_INSTRUCTIONS.get(chosen)
    peaks = {name: peak for each in sessions for name, peak in each.peaks.items()}
    if as_json:
        facts = {
            "peaks": peaks,
            "together": len(sessions) == 1,
            "frames": session.frames,
            "target": target,
            "kernel": chosen,
        }
        facts |= {f"{unit}_per_30_ms": round(session.per_step), "budget": budget, "heap_bytes": session.heap_bytes}
        cli.print_json(facts)
        return
    told = ", ".join(f"{name} {peak:.3f}" for name, peak in peaks.items())
    share = f" ({session.per_step / budget:.0%} of {budget:,})" if budget else ""
    print(f"peaks: {told}; {session.frames} frames; {session.per_step:,.0f} {unit} per 30 ms{share} by {chosen}")


def _show_levels(samples: array, target: str, kernel: str | None, as_json: bool) -> None:
    from dataclasses import asdict

    from kittiwake import cli
    from kittiwake import listen as work
    from kittiwake.verbs.model import _fastest, _opened

    with _opened(target) as board:
        for each in work.levels(board, samples, kernel or _fastest(board)):
            if as_json:
                cli.print_json(asdict(each))
                continue
            clipped = f"{each.clipped_ppm / 10000:.2f} %"
            dead = "  dead" if each.is_dead else ""
            print(f"{each.second:>5} s  level {each.level:>6}  offset {each.offset:>6}  clipped {clipped}{dead}")


def _print_found(found, as_json: bool) -> None:
    from kittiwake import cli

    for each in found:
        if as_json:
            cli.print_json({"model": each.model, "time_s": each.time_s, "probability": each.probability})
        else:
            print(f"{each.model:<20} {each.time_s:>8.2f} s  probability {each.probability:.3f}", flush=True)
