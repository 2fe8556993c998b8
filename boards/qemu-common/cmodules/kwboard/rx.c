// Received bytes wait here: one ring a UART, filled by its interrupt.
//
// The interrupt alone moves `head`, the reader alone moves `tail`. Neither allocates.
// A full ring leaves the bytes in the UART, which makes the emulator hold back the sender, so nothing is lost. One
// exception: while a program runs, a full console ring drops bytes, since Ctrl-C may be behind them.

#include "kwboard.h"

#include "py/mphal.h"
#include "py/runtime.h"
#include "shared/runtime/interrupt_char.h"

typedef struct _ring_t {
    uint8_t *bytes;
    uint32_t size; // a power of two
    volatile uint32_t head;
    volatile uint32_t tail;
    volatile bool held; // the UART was left with bytes in it
} ring_t;

static uint8_t console_bytes[KW_CONSOLE_RING];
static uint8_t link_bytes[KW_LINK_RING];
static ring_t rings[KW_UARTS] = {
    {console_bytes, KW_CONSOLE_RING, 0, 0, false},
    {link_bytes, KW_LINK_RING, 0, 0, false},
};
static uint32_t dropped;

void kw_rx_from_irq(int uart) {
    ring_t *ring = &rings[uart];
    kw_uart_ack_rx_irq(uart);
    for (;;) {
        bool full = ring->head - ring->tail == ring->size;
        if (full && !(uart == KW_CONSOLE && mp_interrupt_char >= 0)) {
            ring->held = true;
            kw_uart_set_rx_irq(uart, false);
            return;
        }
        int byte = kw_uart_take(uart);
        if (byte < 0) {
            return;
        }
        if (uart == KW_CONSOLE && byte == mp_interrupt_char) {
            mp_sched_keyboard_interrupt();
        } else if (full) {
            dropped += 1;
        } else {
            ring->bytes[ring->head & (ring->size - 1)] = byte;
            ring->head += 1;
        }
    }
}

static void resume(int uart) {
    rings[uart].held = false;
    kw_uart_set_rx_irq(uart, true);
    kw_rx_from_irq(uart);
}

void kw_rx_from_tick(void) {
    // The ring filled before the program that runs now began: without this, its Ctrl-C would wait in the UART for ever.
    if (rings[KW_CONSOLE].held && mp_interrupt_char >= 0) {
        resume(KW_CONSOLE);
    }
}

size_t kw_rx_read(int uart, uint8_t *to, size_t len) {
    ring_t *ring = &rings[uart];
    size_t n = 0;
    while (n < len && ring->tail != ring->head) {
        to[n++] = ring->bytes[ring->tail & (ring->size - 1)];
        ring->tail += 1;
    }
    if (ring->held && ring->head - ring->tail <= ring->size / 2) {
        uint32_t state = kw_irq_disable();
        resume(uart);
        kw_irq_restore(state);
    }
    return n;
}

size_t kw_rx_available(int uart) {
    return rings[uart].head - rings[uart].tail;
}

uint32_t kw_rx_dropped(void) {
    return dropped;
}
