"""Cuts while a blank partition is formatted: `micropython format_cuts.py FIRMWARE`, one JSON report on stdout.

Every operation of the format is cut, before each of its bytes; the next start must end with a file system. What is
nobody's unfinished format must be refused and left as it is.
"""

import json
import sys

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, sys.argv[0].rsplit("/", 1)[0])

import flash

from kittiwake_node.errors import StorageError
from kittiwake_node.io import storage

BLOCKS = 16
FOREIGN = {
    "text": b"temperature,humidity\n",
    "one byte": b"\x02",
    "fat": b"\xeb\x3c\x90MSDOS5.0\x00\x02\x01" + bytes(200) + b"\xff" * 100 + b"\x55\xaa",
    "zeros and then something": bytes(64) + b"\x01",
    "another's superblock": b"\x01\x00\x00\x00\xf0\x0f\xff\xf7spiffs!!",
    "a superblock and more behind it": b"\x01\x00\x00\x00\xf0\x0f\xff\xf7littlefs" + b"\x00" * 200,
}


def starts(block_bytes, image):
    """Whether the firmware opens it, for writing too."""
    fs = storage.open_file_system(flash.Flash(block_bytes, BLOCKS, image))
    with fs.open("file", "wb") as file:
        file.write(b"x")
    return "file" in [entry[0] for entry in fs.ilistdir("")]


def cut_format(block_bytes):
    """(cuts, cuts after which there is no file system) of one format."""
    device = flash.Flash(block_bytes, BLOCKS)
    image = device.begin_log()
    storage.open_file_system(device)
    cuts, failed = 0, []
    for at, operation in enumerate(device.log):
        for size in range(len(operation[2]) if operation[2] else 1):
            cut = bytearray(image)
            flash.apply(cut, block_bytes, operation, size)
            cuts += 1
            try:
                if not starts(block_bytes, cut):
                    failed.append([at, size, "lost a file"])
            except StorageError as error:
                failed.append([at, size, str(error)])
        flash.apply(image, block_bytes, operation)
    return cuts, failed


def refused(block_bytes, content, block):
    """Whether what somebody has in a block is refused and still there."""
    image = bytearray(b"\xff" * (block_bytes * BLOCKS))
    image[block * block_bytes : block * block_bytes + len(content)] = content
    before = bytes(image)
    try:
        storage.open_file_system(flash.Flash(block_bytes, BLOCKS, image))
    except StorageError as error:
        return error.code == "storage-foreign" and image == before
    return False


report = {"cuts": 0, "failed": [], "formatted": []}
for block_bytes in (512, 4096):
    cuts, failed = cut_format(block_bytes)
    report["cuts"] += cuts
    report["failed"] += failed
    for name, content in FOREIGN.items():
        for block in (0, 1):
            if not refused(block_bytes, content, block):
                report["formatted"].append([block_bytes, name, block])
print(json.dumps(report))
