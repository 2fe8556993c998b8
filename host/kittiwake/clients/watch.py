"""What arrives at a broker, live: a line a message, or the messages themselves as JSON lines.

A subscriber like any other; it shares the bridge's connection code and none of its policy.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from kittiwake.clients import hidden
from kittiwake.errors import KittiwakeError
from kittiwake.mqtt.callbacks import Callbacks
from kittiwake.mqtt.client import MqttClient
from kittiwake.mqtt.settings import BrokerSection

_POLL_S = 0.1
_WIDTH = 160


def headline(topic: str, payload: bytes) -> str:
    """Sum up a message in one line: its time, where it came from, and what matters of it.

    Args:
        topic: as published.
        payload: bytes, JSON or not.

    Returns:
        Printable text without a line end.
    """
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        text = payload.decode(errors="backslashreplace")
        return _printable(f"{'':<24} {topic:<44} {text}")
    fields = " ".join(f"{name}={body[name]}" for name in _FIELDS if body.get(name) is not None)
    when = body.get("ts") or (f"+{body['uptime_ms'] / 1000:.1f} s" if _is_number(body.get("uptime_ms")) else "")
    late = " (late)" if body.get("late") else ""
    return _printable(f"{when:<24} {topic:<44} {fields}{late}")


# In the order in which they are shown, as far as a message has them.
_FIELDS = (
    "value", "unit", "z_score", "mean", "stdev", "low", "high", "n", "anomalies", "detector", "text", "code",
    "firmware", "heap_free", "journal_bytes", "evicted_alert", "type", "id", "op", "status", "error", "result", "seq",
)  # fmt: skip


async def follow(
    broker: BrokerSection,
    topics: tuple[str, ...],
    client_id: str,
    on_line: Callable[[str], None],
    as_json: bool,
    on_notice: Callable[[str], None] = lambda line: None,
    base: str = "kittiwake",
) -> None:
    """Subscribe and call `on_line` with a line a message, until cancelled.

    Args:
        broker: the settings.
        topics: filters to subscribe to.
        client_id: names the session at the broker.
        on_line: called with each line.
        as_json: lines of JSON that hold topic and payload, instead of headlines.
        on_notice: called with a line about what the broker hides from us.
        base: first levels of the topics.

    Raises:
        KittiwakeError: the first connection could not be made, or the broker refuses every subscription; later
            connections are made again and again.
    """
    view = hidden.View(topics, base, f"user {broker.username}" if broker.username else "us")
    now_s = asyncio.get_running_loop().time
    refused: dict[str, str] = {}

    def on_subscribed(answer: dict[str, str]) -> None:
        refused.update(answer)
        for line in view.subscribed(answer, now_s()) if len(answer) < len(topics) else ():
            on_notice(line)

    def on_message(topic: str, payload: bytes, handle: int) -> None:
        client.acknowledge(handle)
        view.take(topic, payload, now_s())
        on_line(_as_json(topic, payload) if as_json else headline(topic, payload))

    client = MqttClient(
        broker, client_id, subscriptions=topics, callbacks=Callbacks(on_message=on_message, on_subscribed=on_subscribed)
    )
    task = asyncio.create_task(client.run())
    problem = ""
    try:
        while not task.done():
            await asyncio.sleep(_POLL_S)
            if not client.was_connected and client.problem and client.problem == problem:
                raise KittiwakeError(f"broker {problem}")
            problem = client.problem
            if len(refused) == len(topics):
                raise KittiwakeError(*hidden.all_refused(refused))
            for line in view.notices(now_s()):
                on_notice(line)
        await task
    finally:
        await client.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _as_json(topic: str, payload: bytes) -> str:
    try:
        body: object = json.loads(payload)
    except (ValueError, RecursionError):
        body = payload.decode(errors="backslashreplace")
    return json.dumps({"topic": topic, "payload": body}, ensure_ascii=False)


def _printable(text: str) -> str:
    # What a device says must not drive the terminal.
    clean = "".join(c if c.isprintable() else "\ufffd" for c in text)
    return clean if len(clean) <= _WIDTH else clean[: _WIDTH - 1] + "…"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
