"""Whether a broker keeps a shared subscription while it restarts. It knows MQTT and no record."""

from __future__ import annotations

import asyncio
import contextlib

from kittiwake.mqtt.callbacks import Callbacks
from kittiwake.mqtt.client import MqttClient
from kittiwake.mqtt.settings import BrokerSection

_VERSION = "$SYS/broker/version"
_FORGETS = "mosquitto version"  # 2.0.11, 2.0.18 and 2.0.22 were tried
_PATIENCE_S = 1.0  # for a retained message, after the subscription was answered


async def problem_of(broker: BrokerSection, client_id: str) -> str:
    """Ask a broker what it is, as soon as it is there.

    Args:
        broker: the settings.
        client_id: for this one connection, which leaves nothing behind.

    Returns:
        Why records could be lost between processes that share a subscription, in one line with the mend; "" where the
        broker does not say what it is, or is none that is known to forget.
    """
    versions: asyncio.Queue[str] = asyncio.Queue()
    answered = asyncio.Event()
    client = MqttClient(
        broker.model_copy(update={"session_expiry_s": 0}),
        client_id,
        subscriptions=(_VERSION,),
        callbacks=Callbacks(
            on_message=lambda topic, payload, handle: versions.put_nowait(payload.decode(errors="replace")),
            on_subscribed=lambda refused: answered.set(),
        ),
    )
    task = asyncio.create_task(client.run())
    version = ""
    try:
        await answered.wait()
        with contextlib.suppress(TimeoutError):
            version = await asyncio.wait_for(versions.get(), _PATIENCE_S)
    finally:
        await client.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    if not version.startswith(_FORGETS):
        return ""
    return (
        f"{broker.url} is {version}, which forgets shared subscriptions when it restarts, and loses what comes before"
        " they are made anew: leave [history] share out, and let each process take every record"
    )
