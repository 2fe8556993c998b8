"""Model plans in files: used where they lie in memory-mapped flash, at a multiple of 4; else read into RAM.

Knows files and how much heap is free; what a plan holds is the executor's business.
"""

import gc

from ..errors import ModelError

# ROMFS, whose files are memory (MicroPython 1.25), comes first.
_PLACES = ("/rom/", "/", "")


def read_plan(path, mapped=True):
    """Give the bytes of a plan.

    Args:
        path: of the file; without a folder it is looked for in flash first.
        mapped: use a file in memory-mapped flash where it lies, without a copy.

    Returns:
        A memoryview of flash, or a bytearray.

    Raises:
        ModelError: "file" (not there, or cut short), "memory" (the heap has less than it takes). Allocates.
    """
    for place in _PLACES if "/" not in path else ("",):
        try:
            file = open(place + path, "rb")
        except OSError:
            continue
        with file:
            plan = _mapped(file) if mapped else None
            return _read(file) if plan is None else plan
    raise ModelError("file", "%s is not there; deploy it" % path)


def _mapped(file):
    """The file as memory, or None where it is none, or where kernels cannot read words of it: images differ in that."""
    try:
        plan = memoryview(file)
    except TypeError:
        return None
    from uctypes import addressof

    return None if addressof(plan) & 3 else plan


def _read(file):
    size = file.seek(0, 2)
    file.seek(0)
    gc.collect()
    free = gc.mem_free() if hasattr(gc, "mem_free") else size
    if free < size:
        raise ModelError("memory", "the plan takes %d bytes, %d of the heap are free" % (size, free))
    try:
        plan = bytearray(size)
    except MemoryError:
        raise ModelError("memory", "the plan takes %d bytes in one piece; the heap has none such" % size)
    view = memoryview(plan)
    at = 0
    while at < size:
        count = file.readinto(view[at:])
        if not count:
            raise ModelError("file", "it ended at byte %d of %d" % (at, size))
        at += count
    return plan
