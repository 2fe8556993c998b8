"""Parts: makes the port, the block device, the sources and the action that a configuration names."""

from ..errors import ConfigError
from . import action, folder, port, source, storage


def make_port(link):
    """The link's port. Raises ConfigError for a kind that there is not."""
    kind = link.get("kind")
    if kind == "fd":
        return port.StreamPort(open(link["fd"], "r+b"))
    if kind == "kwboard":
        import kwboard  # in the firmware of emulated boards only

        return port.StreamPort(kwboard.Link())
    if kind == "stdio":
        return port.StdioPort()
    raise ConfigError("link.kind", "%r is not one of: fd, kwboard, stdio" % kind)


def make_storage(given):
    """The file system of the journal, and what counts its wear (None when nothing does).

    Raises:
        ConfigError: there is no such kind.
        StorageError: see storage.open_file_system.
    """
    if given.get("kind") == "folder":
        return folder.FolderFs(given["path"]), None
    device = make_device(given)
    return storage.open_file_system(device), device


def make_device(given):
    """The block device of the journal. Raises ConfigError for a kind that there is not."""
    kind = given.get("kind")
    if kind == "file":
        return storage.FileBlockDevice(given["path"], given.get("bytes", 1 << 20))
    if kind == "kwflash":
        import kwflash  # in the firmware of emulated boards only

        return kwflash.journal
    raise ConfigError("storage.kind", "%r is not one of: file, folder, kwflash" % kind)


def make_source(channel, clock):
    """A channel's source. Raises ConfigError for a kind that there is not."""
    given = channel["source"]
    kind = given.get("kind")
    if kind == "replay":
        return source.Replay(given["path"], channel["rate_hz"], clock, given.get("follow", False))
    if kind == "link":
        return source.Injected(given.get("room", 1024), clock)
    raise ConfigError("source.kind", "%r is not one of: replay, link" % kind)


def make_action(given):
    """What an anomaly drives. Raises ConfigError for a kind that there is not."""
    kind = given.get("kind", "virtual")
    if kind == "virtual":
        return action.VirtualPin()
    if kind == "pin":
        return action.OutputPin(given["pin"], given.get("active_high", True))
    raise ConfigError("action.kind", "%r is not one of: virtual, pin" % kind)
