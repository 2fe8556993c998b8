"""`kittiwake release make --image`: MicroPython's own image in a release, and what cannot be one."""

import pytest

from kittiwake.errors import EXIT_OK, EXIT_USAGE, EXIT_VERIFICATION
from tests.cli.test_release import keys_made, make_of, place, shown  # noqa: F401 (fixtures)
from tests.support import esp_images


def make(*more):
    return make_of("press.kwu", "esp32-devkitc", *more)


@pytest.fixture
def image(place):  # noqa: F811
    def write(content):
        (place / "image.app-bin").write_bytes(content)
        return "image.app-bin"

    return write


def test_release_of_an_image_has_it_alone(image, capsys):
    content = esp_images.application()
    assert make("--image", image(content)) == EXIT_OK
    facts = shown(capsys)
    assert facts["brings_image"] and facts["keeps_application"]
    (build,) = facts["builds"]
    assert (build["arch"], build["chips"]) == ("xtensawin", ["ESP32"])
    assert build["files"] == {"micropython.bin": len(content)}


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (esp_images.application("esp32s3"), EXIT_USAGE, "is for ESP32-S3"),
        (esp_images.application(version=""), EXIT_USAGE, "is no MicroPython"),
        (esp_images.application(version="1.19.1"), EXIT_USAGE, "is MicroPython 1.19, and applications run by 1.24"),
        (esp_images.application()[:-40], EXIT_VERIFICATION, "cut off in its application"),
        (esp_images.application() + b"more", EXIT_USAGE, "4 bytes behind its application"),
        (esp_images.image(), EXIT_USAGE, "begins with a bootloader"),
        (b"\x7fELF", EXIT_USAGE, "no application for an ESP32"),
    ],
    ids=["other chip", "no MicroPython", "too old", "cut off", "too long", "whole flash", "none at all"],
)
def test_what_would_not_start_is_refused(image, capsys, content, code, says):
    assert make("--image", image(content)) == code
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("board", ["nucleo-f446re", "qemu-xtensa"])
def test_board_without_partitions_is_refused(image, capsys, board):
    assert make_of("press.kwu", board, "--image", image(esp_images.application())) == EXIT_USAGE
    assert "no partitions for two images" in capsys.readouterr().err


def test_image_comes_alone(place, image, capsys):  # noqa: F811
    (place / "node.toml").write_text('[[channels]]\nsource = {kind = "link"}\n')
    assert make("--image", image(esp_images.application()), "-c", "node.toml") == EXIT_USAGE
    assert "comes alone" in capsys.readouterr().err
