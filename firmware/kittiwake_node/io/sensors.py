"""Makes the source of a channel that has a sensor: bus, driver and pace. Loaded only where there is one."""

from ..errors import ConfigError
from . import adc, fifo, i2c_bus, lis3dh, mpu6050, sampled, ticked, tmp105

_AXES = {"x": 0, "y": 1, "z": 2}
_CHIPS = {"lis3dh": lis3dh.Lis3dh, "mpu6050": mpu6050.Mpu6050}


def make_source(channel, clock):
    """A channel's source.

    Args:
        channel: checked (config_source.py), its source's kind a sensor's.
        clock: a Clock.

    Raises:
        ConfigError: the sensor does not answer, or the board has not got it.
    """
    settings = channel["source"]
    kind = settings["kind"]
    if kind == "adc":
        pin = adc.open_adc(settings, channel["bits"])
        return ticked.Ticked(pin, channel["rate_hz"], clock, settings["room"], acts=False)
    address = settings["address"]
    try:
        bus = make_bus(settings["i2c"])
        if kind == "tmp105":
            return sampled.Sampled(tmp105.Tmp105(bus.controller, address), channel["rate_hz"], clock)
        chip = _CHIPS[kind](bus, address, channel["rate_hz"], settings["range_g"], _AXES[settings["axis"]])
        chip.begin()  # what is not there now is a mistake; what goes away later is an incident
    except (OSError, ValueError) as error:
        problem = "no %s answers at address %d (%s); check wires, pins and i2c" % (kind.upper(), address, error)
        raise ConfigError("source", problem)
    return fifo.Fifo(chip, channel["rate_hz"], clock)


def make_bus(settings):
    """A Bus by its settings (config_source.I2C_DEFAULTS)."""
    if settings["kind"] == "sbcon":
        from . import i2c_bitbang

        return i2c_bus.Bus(lambda: i2c_bitbang.SoftI2C(i2c_bitbang.Sbcon(settings["base"])))
    from machine import I2C, Pin

    lines = [settings[name] for name in ("scl", "sda")]
    if "" in lines:
        return i2c_bus.Bus(lambda: I2C(settings["id"], freq=settings["freq"]))

    def free():
        i2c_bus.free_lines(*[Pin(line, Pin.OPEN_DRAIN, value=1) for line in lines])

    return i2c_bus.Bus(lambda: I2C(settings["id"], scl=Pin(lines[0]), sda=Pin(lines[1]), freq=settings["freq"]), free)
