"""Kernels of networks: they compile for every architecture, and are refused where they cannot run."""

from pathlib import Path

import pytest

import kittiwake.errors
from kittiwake.target import mpy

KERNELS = Path(__file__).resolve().parents[2] / "firmware/kittiwake_node/kernels"
STAGES = (
    "conv",
    "depthwise",
    "shape",
    "copy",
    "table",
    "pointwise",
    "pool",
    "softmax",
    "logsoftmax",
    "floats",
    "recurrent",
    "matmul",
    "conv16",
    "pointwise16",
    "pool16",
    "curve16",
    "floats16",
)
ARCHITECTURES = {
    "armv6m": ("plain", "viper"),
    "armv7m": ("plain", "viper", "thumb2"),
    "armv7em": ("plain", "viper", "thumb2", "dsp"),
    "armv7emsp": ("plain", "viper", "thumb2", "dsp"),
    "armv7emdp": ("plain", "viper", "thumb2", "dsp"),
    "xtensa": ("plain", "viper"),
    "xtensawin": ("plain", "viper"),
    "rv32imc": ("plain", "viper", "rv32"),
    "x64": ("plain", "viper"),
}


@pytest.mark.parametrize("arch", list(ARCHITECTURES))
def test_network_kernels_compile_for_each_architecture(arch):
    files = kittiwake.firmware_files()
    wanted = {path: files[path] for path in files if path.rpartition("_")[2].removesuffix(".py") in STAGES}
    made = mpy.compile_files({path: wanted[path] for path in wanted if "/kernels/" in path}, arch)
    sets = {Path(path).name.partition("_")[0] for path in made}
    assert sets == set(ARCHITECTURES[arch])
    assert sum(Path(path).name.startswith("viper_") for path in made) == len(STAGES)


def test_thumb2_kernels_on_an_armv6m_are_refused():
    for name in ("thumb2_conv", "thumb2_depthwise"):
        source = (KERNELS / f"{name}.py").read_bytes()
        with pytest.raises(kittiwake.errors.KittiwakeError, match="does not compile for armv6m"):
            mpy.compile_files({f"elsewhere/{name}.py": source}, "armv6m")
