"""The gateway's MQTT client as tests run it."""

import asyncio
from contextlib import asynccontextmanager

from kittiwake.mqtt.client import MqttClient
from kittiwake.mqtt.settings import BrokerSection
from tests.support.waiting import until_async

QUICK = {"backoff_first_s": 0.1, "backoff_last_s": 0.2, "connect_timeout_s": 5}


class Note:
    """A token that remembers."""

    def __init__(self, box, name):
        self.box, self.name = box, name

    def confirmed(self):
        self.box.append(self.name)

    def refused(self, reason):
        self.box.append((self.name, reason))


@asynccontextmanager
async def connected(
    url, callbacks=None, wait=True, subscriptions=(), will=None, client_id="test-bridge", lasting=False, **settings
):
    section = BrokerSection(url=url, **(QUICK | settings))
    client = MqttClient(section, client_id, will, subscriptions, callbacks, lasting)
    task = asyncio.create_task(client.run())
    try:
        if wait:
            await until_async(lambda: client.is_connected)
        yield client
    finally:
        await client.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
