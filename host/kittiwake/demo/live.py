"""The demo's live view: state, rates, alerts and bytes saved, in a terminal. Shows; decides nothing."""

from __future__ import annotations

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from kittiwake.demo import audit
from kittiwake.demo.report import Progress

_ALERT_ROWS = 8


def render(progress: Progress, raw_json_bytes: int) -> Panel:
    """Draw the state of a running demo.

    Args:
        progress: as the demo reports it.
        raw_json_bytes: what sending every sample so far as the guide's JSON would have cost.
    """
    return Panel(
        Group(_figures(progress, raw_json_bytes), Text(), _alerts(progress)),
        title="kittiwake: board, journal, bridge, broker, subscriber",
        subtitle="Ctrl-C ends it and prints the audit",
    )


def _figures(progress: Progress, raw_json_bytes: int) -> Table:
    upstream = progress.ledger.packet_bytes
    summary = progress.summary
    rate_hz = audit.rate_hz(progress.ledger) or 0.0
    share = f"{1 - upstream / raw_json_bytes:.2%} less" if raw_json_bytes else "nothing yet"
    table = Table.grid(padding=(0, 2))
    if progress.window:
        table.add_row("in a browser", progress.window)
    table.add_row("device", progress.state)
    table.add_row("samples", f"{progress.samples:,} in {progress.elapsed_s:.0f} s ({rate_hz:,.1f} a second)")
    if summary:
        table.add_row(
            "last summary",
            f"mean {summary['mean']} stdev {summary['stdev']} low {summary['low']} high {summary['high']}"
            f" {summary['unit']}, {summary['anomalies']} anomalies",
        )
    table.add_row("records", f"{len(progress.ledger.records):,} at the subscriber, {progress.acked:,} acknowledged")
    if progress.keywords:
        table.add_row("heard", ", ".join(f"{b['keyword']} ({b['probability']:.3f})" for b in progress.keywords))
    table.add_row("upstream", f"{upstream:,} bytes against {raw_json_bytes:,} as JSON readings: {share}")
    return table


def _alerts(progress: Progress) -> Table:
    table = Table(title="newest alerts", title_justify="left", expand=True)
    for heading in ("time (UTC)", "sample", "value", "z", "mean", "stdev"):
        table.add_column(heading, justify="right")
    for body in progress.newest[-_ALERT_ROWS:]:
        table.add_row(
            (body["ts"] or "not known")[11:-1],
            str(body["index"]),
            f"{body['value']:g} {body['unit']}",
            f"{body['z_score']:.2f}",
            f"{body['mean']:.2f}",
            f"{body['stdev']:.2f}",
        )
    return table
