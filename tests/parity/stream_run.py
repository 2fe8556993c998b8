"""Run by a board: a series through one stage, each chunk's answers as a line of counts and checksums (stream.py)."""

# ruff: noqa: UP031 (MicroPython)

import gc
from array import array
from binascii import a2b_base64, crc32

from kittiwake_node import kernels

try:
    from kwboard import host_read
except ImportError:

    def host_read(path, buf, offset):
        with open(path, "rb") as file:
            file.seek(offset)
            return file.readinto(buf)


def stream_begin(module, name, kernel, settings, code):
    global made, fed, typecode, size
    made = None
    gc.collect()
    package = __import__("kittiwake_node.detect." + module, None, None, (name,))
    made = getattr(package, name)(kernels.load(kernel), **settings)
    fed = 0
    typecode = code
    size = 2 if code == "h" else 4


def told(at, lagged):
    if hasattr(made, "sum_sq"):
        sums = made.tested() if lagged else (made.sum, made.sum_sq)
        return "%d:%d:%d:%d " % (fed + at, made.x, sums[0], sums[1])
    if hasattr(made, "feature"):
        return "%d:%s " % (fed + at, made.feature)
    return "%d " % (fed + at)


def state(buf):
    if hasattr(made, "tested"):
        made.find(buf, 0, 0)
        words = crc32(bytes(made._ring), crc32(bytes(made._state)[:52]))
        return "%s %08x" % ((made.count, made.sum, made.sum_sq), words)
    if hasattr(made, "feature"):
        return "- %08x" % crc32(made.dump())
    return "%s %08x" % (made.figures(), crc32(bytes(made._state)))


def chunk(buf, count, blocks, lagged):
    global fed
    at = k = flags = crc = 0
    while at < count:
        stop = min(count, at + blocks[k % len(blocks)])
        k += 1
        if not hasattr(made, "find"):
            made.feed(buf, at, stop)
            at = stop
        elif stop == at + 1 and k % 2:
            if made.push(buf[at]):
                flags += 1
                crc = crc32(told(at, lagged).encode(), crc)
            at = stop
        else:
            while at < stop:
                at = made.find(buf, at, stop)
                if at < stop:
                    flags += 1
                    crc = crc32(told(at, lagged).encode(), crc)
                    at += 1
    fed += count
    if hasattr(made, "find"):
        print(flags, "%08x" % crc, state(buf))
    else:
        print((made.count, made.min, made.max, made.sum, made.sum_sq))
        made.reset()


def stream_file(path, offset, count, room, blocks, lagged):
    buf = array(typecode, [0] * room)
    while count:
        part = min(room, count)
        host_read(path, buf, offset * size)
        chunk(buf, part, blocks, lagged)
        offset += part
        count -= part


def stream_text(text, blocks, lagged):
    buf = array(typecode, a2b_base64(text))
    chunk(buf, len(buf), blocks, lagged)
