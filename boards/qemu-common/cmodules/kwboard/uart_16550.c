// The UARTs of the virt machines: each a 16550, the machine's own or on a PCI card (pci-serial).
//
// RISC-V: the console is the machine's own, the link a card in slot 1. Xtensa: cards in slots 1 and 2.
// Source: PC16550D data sheet; PCI 3.0 configuration space; QEMU hw/riscv/virt and hw/xtensa/virt memory maps.

#include "kwboard.h"

typedef struct _uart_t {
    volatile uint8_t data, interrupt, fifo, line, modem, status;
} uart_t;

#define NO_CARD 0 // slot 0 is the bridge

#if defined(QEMU_SOC_VIRT)
#define OWN_UART 0x10000000
#define PCI_ECAM 0x30000000
#define PCI_IO_WINDOW 0x03000000
static const uint8_t slots[KW_UARTS] = {NO_CARD, 1};
#elif defined(QEMU_SOC_XTENSA)
#define OWN_UART 0 // there is none
#define PCI_ECAM 0xF0100000
#define PCI_IO_WINDOW 0xF0000000
static const uint8_t slots[KW_UARTS] = {1, 2};
#else
#error this machine is not known here
#endif

#define PCI_CARD(slot) (PCI_ECAM + ((slot) << 15)) // function 0
#define PCI_ID(slot) (*(volatile uint32_t *)(PCI_CARD(slot) + 0x00))
#define PCI_COMMAND(slot) (*(volatile uint16_t *)(PCI_CARD(slot) + 0x04))
#define PCI_BAR0(slot) (*(volatile uint32_t *)(PCI_CARD(slot) + 0x10))
#define PCI_ABSENT 0xFFFFFFFF
#define PCI_ANSWER_IO 1
#define CARD_IO(slot) (0x1000 * (slot))

#define RX_READY 0x01
#define TX_EMPTY 0x20
#define RX_INTERRUPT 0x01
#define FIFO_ENABLE 0x01
#define LINE_8N1 0x03

static uart_t *uarts[KW_UARTS]; // NULL where the emulator was started without the card

void kw_uart_init(void) {
    for (int i = 0; i < KW_UARTS; i++) {
        int slot = slots[i];
        if (slot == NO_CARD) {
            uarts[i] = (uart_t *)OWN_UART;
        } else if (PCI_ID(slot) != PCI_ABSENT) {
            PCI_BAR0(slot) = CARD_IO(slot);
            PCI_COMMAND(slot) = PCI_ANSWER_IO;
            uarts[i] = (uart_t *)(PCI_IO_WINDOW + CARD_IO(slot));
        }
        if (uarts[i]) {
            uarts[i]->line = LINE_8N1;
            uarts[i]->fifo = FIFO_ENABLE;
            uarts[i]->interrupt = RX_INTERRUPT;
        }
    }
}

bool kw_uart_present(int uart) {
    return uarts[uart] != NULL;
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
