"""When a board of a bench is flashed, and what it must say afterwards."""

import pytest

from kittiwake.errors import ConfigError, KittiwakeError
from kittiwake.hil import bench, wanted


def test_board_that_is_not_flashed_without_a_hand_is_refused(monkeypatch):
    monkeypatch.setattr(wanted, "version", lambda port: None)
    settings = bench.WantedMicroPython(version="1.28.0", board="nucleo-f446re", image="x.bin")
    with pytest.raises(ConfigError, match="nucleo-f446re is not flashed without a hand at it"):
        wanted.bring("/dev/x", settings, print)


@pytest.mark.parametrize(
    ("before", "after", "always", "outcome"),
    [
        ("1.28.0", None, False, (False, 0)),
        ("1.28.0", "1.28.0", True, (True, 1)),
        ("1.27.0", "1.28.0", False, (True, 1)),
        (None, "1.28.0", False, (True, 1)),
        ("1.27.0", "1.27.0", False, ("runs MicroPython 1.27.0, not 1.28.0", 1)),
        (None, None, False, ("gives no prompt, not 1.28.0", 1)),
    ],
)
def test_board_is_flashed_when_it_lacks_the_wanted_version_and_must_have_it_then(
    monkeypatch, before, after, always, outcome
):
    flashed = []
    monkeypatch.setattr(wanted.flashing, "flash", lambda what, say: flashed.append(what))
    monkeypatch.setattr(wanted, "version", lambda port: after if flashed else before)
    settings = bench.WantedMicroPython(version="1.28.0", board="esp32-devkitc", image="x.bin")
    try:
        result = wanted.bring("/dev/x", settings, print, always)
    except KittiwakeError as error:
        result = outcome[0] if outcome[0] in str(error) else str(error)
    assert (result, len(flashed)) == outcome
