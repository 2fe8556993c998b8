"""Prometheus and Alertmanager for real: each dashboard query returns data, each fault raises its alert and only it."""

import asyncio
import json
import re

import pytest

from tests.observability.stack import DEPLOY, Stack
from tests.support.exposition import complaints
from tests.support.hil import SOAK

pytestmark = [
    pytest.mark.needs("mosquitto", "prometheus", "prometheus-alertmanager", "prometheus-node-exporter"),
    pytest.mark.timeout(180),
]


def queries():
    for path in sorted((DEPLOY / "grafana").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", ()):
                yield f"{path.stem}: {panel['title']}", re.sub(r"\$\w+", ".*", target["expr"])


async def raises(stack, fault, alert, repair):
    """A fault raises one alert, which is told; the repair ends it, and that is told too."""
    start = len(stack.receiver.notices)
    fault()

    async def is_told(state):
        return (alert, state) in stack.receiver.notices[start:]

    await stack.until(lambda: is_told("firing"), f"{alert} is not raised")
    await asyncio.sleep(1.5)  # another scrape and more: what else it raises, it has raised
    assert await stack.firing() == {alert}
    repair()
    await stack.until(lambda: is_told("resolved"), f"{alert} does not end")
    await stack.until(stack.is_calm, f"{alert} is ended, and something else is not")
    assert {name for name, _ in stack.receiver.notices[start:]} == {alert}


def test_dashboards_have_data_and_each_fault_raises_its_own_alert_alone(tmp_path, certs):
    every = list(queries())
    assert len(every) > 45

    async def work():
        stack = Stack(tmp_path, certs)
        try:
            await stack.start()
            await check_dashboards(stack)
            await stack.until(stack.is_calm, "an alert before any fault")
            await check_alerts(stack)
        finally:
            stack.stop()

    async def check_dashboards(stack):
        async def is_up():
            series = await stack.query('up{job=~"kittiwake-.*|node"} == 1')
            return len(series) == 7 and len(await stack.query("kittiwake_device_online == 1")) == 1

        await stack.until(is_up, "not everything is scraped", 40)
        # Rates need counters that are there before they change.
        stack.journal_health()
        for _ in range(3):
            stack.journal_one_of_each()
            await asyncio.to_thread(stack.ask_model)
            await asyncio.sleep(0.3)
        waiting = dict(every)
        end = asyncio.get_running_loop().time() + 15
        while waiting and asyncio.get_running_loop().time() < end:
            waiting = {name: query for name, query in waiting.items() if not await stack.query(query)}
        assert waiting == {}
        # The example's ACL lets what runs from the gateway's configuration read the records.
        for figure in ("kittiwake_decide_decisions_total", "kittiwake_window_records_total"):
            await stack.until(lambda figure=figure: stack.query(f"{figure} >= 3"), f"no {figure}")
        for name in ("bridge", "history", "decide", "serve", "window", "rollout"):
            assert complaints(await asyncio.to_thread(stack.figures, name)) == []

    async def check_alerts(stack):
        faults = [
            (lambda: stack.journal_health(journal_bytes=95), "KittiwakeJournalNearlyFull", stack.journal_health),
            (stack.bridge.kill, "KittiwakeProcessDown", stack.bridge.start),
            (stack.broker.stop, "KittiwakeBrokerLost", stack.broker.start),
            (lambda: stack.install("soon"), "KittiwakeCertificateEnds", lambda: stack.install("gateway")),
        ]
        for fault in faults if SOAK else faults[:2]:
            await raises(stack, *fault)

    asyncio.run(work())
