// The Cortex-M machines: vectors, SysTick for the periodic interrupt, and a 32-bit timer that runs freely.
//
// mps2-an385 and mps2-an386: CMSDK timer 0, 25 MHz, 40 instructions a tick under -icount shift=0.
// netduino2: TIM2, 1 GHz in QEMU's model, so one instruction a tick.
// Source: ARM DDI 0403 (ARMv7-M) for SysTick, NVIC and SCB; ARM DDI 0479 (CMSDK); RM0033 (STM32F205).

#include "kwboard.h"

#include "py/mphal.h"

#define REG(address) (*(volatile uint32_t *)(address))

#define SYST_CSR REG(0xE000E010)
#define SYST_RVR REG(0xE000E014)
#define SYST_CVR REG(0xE000E018)
#define NVIC_ISER(n) REG(0xE000E100 + 4 * (n))
#define SCB_VTOR REG(0xE000ED08)
#define SCB_AIRCR REG(0xE000ED0C)

#define SYST_ENABLE 1
#define SYST_TICKINT 2
#define SYST_CLKSOURCE 4
#define SYST_MAX 0xFFFFFF

#if defined(QEMU_SOC_MPS2)
#define SYST_HZ 25000000
#define TIMER0_CTRL REG(0x40000000)
#define TIMER0_VALUE REG(0x40000004)
#define TIMER0_RELOAD REG(0x40000008)
#define CONSOLE_IRQ 0
#define LINK_IRQ 2
#elif defined(QEMU_SOC_STM32)
#define SYST_HZ 120000000
#define TIM2_CNT REG(0x40000024)
#define CONSOLE_IRQ 37
#define LINK_IRQ 38
#else
#error this machine is not known here
#endif

#define IRQS 64

extern uint32_t _estack;
void Reset_Handler(void);
void Default_Handler(void);
void NMI_Handler(void);
void HardFault_Handler(void);
void MemManage_Handler(void);
void BusFault_Handler(void);
void UsageFault_Handler(void);

static void console_irq(void) {
    kw_rx_from_irq(KW_CONSOLE);
}

static void link_irq(void) {
    kw_rx_from_irq(KW_LINK);
}

typedef void (*vector_t)(void);

// The port's own table ends at SysTick and has no external interrupts.
static const vector_t vectors[16 + IRQS] __attribute__((aligned(512))) = {
    (vector_t)&_estack,
    Reset_Handler,
    NMI_Handler,
    HardFault_Handler,
    MemManage_Handler,
    BusFault_Handler,
    UsageFault_Handler,
    [15] = kw_time_from_irq,
    [16 + CONSOLE_IRQ] = console_irq,
    [16 + LINK_IRQ] = link_irq,
};

uint32_t kw_irq_disable(void) {
    uint32_t state;
    __asm volatile ("mrs %0, primask\n cpsid i" : "=r" (state) :: "memory");
    return state;
}

void kw_irq_restore(uint32_t state) {
    __asm volatile ("msr primask, %0" :: "r" (state) : "memory");
}

void kw_wait_interrupt(void) {
    __asm volatile ("wfi" ::: "memory");
}

uintptr_t kw_semihosting(uintptr_t operation, const void *arguments) {
    register uintptr_t r0 __asm__ ("r0") = operation;
    register const void *r1 __asm__ ("r1") = arguments;
    __asm volatile ("bkpt 0xAB" : "+r" (r0) : "r" (r1) : "memory");
    return r0;
}

void kw_soc_init(void) {
    SCB_VTOR = (uint32_t)vectors;
    #if defined(QEMU_SOC_MPS2)
    TIMER0_RELOAD = 0xFFFFFFFF;
    TIMER0_VALUE = 0xFFFFFFFF;
    TIMER0_CTRL = 1;
    #endif
}

void kw_soc_reset(void) {
    __asm volatile ("dsb");
    SCB_AIRCR = 0x05FA0004; // VECTKEY, SYSRESETREQ
    for (;;) {
    }
}

uint32_t kw_soc_counter(void) {
    #if defined(QEMU_SOC_MPS2)
    return ~TIMER0_VALUE; // it counts down
    #else
    return TIM2_CNT;
    #endif
}

static void start_systick(uint32_t reload, uint32_t interrupt) {
    SYST_CSR = 0;
    SYST_RVR = reload;
    SYST_CVR = 0; // any write clears it: the period starts now
    SYST_CSR = SYST_CLKSOURCE | SYST_ENABLE | interrupt;
}

static uint32_t systick_reload;

bool kw_soc_set_period_us(uint32_t period_us) {
    uint64_t reload = (uint64_t)period_us * (SYST_HZ / 1000000) - 1;
    if (period_us == 0 || reload > SYST_MAX) {
        return false;
    }
    systick_reload = reload;
    start_systick(systick_reload, SYST_TICKINT);
    return true;
}

void kw_soc_enable_uart_irqs(void) {
    NVIC_ISER(CONSOLE_IRQ / 32) = 1u << (CONSOLE_IRQ % 32);
    NVIC_ISER(LINK_IRQ / 32) = 1u << (LINK_IRQ % 32);
}

uint64_t kw_soc_instructions(void) {
    return kw_time_ns(); // one instruction a nanosecond
}

static uint64_t count_start;

#if defined(QEMU_SOC_MPS2)

#define INSTRUCTIONS_A_TICK 40
#define INSTRUCTIONS_A_TURN 4

void kw_soc_count_begin(void) {
    count_start = kw_time_ticks();
    start_systick(SYST_MAX, 0); // its phase starts here, so that the same code gives the same figure every time
}

// Turns of a loop of 4 instructions until SysTick moves on: the part of a tick that its value does not tell.
static __attribute__((noinline)) uint32_t turns_to_next_tick(uint32_t *value) {
    uint32_t turns = 0, next;
    __asm volatile (
        "ldr %[value], [%[cvr]]     \n"
        "1:                         \n"
        "ldr %[next], [%[cvr]]      \n"
        "adds %[turns], #1          \n"
        "cmp %[next], %[value]      \n"
        "beq 1b                     \n"
        : [turns] "+l" (turns), [next] "=&l" (next), [value] "=&l" (*value)
        : [cvr] "l" (&SYST_CVR)
        : "cc", "memory");
    return turns;
}

uint64_t kw_soc_count_end(void) {
    uint32_t value;
    uint32_t turns = turns_to_next_tick(&value);
    uint64_t coarse = kw_time_ticks() - count_start;
    kw_soc_set_period_us(1000);
    // SysTick wraps after 2^24 ticks; the slow counter, which is never off by half of that, tells how often it did.
    uint64_t fine = SYST_MAX - value + 1;
    fine += (coarse - fine + (SYST_MAX + 1) / 2) / (SYST_MAX + 1) * (SYST_MAX + 1);
    return fine * INSTRUCTIONS_A_TICK - turns * INSTRUCTIONS_A_TURN;
}

#else

void kw_soc_count_begin(void) {
    start_systick(SYST_MAX, 0);
    count_start = kw_time_ticks();
}

uint64_t kw_soc_count_end(void) {
    uint64_t end = kw_time_ticks();
    kw_soc_set_period_us(1000);
    return end - count_start;
}

#endif
