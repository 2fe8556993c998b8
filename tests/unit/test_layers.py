"""The laws hold on this tree, and each check can fail."""

import shutil
from pathlib import Path

import pytest

from tools import layers

ROOT = Path(__file__).resolve().parents[2]


def test_layers_of_this_tree_hold():
    assert layers.violations(ROOT) == []


def test_layers_without_files_raises(tmp_path):
    with pytest.raises(FileNotFoundError):
        layers.violations(tmp_path)


@pytest.mark.parametrize(
    ("path", "code", "expected"),
    [
        ("firmware/kittiwake_node/detect/zz.py", "import os", "must not import os (law 1)"),
        ("firmware/kittiwake_node/detect/zz.py", "from time import ticks_ms", "must not import time (law 1)"),
        (
            "firmware/kittiwake_node/detect/zz.py",
            "from kittiwake_node.io import clock",
            "kittiwake_node.io.clock (law 1)",
        ),
        ("firmware/kittiwake_node/detect/zz.py", "from ..store import journal", "kittiwake_node.store.journal (law 1)"),
        (
            "firmware/kittiwake_node/detect/zz.py",
            "def f():\n    import kittiwake_node.kernels.plain",
            "kernels.plain (law 1)",
        ),
        ("firmware/kittiwake_node/detect/zz.py", "f = open('x')", "must not call open() (law 1)"),
        ("firmware/kittiwake_node/speech/zz.py", "import machine", "must not import machine (law 1)"),
        (
            "firmware/kittiwake_node/kernels/plain.py",
            "from kittiwake_node.kernels import viper",
            "kernels.viper (law 1)",
        ),
        ("firmware/kittiwake_node/detect/zz.py", "import typing", "must not import typing (law 1)"),
        ("firmware/kittiwake_node/detect/zz.py", "if False:\n    import os", "must not import os (law 1)"),
        (
            "firmware/kittiwake_node/detect/zz.py",
            "if False:\n    pass\nelse:\n    import typing",
            "must not import typing (law 1)",
        ),
        ("firmware/kittiwake_node/store/zz.py", "import os", "must not import os (law 2)"),
        ("firmware/kittiwake_node/store/zz.py", "from kittiwake_node.io import clock", "io.clock (law 2)"),
        ("firmware/kittiwake_node/io/zz.py", "from kittiwake_node.detect import zscore", "detect.zscore (law 2)"),
        ("firmware/kittiwake_node/node.py", "import asyncio", "must not import asyncio (law 2)"),
        ("firmware/kittiwake_node/attic/zz.py", "", "is in no room"),
        ("host/kittiwake/publish/zz.py", "from kittiwake_node.detect.zscore import ZScore", "detect.zscore (law 3)"),
        ("host/kittiwake/publish/zz.py", "from kittiwake_node import kernels", "kittiwake_node.kernels (law 3)"),
        ("host/kittiwake/reference/zz.py", "from kittiwake_node.link import record", "link.record (law 3)"),
        ("host/kittiwake/reference/zz.py", "from kittiwake.signals import wav", "kittiwake.signals.wav (law 3)"),
        (
            "host/kittiwake/publish/zz.py",
            "from kittiwake.bridge import service",
            "kittiwake.bridge.service (rooms.toml)",
        ),
        (
            "host/kittiwake/bridge/zz.py",
            "from kittiwake.cli.output import progress",
            "kittiwake.cli.output.progress (rooms.toml)",
        ),
        (
            "host/kittiwake/board_code/doctor/zz.py",
            "from kittiwake.signals import wav",
            "kittiwake.signals.wav (law 3)",
        ),
        ("host/kittiwake/board_code/doctor/zz.py", "from dataclasses import dataclass", "dataclasses (law 3)"),
        ("host/kittiwake/attic.py", "", "is in no room"),
        ("firmware/kittiwake_node/link/zz.py", "from ..mqtt import session", "kittiwake_node.mqtt.session (law 1)"),
        ("firmware/kittiwake_node/detect/zz.py", "from . import zz", "imports itself by way of detect/zz -> detect/zz"),
        ("host/kittiwake/zz.py", "def (", "is not Python"),
    ],
)
def test_layers_with_a_violation_names_file_and_law(tmp_path, path, code, expected):
    tree = _small_tree(tmp_path)
    (tree / path).parent.mkdir(parents=True, exist_ok=True)
    (tree / path).write_text(code)
    found = layers.violations(tree)
    assert len(found) == 1, found
    assert found[0].startswith(path + ":")
    assert expected in found[0]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (
            "firmware/kittiwake_node/detect/zz.py",
            "import struct\nfrom array import array\nfrom micropython import const",
        ),
        ("firmware/kittiwake_node/detect/zz.py", "from kittiwake_node.errors import FrameError\nfrom . import other"),
        ("firmware/kittiwake_node/io/zz.py", "import machine, os, time, select"),
        (
            "firmware/kittiwake_node/detect/zz.py",
            "if False:\n    from collections.abc import Callable\n    from typing import Any\n"
            "    from kittiwake_types import Buffer",
        ),
        (
            "firmware/kittiwake_node/node.py",
            "from kittiwake_node.io import clock\nfrom kittiwake_node.detect import zscore",
        ),
        (
            "host/kittiwake/board_code/doctor/zz.py",
            "import gc, vfs\nfrom machine import Pin\nfrom kittiwake_node.io import parts",
        ),
        (
            "host/kittiwake/publish/zz.py",
            "from kittiwake_node.link.frame import Decoder\nfrom kittiwake_node.link import record",
        ),
    ],
)
def test_layers_with_what_is_allowed_finds_nothing(tmp_path, path, code):
    tree = _small_tree(tmp_path)
    (tree / path).parent.mkdir(parents=True, exist_ok=True)
    (tree / path).write_text(code)
    assert layers.violations(tree) == []


def test_layers_with_two_modules_in_a_circle_names_both_once(tmp_path):
    tree = _small_tree(tmp_path)
    for name, code in (("zy", "from . import zz"), ("zz", "from kittiwake.publish.zy import Name")):
        path = tree / f"host/kittiwake/publish/{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(code)
    (found,) = layers.violations(tree)
    assert "publish/zy -> publish/zz -> publish/zy" in found


def _small_tree(tmp_path: Path) -> Path:
    for name in ("firmware/kittiwake_node/errors.py", "host/kittiwake/errors.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path
