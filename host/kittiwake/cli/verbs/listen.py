"""`kittiwake listen`: a recording, or a microphone, through the firmware's hearing."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kittiwake.cli import board_options
from kittiwake.cli.output import print_json, progress

if TYPE_CHECKING:
    from kittiwake.runs.listen import Detection
    from kittiwake.target import Target

_NAMES = "A wake word: one that was added, one of pymicro-wakeword's four, or a microWakeWord .json. Repeatable; all."


def listen(
    file: Annotated[Path | None, typer.Argument(help="A WAV file: 16 kHz, mono, 16 bits.")] = None,
    mic: Annotated[bool, typer.Option("--mic", help="Listen to this computer's microphone (extra: mic).")] = False,
    channel: Annotated[str, typer.Option(help="The target's own microphone: a channel of its configuration.")] = "",
    config: Annotated[
        Path | None, typer.Option("-c", "--config", help="With --channel: a node's configuration, not the board's.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long --mic or --channel listens.", min=1, max=86400)] = 10,
    meter: Annotated[bool, typer.Option("--meter", help="Level, offset, clipping, dead: a line a second.")] = False,
    model: Annotated[list[str] | None, typer.Option("--model", help=_NAMES)] = None,
    target: Annotated[str, typer.Option(help="Where the firmware runs; see kittiwake targets.")] = "unix",
    kernel: Annotated[str | None, typer.Option(help="Which kernels; the target's fastest when not given.")] = None,
    refractory_ms: Annotated[int, typer.Option(help="Silence after a detection.", min=0, max=60000)] = 2000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines, for machines.")] = False,
) -> None:
    """Run a recording through the firmware on a target and print what it hears."""
    from kittiwake.deploy import application
    from kittiwake.errors import UsageError
    from kittiwake.model import wake
    from kittiwake.runs import listen as work
    from kittiwake.signals import microphone, wav

    if (file is not None) + mic + bool(channel) != 1:
        raise UsageError("one of a file, --mic and --channel", "name a WAV file: kittiwake listen speech.wav")
    samples = wav.read_wav(file) if file else array("h")
    if mic and meter:
        for piece in microphone.pieces(seconds):
            samples += piece
    names = model or wake.known()
    if not names and not meter:
        raise UsageError("no wake word is here", "install kittiwake[wake], or kittiwake model add FILE.json")
    words = {} if meter else {word.name: word for word in map(wake.find, names)}
    sessions = []
    with board_options.opened(target) as board, application.given_back(board) if channel else nullcontext():
        if channel:
            samples = _of_channel(board, channel, config, seconds)
        isa = kernel or board_options.fastest_kernel(board)
        if meter:
            _show_levels(board, samples, isa, as_json)
            return
        plans = {name: wake.compile_word(word, isa) for name, word in words.items()}
        if mic:
            listener = work.Listener(board, plans, isa, refractory_ms)
            for piece in microphone.pieces(seconds):
                _print_detections(listener.hear(piece), as_json)
            sessions.append(listener.close())
        else:
            for session, detections in work.rounds(board, plans, isa, refractory_ms, samples, progress):
                _print_detections(detections, as_json)
                sessions.append(session)
    session = sessions[0]
    unit = "instructions" if session.counted else "us"
    budget = work.BUDGET_INSTRUCTIONS.get(isa) if session.counted else work.STEP_MS * 1000
    peaks = {name: peak for each in sessions for name, peak in each.peaks.items()}
    if as_json:
        facts = {
            "peaks": peaks,
            "together": len(sessions) == 1,
            "frames": session.frames,
            "target": target,
            "kernel": isa,
        }
        facts |= {f"{unit}_per_30_ms": round(session.per_step), "budget": budget, "heap_bytes": session.heap_bytes}
        print_json(facts)
        return
    listed = ", ".join(f"{name} {peak:.3f}" for name, peak in peaks.items())
    share = f" ({session.per_step / budget:.0%} of {budget:,})" if budget else ""
    print(f"peaks: {listed}; {session.frames} frames; {session.per_step:,.0f} {unit} per 30 ms{share} by {isa}")


def _of_channel(board: Target, channel: str, config: Path | None, seconds: float) -> array[int]:
    """What the board's own microphone hears."""
    from kittiwake.deploy import application
    from kittiwake.errors import ConfigError, KittiwakeError, UsageError
    from kittiwake.runs import record
    from kittiwake.signals import wav
    from kittiwake.target import node_config

    configuration = application.find(board).config if config is None else node_config.read(config)
    if configuration is None:
        raise UsageError("the board has no configuration", "give one with --config")
    progress(f"recording {seconds:g} s of channel {channel}")
    recording = record.record(board, configuration, channel, seconds)
    if recording.rate_hz != wav.RATE_HZ:
        raise ConfigError(
            f"channel {recording.channel} has {recording.rate_hz} samples a second", "name a microphone's"
        )
    if not recording.is_whole:
        if not recording.samples:
            raise KittiwakeError(f"nothing was heard: {recording.why}")
        progress(f"{len(recording.samples) / wav.RATE_HZ:.1f} s: {recording.why}")
    return recording.samples


def _show_levels(board: Target, samples: array[int], kernel: str, as_json: bool) -> None:
    from dataclasses import asdict

    from kittiwake.runs import meter

    for each in meter.levels(board, samples, kernel):
        if as_json:
            print_json(asdict(each))
            continue
        clipped = f"{each.clipped_ppm / 10000:.2f} %"
        dead = "  dead" if each.is_dead else ""
        print(f"{each.second:>5} s  level {each.level:>6}  offset {each.offset:>6}  clipped {clipped}{dead}")


def _print_detections(detections: Iterable[Detection], as_json: bool) -> None:
    for each in detections:
        if as_json:
            print_json({"model": each.model, "time_s": each.time_s, "probability": each.probability})
        else:
            print(f"{each.model:<20} {each.time_s:>8.2f} s  probability {each.probability:.3f}", flush=True)
