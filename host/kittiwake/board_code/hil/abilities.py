"""What a board's MicroPython can do, as words."""

import json
import sys


def _compiles(source):
    try:
        exec(source, {})
        return True
    except (SyntaxError, NotImplementedError, ImportError, AttributeError, NameError):
        return False


def print_abilities():
    """Print the words as a JSON list."""
    words = []
    for word, source in (
        ("native", "import micropython\n@micropython.native\ndef f():\n pass"),
        ("viper", "import micropython\n@micropython.viper\ndef f():\n pass"),
        ("asm_thumb", "import micropython\n@micropython.asm_thumb\ndef f():\n nop()"),
        ("asm_rv32", "import micropython\n@micropython.asm_rv32\ndef f():\n nop()"),
        ("floats", "1.5"),
        ("threads", "import _thread"),
        ("littlefs", "from vfs import VfsLfs2"),
        ("network", "import network"),
        ("bluetooth", "import bluetooth"),
    ):
        if _compiles(source):
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
