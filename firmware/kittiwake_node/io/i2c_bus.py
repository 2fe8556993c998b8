"""An I2C bus with its troubles: errors counted, a line that a device holds freed, the controller opened anew.

Knows the bus, not what answers there. Nothing here is for interrupts: a transfer waits for its bytes.
"""

_PULSES = 9  # a device that was cut off in the middle of a byte lets go within these. Source: NXP UM10204, 3.1.16


class Bus:
    """One bus.

    Args:
        open_controller: called without arguments, gives a machine.I2C or the like.
        free_lines: called without arguments before it is opened anew; None where the lines are not known.

    Attributes:
        errors: transfers that failed since boot.
    """

    def __init__(self, open_controller, free_lines=None):
        self._open = open_controller
        self._free = free_lines
        self._i2c = open_controller()
        self._byte = bytearray(1)
        self.errors = 0

    def read_into(self, address, register, buf):
        """Fill `buf` with bytes beginning at a register. Does not allocate, as far as the controller does not.

        Raises:
            OSError: the device does not answer.
        """
        try:
            self._i2c.readfrom_mem_into(address, register, buf)
        except OSError:
            self.errors += 1
            raise

    def read(self, address, register):
        """One register's byte. Raises OSError as `read_into`."""
        self.read_into(address, register, self._byte)
        return self._byte[0]

    def write(self, address, register, value):
        """Write one register's byte. Raises OSError as `read_into`."""
        self._byte[0] = value
        try:
            self._i2c.writeto_mem(address, register, self._byte)
        except OSError:
            self.errors += 1
            raise

    @property
    def controller(self):
        """The machine.I2C, or the like, for drivers that need no more."""
        return self._i2c

    def recover(self):
        """Free the lines and open the controller anew; what is wrong with that shows at the next transfer."""
        if self._free is not None:
            self._free()
        try:
            self._i2c = self._open()
        except OSError:
            self.errors += 1


def free_lines(scl, sda):
    """Clock out what a device still wants to say, and end it with a stop. Source: NXP UM10204, 3.1.16 and 3.1.4.

    Args:
        scl: line with value(level), which lets it go (1) or pulls it down (0).
        sda: the same, and value() reads it.
    """
    sda.value(1)
    for _ in range(_PULSES):
        if sda.value():
            break
        scl.value(0)
        scl.value(1)
    scl.value(0)
    sda.value(0)
    scl.value(1)
    sda.value(1)
