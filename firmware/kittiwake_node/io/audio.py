"""Sources of audio that a configuration names: WAV files and I2S microphones."""

from ..errors import ConfigError
from . import i2s, wav


def make_source(channel, clock):
    """A microphone's source. Raises ConfigError when it cannot be."""
    given = channel["source"]
    if given["kind"] == "wav":
        return wav.Wav(given.get("path", ""), channel["rate_hz"], clock)
    return i2s.I2S(make_i2s(given), given.get("blocks", 8), given.get("block_samples", 480), clock)


def make_i2s(given):
    """The driver of an I2S microphone: pins sck, ws, sd, which I2S, and how many bytes the driver buffers itself.

    Raises:
        ConfigError: a pin is missing, or this board has no machine.I2S.
    """
    try:
        from machine import I2S, Pin

        sck, ws, sd = [Pin(given[name]) for name in ("sck", "ws", "sd")]
        ibuf = given.get("ibuf", 16384)
        return I2S(
            given.get("id", 0), sck=sck, ws=ws, sd=sd, mode=I2S.RX, bits=16, format=I2S.MONO, rate=16000, ibuf=ibuf
        )
    except ImportError:
        raise ConfigError("source.kind", "this board's MicroPython has no machine.I2S")
    except KeyError as error:
        raise ConfigError("source", "an I2S microphone needs the pin %s" % error)
