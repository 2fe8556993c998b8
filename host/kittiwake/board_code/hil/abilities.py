"""What a board's MicroPython can do, as words."""

import json
import sys

# Stores a number beside another: the compiler of MicroPython 1.25 for windowed Xtensa loses such a store.
_VIPER = """
from array import array
import micropython
@micropython.viper
def step(state: ptr32) -> int:
    n = state[1]
    state[1] = n + 1
    return state[1]
numbers = array("I", [7, 1, 7, 7])
assert step(numbers) == 2 and list(numbers) == [7, 2, 7, 7]
"""


def _works(source):
    try:
        exec(source, {})
        return True
    except (SyntaxError, NotImplementedError, ImportError, AttributeError, NameError, AssertionError):
        return False


def print_abilities():
    """Print the words as a JSON list."""
    words = []
    for word, source in (
        ("native", "import micropython\n@micropython.native\ndef f():\n pass"),
        ("viper", _VIPER),
        ("asm_thumb", "import micropython\n@micropython.asm_thumb\ndef f():\n nop()"),
        ("asm_rv32", "import micropython\n@micropython.asm_rv32\ndef f():\n nop()"),
        ("floats", "1.5"),
        ("threads", "import _thread"),
        ("littlefs", "from vfs import VfsLfs2"),
        ("network", "import network"),
        ("bluetooth", "import bluetooth"),
    ):
        if _works(source):
            words.append(word)
    try:
        import machine

        for word, name in (
            ("i2c", "I2C"),
            ("softi2c", "SoftI2C"),
            ("spi", "SPI"),
            ("uart", "UART"),
            ("pin", "Pin"),
            ("adc", "ADC"),
            ("pwm", "PWM"),
            ("i2s", "I2S"),
            ("timer", "Timer"),
            ("rtc", "RTC"),
            ("mem32", "mem32"),
        ):
            if hasattr(machine, name):
                words.append(word)
    except ImportError:
        pass
    print(json.dumps(words + [sys.platform]))
