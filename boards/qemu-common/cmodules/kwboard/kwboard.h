// What the parts of kwboard know of each other. One machine's registers are known to one soc_*.c and one uart_*.c only.
#ifndef KITTIWAKE_KWBOARD_H
#define KITTIWAKE_KWBOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "py/obj.h"

// --- The machine: soc_arm.c, soc_rv32.c or soc_xtensa.c -----------------------------------------------------------

// Set interrupt vectors, the free-running counter and the periodic interrupt. Called once, before any other.
void kw_soc_init(void);

// Restart the machine: storage stays, everything else starts from nothing.
void kw_soc_reset(void) __attribute__((noreturn));

// Free-running counter, counts up at KW_COUNTER_HZ and wraps at 2^32.
uint32_t kw_soc_counter(void);

// Let the periodic interrupt come every period_us from now on. Returns false when the timer cannot (0 or too long).
bool kw_soc_set_period_us(uint32_t period_us);

// Enable the receive interrupts of both UARTs in the interrupt controller.
void kw_soc_enable_uart_irqs(void);

// Instructions executed since start; exact under -icount shift=0, of no meaning otherwise. Resolution as in board.toml.
uint64_t kw_soc_instructions(void);

// Bracket a measurement: nothing but UART interrupts comes between the two calls, and the finest counter there is runs.
// kw_soc_count_end returns the instructions between, and lets the periodic interrupt come again.
void kw_soc_count_begin(void);
uint64_t kw_soc_count_end(void);

#define KW_SYS_GET_CMDLINE 0x15

// One semihosting request to the emulator. Returns its result.
uintptr_t kw_semihosting(uintptr_t operation, const void *arguments);

// --- The UARTs: uart_cmsdk.c, uart_stm32.c or uart_16550.c -------------------------------------------------------

enum { KW_CONSOLE = 0, KW_LINK = 1, KW_UARTS = 2 };

void kw_uart_init(void);
bool kw_uart_present(int uart);

// Take one received byte. Returns -1 when there is none.
int kw_uart_take(int uart);

// Give one byte to the transmitter. Returns false, and does nothing, when it has no room.
bool kw_uart_give(int uart, uint8_t byte);

// Let received bytes interrupt, or not.
void kw_uart_set_rx_irq(int uart, bool on);

// Acknowledge a pending receive interrupt, where the UART needs that.
void kw_uart_ack_rx_irq(int uart);

// --- Received bytes: rx.c ----------------------------------------------------------------------------------------

// Empty a UART into its ring. Called from its interrupt, or with interrupts disabled.
void kw_rx_from_irq(int uart);

// Look after a console that was held back. Called from the periodic interrupt.
void kw_rx_from_tick(void);

// Take up to len bytes from the ring. Returns how many.
size_t kw_rx_read(int uart, uint8_t *to, size_t len);

// Bytes that can be read now.
size_t kw_rx_available(int uart);

// Bytes that found the console's ring full while a program ran (see rx.c).
uint32_t kw_rx_dropped(void);

// --- The console: console.c ---------------------------------------------------------------------------------------

// Comes through the console's UART where the host's file console.in is to be read in its place.
#define KW_FEED 0x10

// Bytes of the console that can be read now.
size_t kw_console_available(void);

// --- Time: timebase.c --------------------------------------------------------------------------------------------

// Counter ticks since start, 64 bits. Callable from interrupts. Must be called at least once every 2^32 ticks: the
// periodic interrupt does.
uint64_t kw_time_ticks(void);
uint64_t kw_time_ns(void);

// The periodic interrupt's handler.
void kw_time_from_irq(void);

// Call callback(now_us) in every interrupt from now on, with the heap locked; None ends it.
void kw_time_set_hook(mp_obj_t callback, uint32_t period_us);

// --- The host's files: host.c ------------------------------------------------------------------------------------

// Read part of a host's file. Returns the bytes read, fewer at its end; -1 when it cannot be opened.
int kw_host_read(const char *path, size_t path_len, uint32_t offset, uint8_t *to, size_t len);

// Random bytes, from the host's generator. Raises OSError when there is none.
void kw_random_bytes(uint8_t *to, size_t len);

// --- The rest ----------------------------------------------------------------------------------------------------

extern const mp_obj_base_t kw_link_obj;

#endif
