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

// Input that the host left in a file: after KW_FEED it is read as though it had come through the UART, in a blink, where
// every byte there costs the emulator a turn of its main loop. The host removes the file once it is read; without it
// KW_FEED is a byte like any other.
static const char feed_path[] = "console.in";
static struct {
    uint32_t offset; // of what is read next
    uint8_t bytes[256];
    size_t at, end; // equal: there is no more of it
} feed;

static bool feed_more(void) {
    int n = kw_host_read(feed_path, sizeof(feed_path) - 1, feed.offset, feed.bytes, sizeof(feed.bytes));
    feed.at = 0;
    feed.end = n < 0 ? 0 : n;
    feed.offset += feed.end;
    return feed.end > 0;
}

static uint8_t feed_take(void) {
    uint8_t byte = feed.bytes[feed.at++];
    if (feed.at == feed.end) {
        feed_more();
    }
    return byte;
}

size_t kw_console_available(void) {
    return feed.end - feed.at + kw_rx_available(KW_CONSOLE);
}

int __wrap_mp_hal_stdin_rx_chr(void) {
    if (feed.at < feed.end) {
        return feed_take();
    }
    uint8_t byte;
    while (kw_rx_read(KW_CONSOLE, &byte, 1) == 0) {
        mp_event_wait_indefinite();
    }
    if (byte == KW_FEED) {
        feed.offset = 0;
        return feed_more() ? feed_take() : byte;
    }
    return byte;
}

uintptr_t __wrap_mp_hal_stdio_poll(uintptr_t flags) {
    uintptr_t ready = flags & MP_STREAM_POLL_WR;
    if ((flags & MP_STREAM_POLL_RD) && kw_console_available()) {
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
