"""`kittiwake demo`: the whole way on this machine, watched live and audited at the end."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kittiwake.cli import options
from kittiwake.cli.output import print_json, progress

if TYPE_CHECKING:
    from kittiwake.demo.report import Progress
    from kittiwake.demo.scenario import Scenario


def demo(
    seconds: Annotated[int, typer.Option(help="How long the synthetic vibration lasts.", min=1, max=3600)] = 60,
    seed: Annotated[int, typer.Option(help="Seed of the synthetic vibration.")] = 1,
    guide: Annotated[bool, typer.Option("--guide", help="The guide's detector (n = 20, t = 5/2) and topics.")] = False,
    replay: Annotated[Path | None, typer.Option(help="Replay a column of this CSV file instead.")] = None,
    column: options.Column = "0",
    range_: options.Range = None,
    bits: options.Bits = 12,
    rate: Annotated[
        int | None, typer.Option(help="Samples a second, 1000 where nothing is said; 0 replays at full speed.", min=0)
    ] = None,
    readings: Annotated[bool, typer.Option("--readings", help="Publish every sample too; up to 50 a second.")] = False,
    n: options.Window = None,
    t: options.Threshold = None,
    target: Annotated[str, typer.Option(help="Where the firmware runs; see kittiwake targets.")] = "unix",
    broker: Annotated[str | None, typer.Option(help="A broker of yours, mqtt://HOST:PORT.")] = None,
    history: Annotated[
        Path | None, typer.Option(help="File for the history; one in the user's cache when not given.")
    ] = None,
    window: Annotated[bool, typer.Option(help="Serve the pages in a browser while it runs; not with --json.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="No view; one JSON report at the end.")] = False,
) -> None:
    """Show a virtual board detecting anomalies and delivering every record to an MQTT broker."""
    import typer as shell

    from kittiwake.demo import pipeline as work
    from kittiwake.demo import report as reports
    from kittiwake.demo import scenario as scenarios
    from kittiwake.demo import speech
    from kittiwake.errors import EXIT_VERIFICATION, UsageError

    rate_hz = rate if rate is not None else (50 if readings else 1000)
    if replay is None and not rate_hz:
        raise UsageError("--rate 0 is for --replay", "the synthetic vibration needs a rate")
    scenario = scenarios.vibration_scenario(seconds, seed, guide, rate_hz or 1000, readings)
    if replay is not None:
        scenario.samples = options.read(replay, column, range_, bits)
        if scenario.samples.typecode != "h":
            raise UsageError(f"--bits {bits} does not fit the node's int16 samples", "take at most 15")
        scenario.rate_hz = rate_hz
        scenario.channel = {"name": column, "sensor_id": replay.stem, "unit": "LSB", "readings": readings}
    if n is not None or t is not None:
        scenario.n = scenario.n if n is None else n
        scenario.t = options.threshold(t, scenario.n)
    scenario.target, scenario.broker_url, scenario.history = target, broker, history
    scenario.has_window = window and not as_json
    if replay is None and seconds >= speech.SECONDS and target == "unix":
        scenario.word = speech.plan()
        if scenario.word is None and not as_json:
            progress("no microphone in this demo: install kittiwake[wake], and it hears a wake word, too")
    with _view(scenario, as_json) as on_progress:
        result = work.run(scenario, on_progress, lambda line: None if as_json else progress(line))
    if as_json:
        print_json(result)
    else:
        for name, value in result.items():
            print(f"{name:>18}  {value}")
        if scenario.has_window:
            print(f"in a browser: kittiwake window --database {result['history']}")
        print(f"look at it: kittiwake history show {scenarios.DEVICE} --every 1m --database {result['history']}")
    failures = reports.problems(result)
    for problem in failures:
        progress(f"kittiwake: {problem}")
    if failures:
        raise shell.Exit(EXIT_VERIFICATION)


@contextlib.contextmanager
def _view(scenario: Scenario, as_json: bool) -> Iterator[Callable[[Progress], None]]:
    if as_json or not sys.stdout.isatty():
        yield _lines(as_json)
        return
    from rich.live import Live

    from kittiwake.demo import audit, live

    scale = Fraction(scenario.channel.get("scale", "1"))
    cost = {"samples": 0, "bytes": 0}
    with Live(refresh_per_second=4) as screen:

        def show(progress: Progress) -> None:
            new = scenario.samples[cost["samples"] : progress.samples]
            cost["bytes"] += audit.guide_json_bytes(new, scale, Fraction(0), first_seq=cost["samples"])
            cost["samples"] = progress.samples
            screen.update(live.render(progress, cost["bytes"]))

        yield show


def _lines(quiet: bool) -> Callable[[Progress], None]:
    alerts = keywords = 0  # printed so far
    is_addressed = False

    def show(progress: Progress) -> None:
        nonlocal alerts, keywords, is_addressed
        if quiet:
            return
        if progress.window and not is_addressed:
            print(f"in a browser: {progress.window}", file=sys.stderr, flush=True)
            is_addressed = True
        for body in progress.keywords[keywords:]:
            print(f"heard  {body['keyword']}  probability {body['probability']:.3f}", flush=True)
        keywords = len(progress.keywords)
        for body in progress.newest[len(progress.newest) - (progress.alerts - alerts) :]:
            print(
                f"alert  sample {body['index']:>7}  {body['value']:g} {body['unit']}  z {body['z_score']:.2f}",
                flush=True,
            )
        alerts = progress.alerts

    return show
