// The UARTs of netduino2: USART1 is the console, USART2 the link. Source: RM0033, section 24.6.
//
// QEMU's receiver keeps its interrupt up until the byte is read, whatever its enable bit says, so the interrupt
// controller has to shut it out. Its transmitter never reports to be full: the whole machine waits for the reader.

#include "kwboard.h"

typedef struct _uart_t {
    volatile uint32_t status, data, baud, control;
} uart_t;

#define NVIC_SET_ENABLE (*(volatile uint32_t *)0xE000E104) // interrupts 32 to 63
#define NVIC_CLEAR_ENABLE (*(volatile uint32_t *)0xE000E184)
#define IRQ_BIT(uart) (1u << ((uart) == KW_CONSOLE ? 37 - 32 : 38 - 32))

#define RX_NOT_EMPTY (1 << 5)
#define TX_EMPTY (1 << 7)
#define ENABLE (1 << 13)
#define RX_INTERRUPT (1 << 5)
#define TX_ENABLE (1 << 3)
#define RX_ENABLE (1 << 2)

static uart_t *const uarts[KW_UARTS] = {(uart_t *)0x40011000, (uart_t *)0x40004400};

void kw_uart_init(void) {
    for (int i = 0; i < KW_UARTS; i++) {
        kw_uart_set_rx_irq(i, true);
    }
}

bool kw_uart_present(int uart) {
    (void)uart;
    return true;
}

int kw_uart_take(int uart) {
    return uarts[uart]->status & RX_NOT_EMPTY ? (int)(uarts[uart]->data & 0xFF) : -1;
}

bool kw_uart_give(int uart, uint8_t byte) {
    if (!(uarts[uart]->status & TX_EMPTY)) {
        return false;
    }
    uarts[uart]->data = byte;
    return true;
}

void kw_uart_set_rx_irq(int uart, bool on) {
    uarts[uart]->control = ENABLE | TX_ENABLE | RX_ENABLE | (on ? RX_INTERRUPT : 0);
    if (on) {
        NVIC_SET_ENABLE = IRQ_BIT(uart);
    } else {
        NVIC_CLEAR_ENABLE = IRQ_BIT(uart);
    }
}

void kw_uart_ack_rx_irq(int uart) {
    (void)uart; // reading the data does it
}
