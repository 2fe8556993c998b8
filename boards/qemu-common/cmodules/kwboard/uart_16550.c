// The UARTs of virt: a 16550 as console, a second 16550 on a PCI card (pci-serial in slot 1) as link.
// Source: PC16550D data sheet; PCI 3.0 configuration space; QEMU hw/riscv/virt memory map.

#include "kwboard.h"

typedef struct _uart_t {
    volatile uint8_t data, interrupt, fifo, line, modem, status;
} uart_t;

#define PCI_CARD 0x30008000 // ECAM: slot 1, function 0
#define PCI_ID (*(volatile uint32_t *)(PCI_CARD + 0x00))
#define PCI_COMMAND (*(volatile uint16_t *)(PCI_CARD + 0x04))
#define PCI_BAR0 (*(volatile uint32_t *)(PCI_CARD + 0x10))
#define PCI_ABSENT 0xFFFFFFFF
#define PCI_IO_WINDOW 0x03000000
#define LINK_IO 0x1000

#define RX_READY 0x01
#define TX_EMPTY 0x20
#define RX_INTERRUPT 0x01
#define FIFO_ENABLE 0x01
#define LINE_8N1 0x03

static uart_t *const uarts[KW_UARTS] = {(uart_t *)0x10000000, (uart_t *)(PCI_IO_WINDOW + LINK_IO)};
static bool link_present;

void kw_uart_init(void) {
    link_present = PCI_ID != PCI_ABSENT;
    if (link_present) {
        PCI_BAR0 = LINK_IO;
        PCI_COMMAND = 1; // answer in I/O space
    }
    for (int i = 0; i < (link_present ? 2 : 1); i++) {
        uarts[i]->line = LINE_8N1;
        uarts[i]->fifo = FIFO_ENABLE;
        uarts[i]->interrupt = RX_INTERRUPT;
    }
}

bool kw_uart_present(int uart) {
    return uart == KW_CONSOLE || link_present;
}

int kw_uart_take(int uart) {
    return uarts[uart]->status & RX_READY ? uarts[uart]->data : -1;
}

bool kw_uart_give(int uart, uint8_t byte) {
    if (!(uarts[uart]->status & TX_EMPTY)) {
        return false;
    }
    uarts[uart]->data = byte;
    return true;
}

void kw_uart_set_rx_irq(int uart, bool on) {
    uarts[uart]->interrupt = on ? RX_INTERRUPT : 0;
}

void kw_uart_ack_rx_irq(int uart) {
    (void)uart; // reading the data does it
}
