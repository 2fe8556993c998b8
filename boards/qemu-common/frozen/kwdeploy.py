"""Take files over from the host, by semihosting: a deployment in a blink, where the console would need ten seconds.

Knows paths and bytes, not what the files are.
"""

import os

import kwboard

_chunk = bytearray(512)
_other = bytearray(512)


def take(payload, entries):
    """Write files that the host laid out in one file of its own; those that are there already are left alone.

    A module's other form goes (`a.py` when `a.mpy` comes), since it would be imported instead.

    Args:
        payload: path of the host's file.
        entries: (path here, offset in the payload, size in bytes) of each file.

    Returns:
        The number of files written.

    Raises:
        OSError: the payload is not there, or the file system is full.
    """
    written = 0
    for path, offset, size in entries:
        _remove(_twin(path))
        if _is_same(path, payload, offset, size):
            continue
        _make_folders(path)
        with open(path, "wb") as file:
            view = memoryview(_chunk)
            done = 0
            while done < size:
                n = kwboard.host_read(payload, view[: min(len(_chunk), size - done)], offset + done)
                if n == 0:
                    raise OSError("payload too short")
                file.write(view[:n])
                done += n
        written += 1
    return written


def _is_same(path, payload, offset, size):
    try:
        if os.stat(path)[6] != size:
            return False
    except OSError:
        return False
    with open(path, "rb") as file:
        done = 0
        while done < size:
            n = file.readinto(_chunk)
            if n == 0 or kwboard.host_read(payload, memoryview(_other)[:n], offset + done) != n:
                return False
            if _chunk[:n] != _other[:n]:
                return False
            done += n
    return True


def _twin(path):
    if path.endswith(".mpy"):
        return path[:-4] + ".py"
    if path.endswith(".py"):
        return path[:-3] + ".mpy"
    return path + "~"


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass  # it was not there


def _make_folders(path):
    parts = path.split("/")[:-1]
    for i in range(1, len(parts) + 1):
        folder = "/".join(parts[:i])
        if folder:
            try:
                os.mkdir(folder)
            except OSError:
                pass  # it is there; when it cannot be made, opening the file says so
