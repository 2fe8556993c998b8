"""The gateway's install resolves to wheels on every Arm a Raspberry Pi has. It asks the index, so in the soak alone."""

import os
import zipfile

import pytest

from tools import light_install

SOAK = os.environ.get("KITTIWAKE_SOAK") == "1"


def test_installed_mb_counts_modules_twice_and_the_rest_once(tmp_path):
    with zipfile.ZipFile(tmp_path / "a-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("a.py", "x" * 500_000)
        wheel.writestr("a.so", b"y" * 1_000_000)
    assert light_install.installed_mb(tmp_path) == pytest.approx(2.0)


if SOAK:

    @pytest.mark.timeout(600)
    @pytest.mark.parametrize("python", light_install.PYTHONS)
    @pytest.mark.parametrize("machine", light_install.PLATFORMS)
    def test_gateway_install_is_light(machine, python, tmp_path):
        assert light_install.resolve(machine, python, tmp_path) == ""
        assert 0 < light_install.installed_mb(tmp_path) < 60
