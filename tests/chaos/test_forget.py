"""A device that is gone is forgotten: its retained topics are cleared, and no start of the bridge revives it."""

import asyncio
import json
import subprocess
import sys

import pytest

from kittiwake.demo.ledger import LedgerProcess
from kittiwake_node.link import record as rec
from tests.chaos.test_status import World
from tests.support.waiting import until, until_async

pytestmark = pytest.mark.needs("mosquitto")
ALL = ("kittiwake/#", "homeassistant/#")
DISCOVERY = "homeassistant/device/{}/config"


async def forget(world, device, *options):
    """(exit code, stdout, stderr) of `kittiwake bridge forget`."""
    command = [sys.executable, "-m", "kittiwake", "bridge", "forget", device, "-c", world.folder / "gateway.toml"]
    done = await asyncio.to_thread(subprocess.run, [*command, *options], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


async def retains(world, *topics):
    await asyncio.to_thread(until, lambda: set(topics) <= set(world.retained(ALL)), lambda: str(world.retained(ALL)))


async def unplug(world, device):
    device.stop()
    await world.until({"bridge": "online", "dev-a": "offline", "dev-b": "online"})


def test_forget_refuses_a_device_that_is_on_line_and_clears_one_that_is_gone(tmp_path):
    async def story(world):
        gone, stays = world.devices
        for device in (gone, stays):
            device.add(rec.EVENT, b"\0\0x")
        await retains(world, DISCOVERY.format("dev-a"), DISCOVERY.format("dev-b"))
        before = world.retained(ALL)
        status, _, err = await forget(world, "dev-a")
        assert status == 1 and "dev-a is on line" in err and "--force" in err
        assert world.retained(ALL) == before
        await unplug(world, gone)
        status, out, err = await forget(world, "dev-a", "--json")
        topics = ["kittiwake/dev-a/status", DISCOVERY.format("dev-a")]
        assert (status, json.loads(out)) == (0, {"device": "dev-a", "cleared": topics, "was_known": True})
        await world.hear("device dev-a is forgotten")
        left = world.retained(ALL)
        assert {topic for topic in before if topic not in left} == set(topics)
        assert json.loads(left["kittiwake/bridge/devices"]) == ["dev-b"]
        # It comes back as if it were new: nothing of it was kept that would hold back its discovery.
        gone.start()
        gone.add(rec.EVENT, b"\0\0y")
        await retains(world, *topics)

    World(tmp_path, "[homeassistant]\nenabled = true").run(story)


def test_forget_of_a_device_that_is_on_line_by_force_is_undone_at_once(tmp_path):
    async def story(world):
        status, out, _ = await forget(world, "dev-a", "--force")
        assert (status, out.splitlines()[0]) == (0, "cleared kittiwake/dev-a/status")
        await world.until({"bridge": "online", "dev-a": "online", "dev-b": "online"})

    World(tmp_path).run(story)


def test_forget_of_a_name_that_was_never_there_says_so(tmp_path):
    async def story(world):
        status, _, err = await forget(world, "dev-aa")
        assert status == 0 and "nothing was retained of dev-aa" in err
        status, _, err = await forget(world, "a/b")
        assert status == 2 and "is no device id" in err

    World(tmp_path).run(story)


def test_forget_while_no_bridge_runs_takes_the_device_of_a_killed_one_off_its_list(tmp_path):
    async def story(world):
        world.bridge.kill()
        await world.until({"bridge": "offline", "dev-a": "online", "dev-b": "online"})
        world.devices[0].stop()
        status, out, _ = await forget(world, "dev-a", "--force", "--json")
        assert status == 0 and "kittiwake/bridge/devices" in json.loads(out)["cleared"]
        world.bridge.start()
        await world.until({"bridge": "online", "dev-b": "online"}, 20)

    World(tmp_path).run(story)


def test_bridge_that_starts_does_not_say_again_that_a_device_of_the_past_is_off_line(tmp_path):
    async def story(world):
        await unplug(world, world.devices[0])
        topics = ["kittiwake/+/status"]
        with LedgerProcess(world.broker.url, topics, tmp_path / "statuses.jsonl") as ledger:

            def live():
                return [(line["topic"], line["payload"]) for line in ledger.read() if not line["retain"]]

            def has_started_twice():
                starts = [at for at, line in enumerate(live()) if line == ("kittiwake/bridge/status", "online")]
                return len(starts) == 2 and ("kittiwake/dev-b/status", "online") in live()[starts[1] :]

            for end in (world.bridge.kill, lambda: world.bridge.__exit__(None)):
                await asyncio.to_thread(end)
                world.bridge.start()
                await world.until({"bridge": "online", "dev-a": "offline", "dev-b": "online"}, 20)
            await until_async(has_started_twice, live)
            # The list of devices, by which dev-a would be spoken of, is read before dev-b's session can be open.
            assert "kittiwake/dev-a/status" not in [topic for topic, _ in live()]

    World(tmp_path).run(story)
