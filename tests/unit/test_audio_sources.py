"""Sources of audio: WAV replay at its own pace, and an I2S driver that fills blocks behind the loop's back."""

import wave
from array import array

import pytest

from kittiwake_node.errors import ConfigError
from kittiwake_node.io import i2s, wav
from tests.support.fake_clock import FakeClock


def written(path, count, rate=16000, channels=1):
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        file.writeframes(array("h", range(count * channels)).tobytes())
    return str(path)


@pytest.mark.parametrize("rate_hz", [0, 16000])
def test_wav_gives_its_samples_and_ends(tmp_path, rate_hz):
    path = written(tmp_path / "a.wav", 1000)
    with open(path, "ab") as file:
        file.write(b"LIST\4\0\0\0abcd")  # what comes behind the samples is none
    clock = FakeClock()
    source = wav.Wav(path, rate_hz, clock)
    buf, got = array("h", bytes(2 * 480)), []
    while not source.ended:
        got += buf[: source.read_into(buf)]
        clock.pass_ms(7)
    assert got == list(range(1000))
    assert source.overruns == 0


def test_wav_of_another_form_or_none_is_refused(tmp_path):
    for name, form in (("a", {"rate": 8000}), ("b", {"channels": 2})):
        with pytest.raises(ConfigError, match="16 kHz mono 16-bit"):
            wav.Wav(written(tmp_path / name, 10, **form), 16000, FakeClock())
    (tmp_path / "c").write_bytes(b"RIFFxxxxWAVE")
    with pytest.raises(ConfigError, match="no samples"):
        wav.Wav(str(tmp_path / "c"), 16000, FakeClock())
    with pytest.raises(ConfigError, match="not there"):
        wav.Wav(str(tmp_path / "d"), 16000, FakeClock())


class Driver:
    """As machine.I2S not blocking: readinto returns at once; the callback comes when the buffer is full."""

    def __init__(self):
        self.next = 0
        self._buffer = None

    @property
    def is_given(self):
        return self._buffer is not None

    def irq(self, callback):
        self._callback = callback

    def readinto(self, buffer):
        assert self._buffer is None, "a buffer was given before the last one was full"
        self._buffer = buffer

    def deliver(self):
        buffer, self._buffer = self._buffer, None
        for i in range(len(buffer)):
            buffer[i] = self.next & 0x7FFF
            self.next += 1
        self._callback(self)


def started(*arguments):
    """A source whose driver was given its first block."""
    source = i2s.I2S(*arguments)
    assert source.read_into(array("h", bytes(2))) == 0
    return source


def drained(source, size=480):
    buf, got = array("h", bytes(2 * size)), []
    while count := source.read_into(buf):
        got += buf[:count]
    return got


def test_i2s_ring_gives_every_sample_in_order():
    driver = Driver()
    source = started(driver, 4, 100, FakeClock())
    got = []
    for turn in range(50):
        driver.deliver()
        if turn % 3 == 2:
            got += drained(source, 70)
    got += drained(source)
    assert got == list(range(5000))
    assert source.overruns == 0
    assert source.count == 5000


def test_i2s_overrun_counts_whole_blocks_and_what_is_held_stays_whole():
    driver = Driver()
    source = started(driver, 4, 100, FakeClock())
    for _ in range(10):
        driver.deliver()
    assert source.overruns == 700
    assert drained(source) == list(range(300))
    driver.deliver()
    assert drained(source) == list(range(1000, 1100))


def test_i2s_block_under_way_is_never_given_out():
    driver = Driver()
    source = started(driver, 3, 10, FakeClock())
    driver.deliver()
    driver.deliver()
    buf = array("h", bytes(2 * 5))
    assert source.read_into(buf) == 5
    driver.deliver()  # both others are held, one half read
    assert source.overruns == 10
    assert drained(source) == list(range(5, 20))


def test_i2s_sample_has_the_time_at_which_its_block_came():
    driver, clock = Driver(), FakeClock()
    source = started(driver, 4, 160, clock)
    for _ in range(3):
        clock.pass_ms(10)
        driver.deliver()
    assert [source.time_ms(i) for i in (159, 319, 479)] == [10, 20, 30]
    drained(source)
    assert [source.time_ms(i) for i in (159, 319, 479)] == [10, 20, 30]


def test_i2s_takes_nothing_before_it_is_read_from():
    """A bug: what a node does before its loop's first turn was half a second of overruns, at each boot."""
    driver = Driver()
    source = i2s.I2S(driver, 4, 100, FakeClock())
    assert not driver.is_given
    source.read_into(array("h", bytes(2)))
    source.read_into(array("h", bytes(2)))
    assert driver.is_given
