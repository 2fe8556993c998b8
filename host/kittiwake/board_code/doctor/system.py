"""What MicroPython on this board has."""

import gc
import json
import os

_MODULES = ("tls", "ssl", "network", "bluetooth", "machine")
_CLASSES = ("ADC", "I2C", "I2S", "Pin", "RTC", "SPI", "Timer", "UART", "WDT")
_EMITTERS = (("viper", "x: int) -> int:\n return x"), ("asm_thumb", "):\n nop()"), ("asm_rv32", "):\n nop()"))


def print_system():
    """Print heap, modules, classes of `machine`, emitters of native code, file systems and flash, as JSON."""
    gc.collect()
    facts = {"heap_bytes": gc.mem_free() + gc.mem_alloc(), "has": [], "classes": []}
    for name in _MODULES:
        try:
            __import__(name)
            facts["has"].append(name)
        except ImportError:
            pass
    if "machine" in facts["has"]:
        import machine

        facts["classes"] = [name for name in _CLASSES if hasattr(machine, name)]
    try:
        import vfs
    except ImportError:
        vfs = os
    facts["littlefs"] = hasattr(vfs, "VfsLfs2")
    facts["romfs"] = hasattr(vfs, "rom_ioctl")
    try:
        stat = os.statvfs("/")
        facts["flash_bytes"], facts["flash_free_bytes"] = stat[1] * stat[2], stat[1] * max(0, stat[3])
    except (AttributeError, OSError):
        pass
    for name, body in _EMITTERS:
        try:
            exec("import micropython\n@micropython." + name + "\ndef f(" + body)
            facts["has"].append(name)
        except (SyntaxError, AttributeError, NotImplementedError, ValueError):
            pass
    print(json.dumps(facts))
