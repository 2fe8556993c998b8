"""A release of configuration alone, one that brings a new key, one of MicroPython's image, and a board that takes no
settings but signed ones."""

import json
import random
import shutil

import pytest
from paho.mqtt import publish

from tests.chaos.test_update import LIMIT_S, Plant
from tests.support import esp32_partitions, release_keys
from tests.support.micropython import FIRMWARE
from tests.support.releases import DEVICE, image_release, release
from tests.support.waiting import until

IMAGE = "kittiwake_node/update/image.py"
pytestmark = [pytest.mark.needs("mosquitto"), pytest.mark.timeout(180)]


def test_configuration_alone_then_a_new_key_and_no_settings_but_signed_ones(tmp_path):
    with Plant(tmp_path, own={"settings": "signed"}) as plant:
        settings = {"channels": plant.config["channels"], "health_s": 1, "commit_ms": 50}
        plant.offer(release(2, arch=plant.arch, config=settings, is_config_alone=True), "2.kwu")
        done = plant.until_state("2.kwu", "running")
        assert done["sent_bytes"] < 1000, "settings and the table that names them"
        held = json.loads((plant.board.board_dir / "app-b" / "node.json").read_text())
        assert (held["device"], held["commit_ms"]) == (DEVICE, 50)
        modules = {path.name for path in (plant.board.board_dir / "app-b" / "kittiwake_node").iterdir()}
        assert {"node.mpy", "updating.mpy"} <= modules

        command = json.dumps({"id": "1", "op": "config_set", "config": held})
        publish.single(f"kittiwake/{DEVICE}/cmd", command, 1, False, "127.0.0.1", plant.broker.port)
        until(lambda: plant.bodies("resp"), "a response", LIMIT_S, 0.1)
        (response,) = plant.bodies("resp")
        assert response["status"] == "refused" and "signed releases alone" in response["error"]

        trusted = release_keys.modulus_of(release_keys.private_key(1))
        raw = release(3, arch=plant.arch, config=settings, is_config_alone=True, trusted=trusted)
        plant.offer(raw, "3.kwu")
        plant.until_state("3.kwu", "running")
        plant.until_event("releases of these keys are taken from now on")
        plant.offer(release(4, arch=plant.arch, config=settings, is_config_alone=True), "4.kwu")
        assert "no key that this board trusts" in plant.until_state("4.kwu", "refused")["reason"]
        plant.offer(release(5, key=1, arch=plant.arch, config=settings, is_config_alone=True), "5.kwu")
        plant.until_state("5.kwu", "running")
        assert plant.boots_without_a_hole() >= 3


def test_image_of_micropython_goes_into_the_other_partition_while_sampling(tmp_path):
    """The partitions are a module's that the board has as esp32.py; it was not tried on hardware."""
    with Plant(tmp_path) as plant:
        board = plant.board
        shutil.copy(esp32_partitions.__file__, board.board_dir / "esp32.py")
        shutil.copy(FIRMWARE / IMAGE, board.board_dir / "app-a" / IMAGE)  # which ESP32s alone get
        image = esp32_partitions.MAGIC + random.Random(1).randbytes(150_000)
        plant.offer(image_release(2, image, plant.arch), "2.kwu")
        done = plant.until_state("2.kwu", "running")
        assert done["counter"] == 2 and len(image) <= done["sent_bytes"] < len(image) + 1000
        otadata = json.loads((board.board_dir / "ota" / "otadata").read_text())
        assert otadata == {"boot": "ota_1", "states": {"ota_0": "valid", "ota_1": "valid"}}
        assert (board.board_dir / "ota" / "ota_1").read_bytes()[: len(image)] == image

        plant.offer(image_release(3, esp32_partitions.DOES_NOT_START + image, plant.arch), "3.kwu")
        assert "MicroPython's image did not start" in plant.until_state("3.kwu", "back")["reason"]
        otadata = json.loads((board.board_dir / "ota" / "otadata").read_text())
        assert (otadata["boot"], otadata["states"]["ota_1"]) == ("ota_1", "valid")
        assert board.marks()["app-b"] == {"ready"}
        assert plant.boots_without_a_hole() >= 2
