"""Sources of audio that a configuration names: WAV files and I2S microphones."""

from ..errors import ConfigError
from . import i2s, wav


def make_source(channel, clock):
    """A microphone's source. Raises ConfigError when it cannot be."""
    source = channel["source"]
    if source["kind"] == "wav":
        try:
            return wav.Wav(source["path"], channel["rate_hz"], clock)
        except OSError as error:
            raise ConfigError("source.path", "%s cannot be opened (%s)" % (source["path"], error))
    return i2s.I2S(make_i2s(source), source["blocks"], source["block_samples"], clock)


def make_i2s(settings):
    """The driver of an I2S microphone: pins sck, ws, sd, which I2S, and how many bytes the driver buffers itself.

    Args:
        settings: of the source, checked (config_sensor.py).

    Raises:
        ConfigError: this board has no machine.I2S.
    """
    try:
        from machine import I2S, Pin
    except ImportError:
        raise ConfigError("source.kind", "this board's MicroPython has no machine.I2S")
    pins = {name: Pin(settings[name]) for name in ("sck", "ws", "sd")}
    return I2S(settings["id"], mode=I2S.RX, bits=16, format=I2S.MONO, rate=16000, ibuf=settings["ibuf"], **pins)
