// Count, extremes and exact sums in RV32IMC machine code.

#include "macros.h"
#include "layout/states.h"

#define state a0
#define next_sample a1
#define samples_end a2
#define sum a3
#define least a4
#define largest a5
#define squares_low a6
#define squares_high a7
#define value t0
// 2^15 or 2^23.
#define offset t3
// Of wider samples.
#define sum_high t4

// t1 = samples, from the state, whose count grows by them.
.macro start_samples sample_shift
    lw t0, SUMMARY_START(state)
    lw a2, SUMMARY_STOP(state)
    sub t1, a2, t0
    lw t2, SUMMARY_COUNT(state)
    add t2, t2, t1
    sw t2, SUMMARY_COUNT(state)
    slli a2, a2, \sample_shift
    add samples_end, a2, a1
    slli t0, t0, \sample_shift
    add next_sample, a1, t0
.endm

// `at_least` is bge or, of values without a sign, bgeu.
.macro keep_extremes at_least
    \at_least value, least, not_least_\@
    mv least, value
not_least_\@:
    \at_least largest, value, not_largest_\@
    mv largest, value
not_largest_\@:
.endm

// As plain_summary.feed. Does not allocate; may run in an interrupt that does not share the state.
kernel feed, arguments=2
    start_samples 1
    lw sum, SUMMARY_S0(state)
    slli t1, t1, 15
    add sum, sum, t1                    // of u = x + 2^15: the offsets here, x in the loop; below 2^31
    lui offset, 1 << 15 >> 12
    lw least, SUMMARY_LOW(state)
    sub least, least, offset
    lw largest, SUMMARY_HIGH(state)
    sub largest, largest, offset
    lw squares_low, SUMMARY_Q0(state)
    lw t0, SUMMARY_Q1(state)
    lw squares_high, SUMMARY_Q2(state)
    slli t1, t0, 15
    or squares_low, squares_low, t1
    srli t0, t0, 17
    slli squares_high, squares_high, 13
    or squares_high, squares_high, t0
    beq next_sample, samples_end, done
loop:
    lh value, 0(next_sample)
    addi next_sample, next_sample, 2
    keep_extremes bge
    add sum, sum, value
    mul t0, value, value                // at most 2^30
    add squares_low, squares_low, t0
    sltu t0, squares_low, t0
    add squares_high, squares_high, t0
    bne next_sample, samples_end, loop
done:
    add least, least, offset
    sw least, SUMMARY_LOW(state)
    add largest, largest, offset
    sw largest, SUMMARY_HIGH(state)
    low_bits t0, sum, 30
    sw t0, SUMMARY_S0(state)
    srli t0, sum, 30
    lw t1, SUMMARY_S1(state)
    add t1, t1, t0
    sw t1, SUMMARY_S1(state)
    low_bits t0, squares_low, 15
    sw t0, SUMMARY_Q0(state)
    srli t0, squares_low, 15
    slli t1, squares_high, 19
    srli t1, t1, 2
    or t0, t0, t1
    sw t0, SUMMARY_Q1(state)
    srli t0, squares_high, 13
    sw t0, SUMMARY_Q2(state)
    no_result

// As plain_summary.feed_wide. Does not allocate; may run in an interrupt that does not share the state.
kernel feed_wide, arguments=2
    start_samples 2
    lw sum, SUMMARY_S0(state)
    lw sum_high, SUMMARY_S1(state)
    slli t1, sum_high, 30
    or sum, sum, t1
    srli sum_high, sum_high, 2          // of u = x + 2^23
    lui offset, 1 << 23 >> 12
    lw least, SUMMARY_LOW(state)
    lw largest, SUMMARY_HIGH(state)
    addi squares_low, zero, 0           // of these samples, below 2^60
    addi squares_high, zero, 0
    beq next_sample, samples_end, done_wide
loop_wide:
    lw value, 0(next_sample)
    addi next_sample, next_sample, 4
    add value, value, offset
    low_bits value, value, 24           // u
    keep_extremes bgeu
    add sum, sum, value
    sltu t1, sum, value
    add sum_high, sum_high, t1
    sub value, value, offset            // x
    mul t1, value, value
    mulh t0, value, value
    add_double squares_high, squares_low, t0, t1, carry=t1
    bne next_sample, samples_end, loop_wide
done_wide:
    sw least, SUMMARY_LOW(state)
    sw largest, SUMMARY_HIGH(state)
    low_bits t0, sum, 30
    sw t0, SUMMARY_S0(state)
    srli t0, sum, 30
    slli sum_high, sum_high, 2
    or t0, t0, sum_high
    sw t0, SUMMARY_S1(state)
    low_bits t0, squares_low, 15
    lw t1, SUMMARY_Q0(state)
    add t0, t0, t1
    srli t2, t0, 15                     // the carry
    low_bits t0, t0, 15
    sw t0, SUMMARY_Q0(state)
    srli t0, squares_low, 15
    slli t1, squares_high, 17
    or t0, t0, t1
    low_bits t0, t0, 30
    add t0, t0, t2
    lw t1, SUMMARY_Q1(state)
    add t0, t0, t1
    srli t2, t0, 30
    low_bits t0, t0, 30
    sw t0, SUMMARY_Q1(state)
    srli t0, squares_high, 13
    add t0, t0, t2
    lw t1, SUMMARY_Q2(state)
    add t0, t0, t1
    sw t0, SUMMARY_Q2(state)
    no_result
