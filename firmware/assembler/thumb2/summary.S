// Count, extremes and exact sums in ARMv7-M machine code.

#include "macros.h"
#include "layout/states.h"

#define state r0
#define next_sample r1
#define samples_end r3
#define sum r4
#define least r5
#define largest r6
#define squares_low r7
#define squares_high r8
// Of wider samples.
#define sum_high r9

// r2 = START, r5 = samples, from the state, whose count grows by them.
.macro start_samples sample_shift
    ldr r2, [state, #SUMMARY_START]
    ldr r3, [state, #SUMMARY_STOP]
    ldr r4, [state, #SUMMARY_COUNT]
    subs r5, r3, r2
    add r4, r4, r5
    str r4, [state, #SUMMARY_COUNT]
    save_high_registers
    add samples_end, next_sample, r3, lsl #\sample_shift
    add next_sample, next_sample, r2, lsl #\sample_shift
.endm

.macro keep_extremes below, above
    cmp r2, least
    it \below
    mov\below least, r2
    cmp r2, largest
    it \above
    mov\above largest, r2
.endm

// As plain_summary.feed. Does not allocate; may run in an interrupt that does not share the state.
kernel feed, arguments=2
    start_samples 1
    ldr sum, [state, #SUMMARY_S0]
    add sum, sum, r5, lsl #15           // of u = x + 2^15: the offsets here, x in the loop
    ldr least, [state, #SUMMARY_LOW]
    sub least, least, #0x8000
    ldr largest, [state, #SUMMARY_HIGH]
    sub largest, largest, #0x8000
    ldr squares_low, [state, #SUMMARY_Q0]
    ldr r8, [state, #SUMMARY_Q1]
    ldr r9, [state, #SUMMARY_Q2]
    orr squares_low, squares_low, r8, lsl #15
    lsr r8, r8, #17
    orr squares_high, r8, r9, lsl #13
    refuse_armv6m r2
    cmp next_sample, samples_end
    beq done
loop:
    ldrsh r2, [next_sample], #2
    keep_extremes lt, gt
    add sum, sum, r2
    smlal squares_low, squares_high, r2, r2
    cmp next_sample, samples_end
    bne loop
done:
    add least, least, #0x8000
    str least, [state, #SUMMARY_LOW]
    add largest, largest, #0x8000
    str largest, [state, #SUMMARY_HIGH]
    ubfx r2, sum, #0, #30
    str r2, [state, #SUMMARY_S0]
    ldr r2, [state, #SUMMARY_S1]
    add r2, r2, sum, lsr #30
    str r2, [state, #SUMMARY_S1]
    ubfx r2, squares_low, #0, #15
    str r2, [state, #SUMMARY_Q0]
    lsrs r2, squares_low, #15
    orr r2, r2, squares_high, lsl #17
    ubfx r2, r2, #0, #30
    str r2, [state, #SUMMARY_Q1]
    lsr r2, squares_high, #13
    str r2, [state, #SUMMARY_Q2]
    restore_high_registers
    no_result

// As plain_summary.feed_wide. Does not allocate; may run in an interrupt that does not share the state.
kernel feed_wide, arguments=2
    start_samples 2
    ldr sum, [state, #SUMMARY_S0]
    ldr sum_high, [state, #SUMMARY_S1]
    orr sum, sum, sum_high, lsl #30
    lsr sum_high, sum_high, #2          // of u = x + 2^23
    ldr least, [state, #SUMMARY_LOW]
    ldr largest, [state, #SUMMARY_HIGH]
    movs squares_low, #0                // of these samples, below 2^60
    mov squares_high, #0
    refuse_armv6m r2
    cmp next_sample, samples_end
    beq done_wide
loop_wide:
    ldr r2, [next_sample], #4
    add r2, r2, #0x800000
    bic r2, r2, #0xFF000000             // u
    keep_extremes lo, hi
    adds sum, sum, r2
    adc sum_high, sum_high, #0
    sub r2, r2, #0x800000               // x
    smlal squares_low, squares_high, r2, r2
    cmp next_sample, samples_end
    bne loop_wide
done_wide:
    str least, [state, #SUMMARY_LOW]
    str largest, [state, #SUMMARY_HIGH]
    ubfx r2, sum, #0, #30
    str r2, [state, #SUMMARY_S0]
    lsrs r2, sum, #30
    orr r2, r2, sum_high, lsl #2
    str r2, [state, #SUMMARY_S1]
    ldr r2, [state, #SUMMARY_Q0]
    ubfx r10, squares_low, #0, #15
    add r2, r2, r10
    ubfx r10, r2, #0, #15
    str r10, [state, #SUMMARY_Q0]
    lsr r11, r2, #15                    // the carry
    lsr r10, squares_low, #15
    orr r10, r10, squares_high, lsl #17
    ubfx r10, r10, #0, #30
    add r10, r10, r11
    ldr r2, [state, #SUMMARY_Q1]
    add r10, r10, r2
    ubfx r2, r10, #0, #30
    str r2, [state, #SUMMARY_Q1]
    lsr r11, r10, #30
    add r11, r11, squares_high, lsr #13
    ldr r2, [state, #SUMMARY_Q2]
    add r11, r11, r2
    str r11, [state, #SUMMARY_Q2]
    restore_high_registers
    no_result
