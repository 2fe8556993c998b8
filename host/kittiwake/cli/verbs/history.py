"""`kittiwake history`: keep records in a database, ask it, and hold it against the boards' own numbers."""

from __future__ import annotations

import csv
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kittiwake.cli.output import print_json, progress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kittiwake.history import Bucket

_DATABASE = "kittiwake.sqlite"
_Database = Annotated[str, typer.Option(help="File of the history, or postgresql://USER@HOST/NAME.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
_Since = Annotated[str, typer.Option(help="How far back: 90s, 15m, 6h, 30d, or all.")]
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

group = typer.Typer(
    name="history", help="Records in a database: keep them, ask them, audit them.", no_args_is_help=True
)


@group.command()
def run(
    config: Annotated[Path | None, typer.Option("--config", "-c", help="history.toml; the options when none.")] = None,
    broker: Annotated[str, typer.Option(help="The broker, mqtt://HOST:PORT.")] = "mqtt://localhost:1883",
    database: _Database = _DATABASE,
    base: Annotated[str, typer.Option(help="First levels of the topics.")] = "kittiwake",
    metrics: Annotated[str, typer.Option(help="HOST:PORT to serve /metrics on.")] = "",
) -> None:
    """Take records from the broker into the database, until interrupted; each is there exactly once."""
    from pydantic import ValidationError

    from kittiwake.config import load
    from kittiwake.errors import UsageError
    from kittiwake.history import process
    from kittiwake.history.settings import HistorySection, HttpSection, Settings
    from kittiwake.mqtt.address import parse_url
    from kittiwake.mqtt.settings import BrokerSection

    if config is not None:
        settings = load.load(config, Settings, os.environ)
    else:
        parse_url(broker)
        try:
            history, http = HistorySection(database=database, base=base), HttpSection(listen=metrics)
        except ValidationError as error:
            fault = error.errors()[0]
            reason = f"{fault['input']!r} is no {fault['loc'][0]}: {fault['msg']}"
            raise UsageError(reason, "see kittiwake history run --help") from None
        settings = Settings(broker=BrokerSection(url=broker), history=history, http=http)
    process.run(settings)


@group.command()
def devices(database: _Database = _DATABASE, as_json: _Json = False) -> None:
    """List the devices that the history knows."""
    from kittiwake.history import open_history

    with open_history(database) as history:
        devices = history.devices()
    if as_json:
        times = [{name: _iso(getattr(d, name)) for name in ("first", "last", "arrived")} for d in devices]
        print_json([vars(d) | of for d, of in zip(devices, times, strict=True)])
        return
    print(f"{'device':<24} {'rows':>9} {'newest record':<24} {'arrived':<24} channels")
    for d in devices:
        print(f"{d.device:<24} {d.rows:>9} {_iso(d.last) or '-':<24} {_iso(d.arrived):<24} {', '.join(d.channels)}")


@group.command()
def channels(
    device: Annotated[str | None, typer.Argument(help="Its id; all devices when none.")] = None,
    database: _Database = _DATABASE,
    as_json: _Json = False,
) -> None:
    """Say what channels are, and were: sensor, unit, scale and offset, and from when on."""
    from kittiwake.errors import UsageError
    from kittiwake.history import open_history

    with open_history(database) as history:
        if device is not None and device not in (known := history.channels()):
            raise UsageError(f"the history has no device {device!r}", f"it has {', '.join(known) or 'none yet'}")
        spans = history.described(device)
    if as_json:
        print_json([{**vars(span), "since": _iso(span.since) or None} for span in spans])
        return
    print(f"{'device':<24} {'channel':<16} {'since':<24} {'sensor':<16} {'unit':<8} {'scale':>10} {'offset':>10}")
    for s in spans:
        since = _iso(s.since) or f"start {s.boot}"
        scale = f"{s.scale or '-':>10} {s.offset or '-':>10}"
        print(f"{s.device:<24} {s.channel:<16} {since:<24} {s.sensor_id:<16} {s.unit:<8} {scale}")


@group.command()
def show(
    device: Annotated[str, typer.Argument(help="Its id; see history devices.")],
    channel: Annotated[str | None, typer.Option(help="Its name; all channels when none.")] = None,
    since: _Since = "1d",
    every: Annotated[str, typer.Option(help="Width of a line: 1m, 15m, 1h, 1d.")] = "1h",
    database: _Database = _DATABASE,
    as_json: _Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    parquet: Annotated[Path | None, typer.Option(help="Write a Parquet file instead.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw a picture instead: .png, .svg or .html.")] = None,
) -> None:
    """Show a device's samples over time, exact at every width."""
    from kittiwake.errors import UsageError
    from kittiwake.history import export, open_history
    from kittiwake.plot import picture

    width_s = _seconds(every)
    if plot is not None:
        picture.check_output(plot)
    with open_history(database) as history:
        known = history.channels()
        if device not in known:
            raise UsageError(f"the history has no device {device!r}", f"it has {', '.join(known) or 'none yet'}")
        if channel is not None and channel not in known[device]:
            raise UsageError(f"{device} has no channel {channel!r}", f"it has {', '.join(known[device])}")
        lines = [
            (name, bucket)
            for name in (known[device] if channel is None else [channel])
            for bucket in history.summaries(device, name, _ago(since), every_s=width_s)
        ]
    if plot is not None:
        _draw(plot, f"{device}, by {every}", lines)
    elif parquet is not None:
        export.write_figures(parquet, lines)
        progress(f"kittiwake: {parquet}: {len(lines)} rows")
    elif as_json:
        print_json([_fields(name, bucket) for name, bucket in lines])
    elif as_csv:
        _print_csv(lines)
    else:
        print(f"{'from':<20} {'channel':<16} {'samples':>9} {'mean':>12} {'stdev':>12} {'low':>12} {'high':>12}  flags")
        for name, b in lines:
            figures = " ".join(f"{'-' if x is None else x:>12}" for x in (b.mean, b.stdev, b.low, b.high))
            print(f"{_iso(b.start)[:19] + 'Z':<20} {name:<16} {b.sums.n:>9} {figures}  {b.sums.anomalies} {b.unit}")


@group.command()
def export(
    folder: Annotated[Path, typer.Argument(help="For the files, one a day: DATE.parquet.")],
    database: _Database = _DATABASE,
) -> None:
    """Write the records of each day (UTC) that is over as Parquet; a day that came to have more is written anew."""
    from kittiwake.history import open_history
    from kittiwake.history.export import write_days

    with open_history(database) as history:
        for day in write_days(history, folder, datetime.now(UTC)):
            progress(f"kittiwake: {day.path}: {day.records} records{'' if day.is_new else ', as before'}")


@group.command()
def alerts(
    device: Annotated[str | None, typer.Argument(help="Its id; all devices when none.")] = None,
    since: _Since = "1d",
    limit: Annotated[int, typer.Option("-n", help="How many at most.", min=1)] = 100,
    database: _Database = _DATABASE,
    as_json: _Json = False,
) -> None:
    """List alerts, the newest first."""
    from kittiwake.history import open_history

    with open_history(database) as history:
        alerts = list(history.messages("alert", device, since=_ago(since), limit=limit))
    if as_json:
        print_json([message.body for message in alerts])
        return
    for m in alerts:
        when = _iso(m.ts) if m.ts is not None else f"arrived {_iso(m.arrived)}"
        body = " ".join(f"{name}={m.body[name]}" for name in ("value", "unit", "z_score", "detector") if name in m.body)
        print(f"{when:<33} {m.device:<24} {m.channel:<16} {body}{' (time repaired)' if m.is_repaired else ''}")


@group.command()
def audit(
    database: _Database = _DATABASE,
    as_json: _Json = False,
    settle: Annotated[
        str, typer.Option(help="Numbers that were overtaken less than this ago are awaited, not missing: 30s, 5m.")
    ] = "",
) -> None:
    """Hold every journal's sequence numbers against the board's own counts; exit 5 when any is missing."""
    from kittiwake.errors import EXIT_VERIFICATION, UsageError
    from kittiwake.history import open_history

    now = datetime.now(UTC)
    with open_history(database) as history:
        audits = history.audit(now - timedelta(seconds=_seconds(settle)) if settle else None)
    if not audits:
        raise UsageError(f"{database} has no records: there is nothing to audit", "start `kittiwake history run`")
    if as_json:
        derived = ("before", "absent", "missing")
        print_json([{**vars(a), **{n: getattr(a, n) for n in derived}, "arrived": _iso(a.arrived)} for a in audits])
    else:
        for a in audits:
            gaps = "".join(f", {first}-{last}" for first, last in a.gaps) if a.missing else ""
            dropped = f", dropped {a.dropped}" if a.dropped else ""
            awaited = f", awaited {a.awaited}" if a.awaited else ""
            newest = f", newest {(now - a.arrived).total_seconds():.0f} s ago" if a.arrived is not None else ""
            print(
                f"{a.device} {a.journal}: {a.rows} rows, {a.first} to {a.last}, evicted {a.evicted},"
                f" missing {a.missing}{gaps}{dropped}{awaited}{newest}"
            )
    if any(a.missing for a in audits):
        raise typer.Exit(EXIT_VERIFICATION)


def _fields(name: str, bucket: Bucket) -> dict[str, object]:
    from kittiwake.history import export

    return {**export.fields(name, bucket), "ts": _iso(bucket.start)}


def _draw(path: Path, title: str, lines: Iterable[tuple[str, Bucket]]) -> None:
    from kittiwake.errors import UsageError
    from kittiwake.plot import spans

    channels: dict[tuple[str, str], list[spans.Span]] = {}
    for name, b in lines:
        if b.mean is not None and b.low is not None and b.high is not None:
            channels.setdefault((name, b.unit), []).append(spans.Span(b.start, b.mean, b.low, b.high))
    if not channels:
        raise UsageError("there are no samples to draw", "go further back with --since")
    spans.draw(path, title, channels)
    progress(f"kittiwake: {path}: {sum(map(len, channels.values()))} points")


def _print_csv(lines: Iterable[tuple[str, Bucket]]) -> None:
    writer = None
    for name, bucket in lines:
        fields = _fields(name, bucket)
        if writer is None:
            writer = csv.DictWriter(sys.stdout, list(fields))
            writer.writeheader()
        writer.writerow(fields)


def _seconds(text: str) -> int:
    from kittiwake.errors import UsageError

    number, unit = text[:-1], text[-1:]
    if not number.isascii() or not number.isdigit() or unit not in _UNITS or not 0 < int(number) < 1 << 31:
        raise UsageError(f"{text!r} is no span of time", "use a number and s, m, h or d: 90s, 15m, 6h, 30d")
    return int(number) * _UNITS[unit]


def _ago(text: str) -> datetime | None:
    if text == "all":
        return None
    try:
        return datetime.now(UTC) - timedelta(seconds=_seconds(text))
    except OverflowError:
        return None


def _iso(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
