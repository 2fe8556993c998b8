"""Writing a file piece by piece."""

import binascii
import os


def begin_file(path):
    """Open a file for `write_piece`, making its folders. A twin, source or compiled, goes.

    Args:
        path: of the file.
    """
    global _file
    at = path.find("/", 1)
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError:
            pass
        at = path.find("/", at + 1)
    twin = path[:-4] + ".py" if path.endswith(".mpy") else path[:-3] + ".mpy" if path.endswith(".py") else ""
    try:
        os.remove(twin)
    except OSError:
        pass
    _file = open(path, "wb")


def write_piece(text):
    """Write what follows.

    Args:
        text: in base 64.
    """
    _file.write(binascii.a2b_base64(text))


def end_file():
    """Close it."""
    _file.close()


def abandon_file():
    """Close what may be open: a file that is removed while it is open, and closed later, damages LittleFS."""
    try:
        _file.close()
    except (NameError, OSError):
        pass
