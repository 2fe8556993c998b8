// The RISC-V machine `virt`: mtimer for time and the periodic interrupt, PLIC for the UARTs', minstret for costs.
//
// Source: RISC-V Privileged Architecture 1.10 (mtvec, mie, mtime, mcounters); QEMU hw/riscv/virt memory map.

#include "kwboard.h"

#include "py/mphal.h"

#define REG(address) (*(volatile uint32_t *)(address))

#define MTIMECMP_LOW REG(0x02004000)
#define MTIMECMP_HIGH REG(0x02004004)
#define MTIME_LOW REG(0x0200BFF8)
#define MTIME_HIGH REG(0x0200BFFC)
#define TEST_FINISHER REG(0x00100000)
#define FINISHER_RESET 0x7777

#define PLIC_PRIORITY(irq) REG(0x0C000000 + 4 * (irq))
#define PLIC_ENABLE(n) REG(0x0C002000 + 4 * (n))
#define PLIC_THRESHOLD REG(0x0C200000)
#define PLIC_CLAIM REG(0x0C200004)
#define CONSOLE_IRQ 10
#define LINK_IRQ 33 // PCI slot 1, pin A: 32 + (slot + pin) % 4

#define MIE_TIMER (1 << 7)
#define MIE_EXTERNAL (1 << 11)
#define MSTATUS_MIE 8

void mtvec_exception(void);

static uint32_t period_ticks;

static uint64_t mtime(void) {
    uint32_t high, low;
    do {
        high = MTIME_HIGH;
        low = MTIME_LOW;
    } while (high != MTIME_HIGH);
    return (uint64_t)high << 32 | low;
}

static void set_mtimecmp(uint64_t at) {
    MTIMECMP_HIGH = 0xFFFFFFFF; // no interrupt from a half-written value
    MTIMECMP_LOW = at;
    MTIMECMP_HIGH = at >> 32;
}

static uint64_t next_period;

static __attribute__((interrupt("machine"), used)) void timer_irq(void) {
    uint64_t now = mtime();
    next_period += period_ticks;
    if (next_period <= now) {
        next_period = now + period_ticks; // held up for longer than a period: do not make up for it
    }
    set_mtimecmp(next_period);
    kw_time_from_irq();
}

static __attribute__((interrupt("machine"), used)) void external_irq(void) {
    uint32_t irq;
    while ((irq = PLIC_CLAIM) != 0) {
        kw_rx_from_irq(irq == CONSOLE_IRQ ? KW_CONSOLE : KW_LINK);
        PLIC_CLAIM = irq;
    }
}

// Vectored mode: entry n is taken for interrupt n, entry 0 for exceptions, which the port's handler prints.
static __attribute__((naked, aligned(256))) void vectors(void) {
    __asm volatile (
        ".option push               \n"
        ".option norvc              \n"
        "j mtvec_exception          \n"
        ".rept 6                    \n"
        "mret                       \n"
        ".endr                      \n"
        "j timer_irq                \n" // 7
        ".rept 3                    \n"
        "mret                       \n"
        ".endr                      \n"
        "j external_irq             \n" // 11
        ".option pop                \n");
}

uint32_t kw_irq_disable(void) {
    uint32_t state;
    __asm volatile ("csrrci %0, mstatus, 8" : "=r" (state) :: "memory");
    return state & MSTATUS_MIE;
}

void kw_irq_restore(uint32_t state) {
    __asm volatile ("csrs mstatus, %0" :: "r" (state) : "memory");
}

void kw_wait_interrupt(void) {
    __asm volatile ("wfi" ::: "memory");
}

uintptr_t kw_semihosting(uintptr_t operation, const void *arguments) {
    register uintptr_t a0 __asm__ ("a0") = operation;
    register const void *a1 __asm__ ("a1") = arguments;
    __asm volatile (
        ".option push               \n"
        ".option norvc              \n"
        ".align 4                   \n" // the three must lie in one page
        "slli zero, zero, 0x1F      \n"
        "ebreak                     \n"
        "srai zero, zero, 7         \n"
        ".option pop                \n"
        : "+r" (a0) : "r" (a1) : "memory");
    return a0;
}

void kw_soc_init(void) {
    uint32_t table = (uint32_t)vectors | 1;
    __asm volatile ("csrw mtvec, %0" :: "r" (table));
    __asm volatile ("csrs mie, %0" :: "r" (MIE_TIMER | MIE_EXTERNAL));
    set_mtimecmp(~0ull);
    kw_irq_restore(MSTATUS_MIE);
}

void kw_soc_reset(void) {
    TEST_FINISHER = FINISHER_RESET;
    for (;;) {
    }
}

uint32_t kw_soc_counter(void) {
    return MTIME_LOW;
}

bool kw_soc_set_period_us(uint32_t period_us) {
    if (period_us == 0 || period_us > 1000000) {
        return false;
    }
    uint32_t state = kw_irq_disable();
    period_ticks = period_us * (KW_COUNTER_HZ / 1000000);
    next_period = mtime() + period_ticks;
    set_mtimecmp(next_period);
    kw_irq_restore(state);
    return true;
}

void kw_soc_enable_uart_irqs(void) {
    PLIC_THRESHOLD = 0;
    PLIC_PRIORITY(CONSOLE_IRQ) = 1;
    PLIC_PRIORITY(LINK_IRQ) = 1;
    PLIC_ENABLE(CONSOLE_IRQ / 32) = 1u << (CONSOLE_IRQ % 32);
    PLIC_ENABLE(LINK_IRQ / 32) = 1u << (LINK_IRQ % 32);
}

uint64_t kw_soc_instructions(void) {
    uint32_t high, low, again;
    do {
        __asm volatile ("csrr %0, minstreth" : "=r" (high));
        __asm volatile ("csrr %0, minstret" : "=r" (low));
        __asm volatile ("csrr %0, minstreth" : "=r" (again));
    } while (high != again);
    return (uint64_t)high << 32 | low;
}

static uint64_t count_start;

void kw_soc_count_begin(void) {
    __asm volatile ("csrc mie, %0" :: "r" (MIE_TIMER));
    count_start = kw_soc_instructions();
}

uint64_t kw_soc_count_end(void) {
    uint64_t end = kw_soc_instructions();
    __asm volatile ("csrs mie, %0" :: "r" (MIE_TIMER));
    return end - count_start;
}
