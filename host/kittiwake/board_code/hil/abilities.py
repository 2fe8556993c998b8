"""What a board's MicroPython can do, as words."""

import json
import sys

_EMITTER = "import micropython\n@micropython.%s\ndef f():\n %s"


def _works(source):
    try:
        exec(source, {})
        return True
    except (SyntaxError, NotImplementedError, ImportError, AttributeError, NameError, AssertionError):
        return False


def print_abilities(viper):
    """Print the words as a JSON list.

    Args:
        viper: source of hil/viper_store.
    """
    words = []
    for word, source in (
        ("native", _EMITTER % ("native", "pass")),
        ("viper", viper),
        ("asm_thumb", _EMITTER % ("asm_thumb", "nop()")),
        ("asm_rv32", _EMITTER % ("asm_rv32", "nop()")),
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
