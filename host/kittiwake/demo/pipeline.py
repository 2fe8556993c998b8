"""The whole way on one machine: joins a target, a broker, the bridge and a ledger process, and watches them.

How each of them works is its own business; what is shown is live.py's.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from kittiwake.bridge.service import Bridge
from kittiwake.bridge.settings import of_ports
from kittiwake.demo import audit, kept, speech
from kittiwake.demo import scenario as scenarios
from kittiwake.demo.broker import EmbeddedBroker
from kittiwake.demo.ledger import LedgerProcess
from kittiwake.demo.pages import serving
from kittiwake.demo.report import Progress, Report, report
from kittiwake.demo.scenario import DEVICE, Scenario
from kittiwake.errors import KittiwakeError
from kittiwake.mqtt.address import parse_url
from kittiwake.publish import publisher
from kittiwake.target import node_config, open_target

_DRAIN_LIMIT_S = 15.0
_START_LIMIT_S = 20.0
_LEVEL_LIMIT_S = 5.0
_POLL_S = 0.1


def run(scenario: Scenario, on_progress: Callable[[Progress], None], on_text: Callable[[str], None]) -> Report:
    """Run the demo to its end and audit it.

    Args:
        scenario: what to run.
        on_progress: called ten times a second.
        on_text: called with lines the board or the bridge has to say.

    Returns:
        The report, JSON-ready.

    Raises:
        ConfigError: the node would refuse this configuration; its reason is the message.
        KittiwakeError: a part could not start, or the board died.
    """
    return asyncio.run(_run(scenario, on_progress, on_text))


async def _run(scenario: Scenario, on_progress: Callable[[Progress], None], on_text: Callable[[str], None]) -> Report:
    async with contextlib.AsyncExitStack() as waiting:
        stack = waiting.enter_context(contextlib.ExitStack())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kittiwake-demo-")))
        if scenario.broker_url is not None:
            parse_url(scenario.broker_url)
        (folder / "samples.i16").write_bytes(scenario.samples.tobytes())
        board = stack.enter_context(open_target(scenario.target))
        (folder / "word.kwm").write_bytes(scenario.word or b"")
        config = scenarios.node_config(scenario, folder / "samples.i16", folder / "word.kwm")
        node_config.checked(board, config)
        broker_url = scenario.broker_url or stack.enter_context(EmbeddedBroker())
        ledger = stack.enter_context(LedgerProcess(broker_url, ["#"], folder / "ledger.jsonl"))
        policy = publisher.Policy(topics=scenario.topics)
        path = scenario.history or kept.new_path()
        keeper = kept.keeping(path, broker_url, policy.base, list(scenario.topics.values()))
        history = await waiting.enter_async_context(keeper)
        pages = serving(broker_url, policy.base, tuple(scenario.topics.values()), path, folder / "notes.sqlite")
        window = await waiting.enter_async_context(pages) if scenario.has_window else ""
        bridge = Bridge(of_ports([board.link_port], broker_url, policy), on_text=lambda url, line: on_text(line))
        work = asyncio.create_task(bridge.run())
        try:
            await _until(lambda: bridge.mqtt.is_connected, _START_LIMIT_S, "the bridge did not reach the broker")
            board.run_node(config)
            progress = Progress(window=window)
            arrivals = follow(ledger.path)
            started_s = time.monotonic()
            limit_s = _limit_s(scenario)
            while not (progress.ended and _is_level(progress, bridge) and history.counts.new >= progress.acked):
                if work.done():
                    work.result()
                board.check_running()
                progress.elapsed_s = time.monotonic() - started_s
                if progress.elapsed_s > limit_s:
                    raise KittiwakeError(f"the run did not end within {limit_s:.0f} s: {progress.state}")
                _absorb(progress, arrivals)
                progress.state = _state(bridge)
                progress.acked = bridge.links[0].session.acked
                on_progress(progress)
                try:
                    await asyncio.sleep(_POLL_S)
                except asyncio.CancelledError:
                    # Ctrl-C: what there is so far is audited, up to a moment when nothing is on its way.
                    progress.ended = progress.interrupted = True
                    limit_s = progress.elapsed_s + _LEVEL_LIMIT_S
        finally:
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work
    return report(scenario, progress, path, kept.look(path, DEVICE))


def _limit_s(scenario: Scenario) -> float:
    pace_hz = scenario.rate_hz or 1000
    heard_s = speech.SECONDS if scenario.word else 0
    return max(heard_s, len(scenario.samples) / pace_hz) + _DRAIN_LIMIT_S + _START_LIMIT_S


def _is_level(progress: Progress, bridge: Bridge) -> bool:
    session = bridge.links[0].session
    return len(progress.ledger.records) == session.received == session.acked == progress.acked


def _absorb(progress: Progress, arrivals: Iterable[audit.Arrival]) -> None:
    for arrival in arrivals:
        progress.ledger.take(arrival)
        body = arrival.body
        if body.get("anomaly"):
            progress.newest = [*progress.newest[-9:], body]
            progress.alerts += 1
            progress.samples = max(progress.samples, body["index"] + 1)
        elif "keyword" in body:
            progress.keywords.append(body)
        elif body.get("device") == DEVICE and _is_summary(arrival.topic):
            progress.summary = body
            progress.samples = max(progress.samples, body["index"])
        elif str(body.get("text", "")).startswith("source ended"):
            progress.ended = True


def _is_summary(topic: str) -> bool:
    """Of the vibration; the microphone has summaries too."""
    *_, kind, channel = ["", *topic.split("/")]
    return kind == "summary" and channel != speech.CHANNEL


def _state(bridge: Bridge) -> str:
    link = bridge.links[0]
    if not bridge.mqtt.is_connected:
        return f"broker away: {bridge.mqtt.problem}"
    if not link.is_online:
        return f"waiting for the board: {link.problem or 'no answer yet'}"
    return f"{link.session.device} online, boot {link.session.boot}"


def follow(path: Path) -> Iterable[audit.Arrival]:
    """Iterate over the ledger's lines as they are written; each `for` over it ends where the file ends just now.

    Args:
        path: of the ledger.
    """
    return _Follower(path)


class _Follower:
    def __init__(self, path: Path):
        self._file = path.open(encoding="utf-8")
        self._rest = ""

    def __iter__(self) -> Iterator[audit.Arrival]:
        for line in self._file:
            line = self._rest + line
            self._rest = "" if line.endswith("\n") else line
            if self._rest:
                return
            entry = json.loads(line)
            try:
                body = json.loads(entry.get("payload", ""))
            except ValueError:
                body = {}  # a status, or a message of somebody else's
            yield audit.Arrival(
                entry["wall_ns"], entry["topic"], body if isinstance(body, dict) else {}, entry["packet_bytes"]
            )


async def _until(condition: Callable[[], bool], limit_s: float, problem: str) -> None:
    end_s = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end_s:
            raise KittiwakeError(f"{problem} within {limit_s:.0f} s")
        await asyncio.sleep(0.01)
