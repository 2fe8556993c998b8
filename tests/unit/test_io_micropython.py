"""The drivers on MicroPython itself: the heap locked while samples flow, and a UART that is never made to wait."""

from tests.support.micropython import FIRMWARE, run_script


def test_drivers_allocate_nothing_while_samples_flow_and_no_uart_waits():
    seen = run_script("tests/unit/io_run.py", str(FIRMWARE))
    assert seen["lis3dh"] >= 8 * 50 and seen["mpu6050"] >= 8 * 50
    assert seen["adc"] == 51
    arrived, longest_us, turns = seen["uart"]
    # 16 bytes at 115200 baud and a little; a thousand of them take many turns instead of one long wait.
    assert arrived and longest_us <= 16 * 86 and turns > 60
