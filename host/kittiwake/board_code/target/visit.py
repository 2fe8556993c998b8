"""A visitor's files on a board: what they replace is set aside, and put back when the visitor leaves.

The list of what was done lies on the board, written before each change, so that a visit that was cut short is ended by
the next one. A line begins with "=" for what was there before, "." after the last of these, "+" for a visitor's file,
"-" for one that was set aside, "/" for a folder that was made, "*" for a folder whose content goes with it; its path
follows.
"""

import os

_LIST = "visit.txt"
_ASIDE = ".visited"


def _exists(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False


def _lines():
    try:
        with open(_LIST) as file:
            return file.read().split("\n")[:-1]
    except OSError:
        return []


def _note(line):
    with open(_LIST, "a") as file:
        file.write(line + "\n")


def _set_aside(path, known):
    if _exists(path) and "+" + path not in known and "-" + path not in known:
        _note("-" + path)
        os.rename(path, path + _ASIDE)


def announce(paths):
    """Set aside what a visitor's files would replace, the other form of a module too, and note those that are new.

    Args:
        paths: of the files that are about to be written, or to be left out of the way.
    """
    known = _lines()
    for path in paths:
        twin = path[:-4] + ".py" if path.endswith(".mpy") else path[:-3] + ".mpy" if path.endswith(".py") else ""
        if twin:
            _set_aside(twin, known)
        _set_aside(path, known)
        if "+" + path not in known:
            at = path.find("/", 1)
            while at > 0:
                if not _exists(path[:at]) and "/" + path[:at] not in known:
                    _note("/" + path[:at])
                    known.append("/" + path[:at])
                at = path.find("/", at + 1)
            _note("+" + path)


def announce_folder(path):
    """Note a folder that a visitor is about to fill, when it is not there.

    Args:
        path: of the folder.
    """
    if not _exists(path) and "*" + path not in _lines():
        _note("*" + path)


def _volume(path):
    """What tells a file system from another that is mounted in it."""
    return os.statvfs(path)[:3]


def _every(folder, volume):
    """Paths of all files and folders of the board's own file system, folders after what is in them."""
    for name in os.listdir(folder):
        path = folder + "/" + name if folder else name
        if os.stat(path)[0] & 0x4000:
            if _volume(path) != volume:
                continue
            yield from _every(path, volume)
        yield path


def note_what_is_there():
    """Note every path there is, so that what the visitor's code makes can be told from it. Before all else."""
    with open(_LIST, "w") as file:
        for path in _every("", _volume("")):
            file.write("=" + path + "\n")
        file.write(".\n")


def _remove_new(lines):
    """Remove what was not there when the visit began, once that is known whole."""
    if "." not in lines:
        return
    before = {line[1:] for line in lines if line[0] == "="}
    for path in list(_every("", _volume(""))):
        if path not in before and path != _LIST:
            try:
                _remove_all(path)
            except OSError:
                pass  # in use, or on its way out with its folder


def _remove_all(path):
    try:
        names = os.listdir(path)
    except OSError:
        names = None
    if names is None or not os.stat(path)[0] & 0x4000:
        os.remove(path)
        return
    for name in names:
        _remove_all(path + "/" + name)
    os.rmdir(path)


def end_visit():
    """Remove what the visitor brought, put back what was set aside, and forget the visit. Idempotent."""
    lines = _lines()
    for line in reversed(lines):
        kind, path = line[0], line[1:]
        try:
            if kind == "+":
                os.remove(path)
            elif kind == "*":
                _remove_all(path)
            elif kind == "/":
                os.rmdir(path)
        except OSError:
            pass  # the visitor did not get so far, or somebody put files of his own there
    for line in lines:
        path = line[1:]
        if line[0] == "-" and _exists(path + _ASIDE):
            os.rename(path + _ASIDE, path)
    _remove_new(lines)
    if lines:
        os.remove(_LIST)
    if hasattr(os, "sync"):
        os.sync()
