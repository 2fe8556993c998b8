"""Parts: makes the port, the block device, the sources and the action that a configuration names."""

from ..errors import ConfigError
from . import action, folder, machine_facts, port, source, storage
from .clock import Clock


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
    if kind in ("wav", "i2s"):
        from . import audio  # boards without a microphone need not load it

        return audio.make_source(channel, clock)
    if kind in ("tmp105", "lis3dh", "mpu6050", "adc"):
        from . import sensors  # boards without a sensor need not load it

        return sensors.make_source(channel, clock)
    if kind == "timer":
        from . import ticked  # boards that do not judge in an interrupt need not load it

        if channel["rate_hz"] < 1:
            raise ConfigError("rate_hz", "a timer ticks at least once a second, not %d times" % channel["rate_hz"])
        sensor = make_sensor(given.get("sensor", {}), channel["bits"])
        return ticked.Ticked(sensor, channel["rate_hz"], clock, given.get("room", 256))
    raise ConfigError(
        "source.kind", "%r is not one of: replay, link, wav, i2s, timer, adc, tmp105, lis3dh, mpu6050" % kind
    )


def make_sensor(given, bits):
    """What a timer's interrupt reads, see detect.reflex.Reflex. Raises ConfigError for a kind that there is not."""
    kind = given.get("kind")
    if kind == "wave":
        from . import wave

        try:
            return wave.Wave(given["path"], bits)
        except (KeyError, OSError, ValueError) as error:
            raise ConfigError("source.sensor.path", "no file of int16 samples (%s)" % error)
    if kind == "adc":
        from . import sensors

        return sensors.make_adc(given, bits)
    raise ConfigError("source.sensor.kind", "%r is not one of: wave, adc" % kind)


def make_action(given):
    """What an anomaly drives. Raises ConfigError for a kind that there is not."""
    kind = given.get("kind", "virtual")
    safe = given.get("safe", 0)
    if kind == "virtual":
        return action.VirtualPin(safe)
    if kind == "pin":
        return action.OutputPin(given["pin"], given.get("active_high", True), safe)
    raise ConfigError("action.kind", "%r is not one of: virtual, pin" % kind)
