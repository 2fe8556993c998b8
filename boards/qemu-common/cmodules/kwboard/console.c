// The console: MicroPython's stdin and stdout over the first UART.
//
// The QEMU port polls the UART at the prompt only; these replace its functions at link time (-Wl,--wrap), so that
// Ctrl-C interrupts running code, select can poll stdin, and an idle prompt lets the host's core sleep.

#include "kwboard.h"

#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stream.h"

// A console that is held open and not read must not stop the board for ever. A reader that is merely late, on a host
// that is busy, must lose nothing: what holds its bytes takes some 280 when they come one by one.
#define STALL_MS 10000

// Nobody read for STALL_MS: until somebody does, text is lost at once, and the board stands still no second time.
static bool unread;

int __wrap_mp_hal_stdin_rx_chr(void) {
    uint8_t byte;
    while (kw_rx_read(KW_CONSOLE, &byte, 1) == 0) {
        mp_event_wait_indefinite();
    }
    return byte;
}

uintptr_t __wrap_mp_hal_stdio_poll(uintptr_t flags) {
    uintptr_t ready = flags & MP_STREAM_POLL_WR;
    if ((flags & MP_STREAM_POLL_RD) && kw_rx_available(KW_CONSOLE)) {
        ready |= MP_STREAM_POLL_RD;
    }
    return ready;
}

void __wrap_uart_tx_strn(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (kw_uart_give(KW_CONSOLE, text[i])) {
            unread = false;
            continue;
        }
        if (unread) {
            return;
        }
        uint64_t end = kw_time_ticks() + (uint64_t)STALL_MS * (KW_COUNTER_HZ / 1000);
        while (!kw_uart_give(KW_CONSOLE, text[i])) {
            if (kw_time_ticks() > end) {
                unread = true;
                return;
            }
        }
    }
}
