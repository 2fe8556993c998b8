// The UARTs of mps2-an385 and mps2-an386: ARM CMSDK, one byte of buffer each way. Source: ARM DDI 0479, section 4.3.

#include "kwboard.h"

typedef struct _uart_t {
    volatile uint32_t data, state, control, interrupt, divider;
} uart_t;

#define TX_FULL 1
#define RX_FULL 2
#define TX_ENABLE 1
#define RX_ENABLE 2
#define RX_INTERRUPT 8
#define INTERRUPT_RX 2

static uart_t *const uarts[KW_UARTS] = {(uart_t *)0x40004000, (uart_t *)0x40005000};

void kw_uart_init(void) {
    for (int i = 0; i < KW_UARTS; i++) {
        uarts[i]->divider = 16;
        uarts[i]->control = TX_ENABLE | RX_ENABLE | RX_INTERRUPT;
    }
}

bool kw_uart_present(int uart) {
    (void)uart;
    return true;
}

int kw_uart_take(int uart) {
    return uarts[uart]->state & RX_FULL ? (int)(uarts[uart]->data & 0xFF) : -1;
}

bool kw_uart_give(int uart, uint8_t byte) {
    if (uarts[uart]->state & TX_FULL) {
        return false;
    }
    uarts[uart]->data = byte;
    return true;
}

void kw_uart_set_rx_irq(int uart, bool on) {
    uarts[uart]->control = TX_ENABLE | RX_ENABLE | (on ? RX_INTERRUPT : 0);
}

void kw_uart_ack_rx_irq(int uart) {
    uarts[uart]->interrupt = INTERRUPT_RX;
}
