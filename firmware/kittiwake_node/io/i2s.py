"""An I2S microphone as a source: the driver fills a ring behind the loop's back; what finds it full is counted.

It begins with the first `read_into`, so that what a node does before its loop loses nothing.

Who writes what: the driver's callback (from MicroPython's scheduler, never within a bytecode) moves `_write` and counts
overruns; `read_into` moves `_read`. A block read allocates two memoryviews, a callback nothing.
"""

from array import array

from .source import Source

RATE_HZ = 16000


class I2S(Source):
    """Samples of 16 bits at 16 kHz from a driver that fills a buffer and then calls back, as machine.I2S does.

    Args:
        driver: has readinto(buffer), which returns at once, and irq(callback); deinit().
        blocks: in the ring, at least 3.
        block_samples: of one.
        clock: a Clock.

    Attributes:
        overruns: samples that were read and found no room.
    """

    low, high = -32768, 32767

    def __init__(self, driver, blocks, block_samples, clock):
        Source.__init__(self)
        self._driver = driver
        self._clock = clock
        self._block = block_samples
        self._blocks = [array("h", bytes(2 * block_samples)) for _ in range(blocks)]
        self._views = [memoryview(block) for block in self._blocks]
        self._write = self._read = self._held = self._at = 0
        self._newest_ms = clock.ms()
        self._runs = False
        driver.irq(self._filled)

    def _filled(self, _driver):
        # One block is always the driver's: it is never given out while it is being filled.
        if self._held < len(self._blocks) - 1:
            self._held += 1
            self._write += 1
            if self._write == len(self._blocks):
                self._write = 0
        else:
            self.overruns += self._block
        self._newest_ms = self._clock.ms()
        self._driver.readinto(self._blocks[self._write])

    def read_into(self, buf):
        """Fill `buf` (array of int16) with what has arrived, of one block at most. Returns the number of samples."""
        if not self._held:
            if not self._runs:
                # Not in the constructor: models are read and the journal written before the loop's first turn.
                self._runs = True
                self._driver.readinto(self._blocks[self._write])
            return 0
        size = min(len(buf), self._block - self._at)
        memoryview(buf)[:size] = self._views[self._read][self._at : self._at + size]
        self._at += size
        if self._at == self._block:
            self._at = 0
            self._read += 1
            if self._read == len(self._blocks):
                self._read = 0
            self._held -= 1
        self.count += size
        return size

    def close(self):
        """Stop the driver."""
        self._driver.deinit()

    def time_ms(self, index):
        """When sample `index` came, by the newest block's time."""
        held = self._held * self._block - self._at
        return self._newest_ms - (self.count + held - 1 - index) * 1000 // RATE_HZ

    def age_us(self, index):
        """Microseconds since then."""
        return max(0, self._clock.ms() - self.time_ms(index)) * 1000

    def next_due_ms(self):
        """Milliseconds until samples may be there."""
        return 0 if self._held else self._block * 1000 // RATE_HZ
