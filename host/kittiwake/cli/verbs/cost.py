"""`kittiwake cost`: what a fleet sends, stores and costs in a month."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kittiwake.cli import options
from kittiwake.cli.output import Json, print_json, progress

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable

    from kittiwake.cost.prices import Month, Prices
    from kittiwake.cost.traffic import Traffic

_SIMULATED_S = 60
_EVERYTHING, _CONDENSED, _AROUND = "every sample", "summaries, alerts", "and around alerts"


def cost(
    file: Annotated[Path | None, typer.Argument(help="A CSV file; the guide's simulated sensor when none.")] = None,
    column: Annotated[str, typer.Option("--column", "-c", help="Its column.")] = "value",
    range_: options.Range = None,
    bits: options.Bits = 12,
    rate: Annotated[float, typer.Option(help="Samples a second of a sensor.", min=0.001)] = 1000.0,
    sensors: Annotated[int, typer.Option(help="How many sensors there are.", min=1)] = 100,
    summary_s: Annotated[float, typer.Option(help="Seconds of a summary.", min=0.001)] = 60.0,
    snapshot: Annotated[int, typer.Option(help="Samples around an alert that are sent.", min=2)] = 256,
    n: Annotated[int, typer.Option(help="Samples of the z-score's window.", min=3)] = 256,
    t: Annotated[str, typer.Option(help="Its threshold.")] = "5",
    metrics: Annotated[
        str | None, typer.Option(help="/metrics of a running bridge: what its fleet sends, in place of a file.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long to look at it.", min=1)] = 300.0,
    prices: Annotated[Path | None, typer.Option(help="prices.toml; without one, nothing has a price.")] = None,
    as_json: Json = False,
) -> None:
    """Say what a fleet sends, stores and costs in a month, against sending every sample."""
    from kittiwake.config import load
    from kittiwake.cost import prices as pricing

    asked = load.load(prices, pricing.Prices) if prices else pricing.Prices()
    if metrics is not None:
        parts = _of_bridge(metrics, seconds, rate)
        sensors = 1
    else:
        parts = _of_samples(_samples(file, column, range_, bits, rate), rate, summary_s, snapshot, n, t)
    months = {name: pricing.month(traffic, sensors, asked, name != _EVERYTHING) for name, traffic in parts.items()}
    _print(months, asked, as_json)


def _samples(file: Path | None, column: str, range_: tuple[str, str] | None, bits: int, rate: float) -> array[int]:
    from kittiwake.signals import vibration

    if file is not None:
        return options.read(file, column, range_, bits)
    whole = max(1, round(rate))
    return vibration.samples(whole * _SIMULATED_S, whole, min(0.1, whole))


def _of_samples(
    samples: array[int], rate: float, summary_s: float, snapshot: int, n: int, t: str
) -> dict[str, Traffic]:
    from kittiwake.cost import traffic
    from kittiwake.runs import detect
    from kittiwake.target import open_target

    with open_target("unix") as board:
        found = detect.alerts(board, samples, options.detector("zscore", n, t, None), "viper")
        alerts = [int(alert["index"]) for alert in found]
    progress(f"{len(samples)} samples, {len(samples) / rate:.0f} s, {len(alerts)} alerts")
    return {
        _EVERYTHING: traffic.everything(samples, rate),
        _CONDENSED: traffic.condensed(samples, alerts, rate, summary_s, 0, n),
        _AROUND: traffic.condensed(samples, alerts, rate, summary_s, snapshot, n),
    }


def _of_bridge(url: str, seconds: float, rate: float) -> dict[str, Traffic]:
    from kittiwake.cost import running, traffic

    measured = running.measure(url, seconds, running.fetch_text, time.sleep)
    progress(f"{measured.samples} samples in {measured.traffic.seconds:.0f} s")
    # Of a sample that nobody has sent, the size is that of the simulated sensor's.
    one = traffic.everything(_samples(None, "", None, 0, rate), rate)
    size = round(one.sent_bytes / one.messages * measured.samples)
    return {
        _EVERYTHING: traffic.Traffic(measured.samples, size, measured.traffic.seconds),
        "what it sends": measured.traffic,
    }


def _print(months: dict[str, Month], prices: Prices, as_json: bool) -> None:
    base = months[_EVERYTHING]
    if as_json:
        print_json(
            [
                {"what": name, **vars(each), "total": each.total, "less": 1 - each.sent_gib / base.sent_gib}
                for name, each in months.items()
            ]
        )
        return
    unit = f" {prices.currency}" if prices.currency else ""
    print(f"{'a month':<20}" + "".join(f"{name:>20}" for name in months))
    lines: tuple[tuple[str, Callable[[Month], str]], ...] = (
        ("messages", lambda m: f"{m.messages:,.0f}"),
        ("sent, GiB", lambda m: f"{m.sent_gib:,.3f}"),
        ("less by", lambda m: f"{1 - m.sent_gib / base.sent_gib:.2%}"),
        ("kept, GiB", lambda m: f"{m.stored_gib:,.3f}"),
        (f"sending{unit}", lambda m: f"{m.sent:,.2f}"),
        (f"messages{unit}", lambda m: f"{m.handled:,.2f}"),
        (f"keeping{unit}", lambda m: f"{m.stored:,.2f}"),
        (f"gateway{unit}", lambda m: f"{m.gateway:,.2f}"),
        (f"all{unit}", lambda m: f"{m.total:,.2f}"),
    )
    for name, text in lines:
        print(f"{name:<20}" + "".join(f"{text(each):>20}" for each in months.values()))
