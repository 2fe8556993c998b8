"""Parts: makes the port, the block device, the sources and the action that a configuration names."""

from ..config_source import KINDS
from ..errors import ConfigError
from . import action, folder, machine_facts, port, storage
from .clock import Clock

_STORAGES = ("file", "folder", "kwflash")


def make_port(config):
    """The link's port.

    Args:
        config: checked.

    Raises:
        ConfigError: there is no such kind, or what it needs is not there.
    """
    link = config["link"]
    kind = link.get("kind")
    if kind == "fd":
        return port.StreamPort(open(link["fd"], "r+b"))
    if kind == "kwboard":
        import kwboard  # in the firmware of emulated boards only

        return port.StreamPort(kwboard.Link())
    if kind == "stdio":
        return port.StdioPort()
    if kind == "uart":
        from . import uart

        try:
            return uart.UartPort(uart.open_uart(link), link["baudrate"], Clock())
        except (ImportError, TypeError, ValueError) as error:
            raise ConfigError("link", "no UART %d with these pins on this board (%s)" % (link["id"], error))
    if kind == "mqtt":
        from .net import broker  # the network's modules are for boards that have one

        return broker.make_port(config)
    raise ConfigError("link.kind", "%r is not one of: fd, kwboard, stdio, uart, mqtt" % kind)


def make_storage(settings):
    """The file system of the journal, and what counts its wear (None when nothing does).

    Raises:
        ConfigError: there is no such kind.
        StorageError: see storage.open_file_system.
    """
    check_storage(settings)
    if settings["kind"] == "folder":
        return folder.FolderFs(settings["path"]), None
    device = make_device(settings)
    return storage.open_file_system(device), device


def check_storage(settings):
    """Refuse a storage that there is not. Raises ConfigError, naming the setting."""
    kind = settings.get("kind")
    if kind not in _STORAGES:
        raise ConfigError("storage.kind", "%r is not one of: %s" % (kind, ", ".join(_STORAGES)))
    if kind != "kwflash" and not isinstance(settings.get("path"), str):
        raise ConfigError("storage.path", "name the folder or the file of the journal")


def make_memory():
    """A file system in memory, for records that the configured storage does not take: an eighth of the heap at most.

    Returns:
        (VfsLfs2, None).
    """
    size = max(storage.MEMORY_LEAST_BYTES, min(storage.MEMORY_MOST_BYTES, machine_facts.heap_free() // 8))
    while True:
        try:
            return storage.open_file_system(storage.MemoryBlockDevice(size)), None
        except MemoryError:
            if size <= storage.MEMORY_LEAST_BYTES:
                raise
            size = max(storage.MEMORY_LEAST_BYTES, size // 2)  # free, but in splinters


def make_device(settings):
    """The block device of the journal. Raises ConfigError for a kind that there is not."""
    kind = settings.get("kind")
    if kind == "file":
        return storage.FileBlockDevice(settings["path"], settings.get("bytes", 1 << 20))
    if kind == "kwflash":
        import kwflash  # in the firmware of emulated boards only

        return kwflash.journal
    raise ConfigError("storage.kind", "%r is not one of: file, folder, kwflash" % kind)


def make_source(channel, clock):
    """A channel's source.

    Args:
        channel: checked (config.check).
        clock: a Clock.

    Returns:
        A source.Source.

    Raises:
        ConfigError: there is no such kind, or what it needs is not there.
    """
    kind = channel["source"].get("kind")
    if kind not in KINDS:
        raise ConfigError("source.kind", "%r is not one of: %s" % (kind, ", ".join(sorted(KINDS))))
    # By name, so that a board holds only the code of the sources that it has.
    name = KINDS[kind][0]
    module = __import__("kittiwake_node.io." + name, None, None, (name,))
    return module.make_source(channel, clock)


def make_action(settings):
    """What an anomaly drives. Raises ConfigError for a kind that there is not."""
    kind = settings.get("kind", "virtual")
    safe = settings.get("safe", 0)
    if kind == "virtual":
        return action.VirtualPin(safe)
    if kind == "pin":
        return action.OutputPin(settings["pin"], settings.get("active_high", True), safe)
    raise ConfigError("action.kind", "%r is not one of: virtual, pin" % kind)
