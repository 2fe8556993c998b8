// The machine `virt` with an Xtensa LX6 core: CCOUNT for time and the periodic interrupt, ICOUNT for costs.
//
// Source: Xtensa ISA reference manual (interrupts, timer interrupts, debug option); QEMU hw/xtensa/virt memory map; Intel
// 6300ESB data sheet, watchdog timer.

#include "kwboard.h"

#include <stdlib.h>

#include "py/gc.h"
#include "py/mphal.h"
#include "py/mpstate.h"
#include "shared/runtime/gchelper.h"

#define READ_SPECIAL(name, value) __asm volatile ("rsr %0, " #name : "=r" (value))
#define WRITE_SPECIAL(name, value) __asm volatile ("wsr %0, " #name "\n rsync" :: "r" (value) : "memory")

// A PCI card interrupts by slot % 4; the timer's number is the core's.
#define CONSOLE_IRQ (1u << 1)
#define LINK_IRQ (1u << 2)
#define TIMER_IRQ (1u << 6)
#define EVERY_LEVEL_USED 3

static uint32_t period_ticks;

uint32_t kw_irq_disable(void) {
    uint32_t state;
    __asm volatile ("rsil %0, %1" : "=r" (state) : "i" (EVERY_LEVEL_USED) : "memory");
    return state;
}

void kw_irq_restore(uint32_t state) {
    WRITE_SPECIAL(ps, state);
}

void kw_wait_interrupt(void) {
    __asm volatile ("waiti 0" ::: "memory");
}

uint32_t kw_soc_counter(void) {
    uint32_t now;
    READ_SPECIAL(ccount, now);
    return now;
}

// Interrupt when CCOUNT comes to `next`; what was pending no longer is.
//
// CCOUNT that has gone by does not interrupt before it has come round, 107 s later. The host may hold the machine up
// anywhere, also between computing a time and writing it: so look once more afterwards.
static void interrupt_at(uint32_t next) {
    for (;;) {
        WRITE_SPECIAL(ccompare0, next);
        uint32_t now = kw_soc_counter();
        if ((int32_t)(next - now) > 0) {
            return;
        }
        next = now + period_ticks; // held up for longer than a period: do not make up for it
    }
}

static void start_period(void) {
    interrupt_at(kw_soc_counter() + period_ticks);
}

static void start_next_period(void) {
    uint32_t last;
    READ_SPECIAL(ccompare0, last);
    interrupt_at(last + period_ticks);
}

// All interrupts of level 1, on the interrupted stack; exception.S has saved what C does not know of.
void kw_irq(void) {
    uint32_t pending, enabled;
    READ_SPECIAL(interrupt, pending);
    READ_SPECIAL(intenable, enabled);
    pending &= enabled;
    if (pending & TIMER_IRQ) {
        start_next_period();
        kw_time_from_irq();
    }
    if (pending & CONSOLE_IRQ) {
        kw_rx_from_irq(KW_CONSOLE);
    }
    if (pending & LINK_IRQ) {
        kw_rx_from_irq(KW_LINK);
    }
}

static void enable(uint32_t more) {
    uint32_t enabled;
    READ_SPECIAL(intenable, enabled);
    WRITE_SPECIAL(intenable, enabled | more);
}

static void disable(uint32_t fewer) {
    uint32_t enabled;
    READ_SPECIAL(intenable, enabled);
    WRITE_SPECIAL(intenable, enabled & ~fewer);
}

void kw_soc_init(void) {
    period_ticks = KW_COUNTER_HZ / 1000;
    start_period();
    enable(TIMER_IRQ);
    uint32_t state;
    __asm volatile ("rsil %0, 0" : "=r" (state) :: "memory");
}

void kw_soc_enable_uart_irqs(void) {
    enable(CONSOLE_IRQ | LINK_IRQ);
}

bool kw_soc_set_period_us(uint32_t period_us) {
    if (period_us == 0 || period_us > 1000000) {
        return false;
    }
    uint32_t state = kw_irq_disable();
    period_ticks = period_us * (KW_COUNTER_HZ / 1000000);
    start_period();
    kw_irq_restore(state);
    return true;
}

// --- Reset: the machine has no register for it, a watchdog on a PCI card does it ----------------------------------

#define WATCHDOG_CARD 0xF0118000 // ECAM: slot 3, function 0
#define WATCHDOG_MEMORY 0xF4000000
#define REG8(address) (*(volatile uint8_t *)(address))
#define REG16(address) (*(volatile uint16_t *)(address))
#define REG32(address) (*(volatile uint32_t *)(address))

#define CARD_COMMAND REG16(WATCHDOG_CARD + 0x04)
#define CARD_ANSWER_MEMORY 2
#define CARD_BAR0 REG32(WATCHDOG_CARD + 0x10)
#define CARD_CONFIG REG16(WATCHDOG_CARD + 0x60)
#define CONFIG_MICROSECONDS 4
#define CONFIG_NO_INTERRUPT 3
#define CARD_LOCK REG8(WATCHDOG_CARD + 0x68)
#define LOCK_ENABLE 2

#define FIRST_STAGE 0x00
#define SECOND_STAGE 0x04
#define UNLOCK REG16(WATCHDOG_MEMORY + 0x0C)
#define UNLOCK_1 0x80
#define UNLOCK_2 0x86

static void set_watchdog_stage(uint32_t stage, uint32_t microseconds) {
    UNLOCK = UNLOCK_1;
    UNLOCK = UNLOCK_2;
    REG32(WATCHDOG_MEMORY + stage) = microseconds;
}

void kw_soc_reset(void) {
    kw_irq_disable();
    CARD_BAR0 = WATCHDOG_MEMORY;
    CARD_COMMAND = CARD_ANSWER_MEMORY;
    CARD_CONFIG = CONFIG_MICROSECONDS | CONFIG_NO_INTERRUPT;
    set_watchdog_stage(FIRST_STAGE, 1);
    set_watchdog_stage(SECOND_STAGE, 1);
    CARD_LOCK = LOCK_ENABLE;
    for (;;) {
    }
}

// --- Costs --------------------------------------------------------------------------------------------------------

// ICOUNT counts instructions at interrupt levels below this; the vectors of register windows run at 3.
#define WITH_WINDOW_VECTORS 4
#define COUNT_OFF 0
#define COUNTED_A_CARRY 0xFFFFFFFF // see exception.S

extern volatile uint32_t kw_count_carries;

uint64_t kw_soc_instructions(void) {
    return kw_time_ns(); // one instruction a nanosecond
}

void kw_soc_count_begin(void) {
    disable(TIMER_IRQ | CONSOLE_IRQ | LINK_IRQ);
    kw_count_carries = 0;
    WRITE_SPECIAL(icount, 0);
    WRITE_SPECIAL(icountlevel, WITH_WINDOW_VECTORS);
}

uint64_t kw_soc_count_end(void) {
    uint32_t count;
    READ_SPECIAL(icount, count);
    WRITE_SPECIAL(icountlevel, COUNT_OFF);
    enable(TIMER_IRQ | CONSOLE_IRQ | LINK_IRQ);
    uint64_t counted = count;
    for (uint32_t carries = kw_count_carries; carries; carries--) {
        counted += COUNTED_A_CARRY;
    }
    return counted;
}

// --- Faults -------------------------------------------------------------------------------------------------------

static void print(const char *text) {
    for (; *text; text++) {
        while (!kw_uart_give(KW_CONSOLE, *text)) {
        }
    }
}

static void print_word(const char *name, uint32_t value) {
    char digits[] = "00000000";
    for (char *digit = digits + sizeof(digits) - 2; digit >= digits; digit--, value >>= 4) {
        *digit = "0123456789ABCDEF"[value & 15];
    }
    print(name);
    print(digits);
}

// Called by exception.S when nothing can go on; an ESP32 would print its registers and restart.
void kw_fatal(uint32_t cause, uint32_t pc, uint32_t address, uint32_t a0, uint32_t a1) {
    print_word("\r\nfault: cause ", cause);
    print_word(" pc ", pc);
    print_word(" address ", address);
    print_word(" a0 ", a0);
    print_word(" a1 ", a1);
    print("\r\n");
    exit(1);
}

// --- What the port has for its own cores only ---------------------------------------------------------------------

void kw_spill(void);

// Below a frame's stack pointer lie its caller's first four registers.
static __attribute__((noinline)) void collect_from_here(void) {
    uintptr_t stack_pointer;
    __asm volatile ("mov %0, a1" : "=r" (stack_pointer));
    uintptr_t from = stack_pointer - 16;
    gc_collect_root((void **)from, ((uintptr_t)MP_STATE_THREAD(stack_top) - from) / sizeof(uintptr_t));
}

void gc_helper_collect_regs_and_stack(void) {
    kw_spill();
    collect_from_here();
}

int main(int, char **);

void kw_entry(void) {
    main(0, NULL);
    exit(0);
}
