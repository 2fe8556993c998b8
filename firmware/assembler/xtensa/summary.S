// Count, extremes and exact sums in Xtensa machine code.

#include "macros.h"
#include "layout/states.h"

#define state a2
#define next_sample a3
#define samples a4
#define sum a5
#define least a6
#define largest a7
#define squares_low a8
#define squares_high a9
#define value a10
// Of wider samples.
#define sum_high a11
#define offset a12
#define t0 a13
#define t1 a14
#define t2 a15

// `samples`, from the state, whose count grows by them; `scale_index` makes an address of an index.
.macro start_samples scale_index
    l32i t0, state, SUMMARY_START
    l32i samples, state, SUMMARY_STOP
    sub samples, samples, t0
    \scale_index next_sample, t0, next_sample
    l32i t0, state, SUMMARY_COUNT
    add t0, t0, samples
    s32i t0, state, SUMMARY_COUNT
.endm

// As plain_summary.feed. Does not allocate; may run in an interrupt that does not share the state.
kernel feed, arguments=2
    start_samples addx2
    l32i sum, state, SUMMARY_S0
    slli t0, samples, 15
    add sum, sum, t0                    // of u = x + 2^15: the offsets here, x in the loop; below 2^31
    movi offset, 0x8000
    l32i least, state, SUMMARY_LOW
    sub least, least, offset
    l32i largest, state, SUMMARY_HIGH
    sub largest, largest, offset
    l32i squares_low, state, SUMMARY_Q0
    l32i t0, state, SUMMARY_Q1
    l32i squares_high, state, SUMMARY_Q2
    slli t1, t0, 15
    or squares_low, squares_low, t1
    extui t0, t0, 17, 13
    slli squares_high, squares_high, 13
    or squares_high, squares_high, t0
    loopnez samples, fed
    l16si value, next_sample, 0
    addi next_sample, next_sample, 2
    min least, least, value
    max largest, largest, value
    add sum, sum, value
    mull value, value, value            // at most 2^30
    add squares_low, squares_low, value
    bgeu squares_low, value, no_carry
    addi squares_high, squares_high, 1
no_carry:
    nop
fed:
    add least, least, offset
    s32i least, state, SUMMARY_LOW
    add largest, largest, offset
    s32i largest, state, SUMMARY_HIGH
    extui t0, sum, 0, 15
    srli sum, sum, 15
    extui t1, sum, 0, 15
    slli t1, t1, 15
    or t0, t0, t1
    s32i t0, state, SUMMARY_S0
    srli sum, sum, 15
    l32i t1, state, SUMMARY_S1
    add t1, t1, sum
    s32i t1, state, SUMMARY_S1
    extui t0, squares_low, 0, 15
    s32i t0, state, SUMMARY_Q0
    srli t0, squares_low, 15
    slli t1, squares_high, 19
    srli t1, t1, 2
    or t0, t0, t1
    s32i t0, state, SUMMARY_Q1
    srli t0, squares_high, 13
    s32i t0, state, SUMMARY_Q2
    return_nothing

// As plain_summary.feed_wide. Does not allocate; may run in an interrupt that does not share the state.
kernel feed_wide, arguments=2
    start_samples addx4
    l32i sum, state, SUMMARY_S0
    l32i sum_high, state, SUMMARY_S1
    slli t1, sum_high, 30
    or sum, sum, t1
    srli sum_high, sum_high, 2          // of u = x + 2^23
    movi offset, 1 << 23
    l32i least, state, SUMMARY_LOW
    l32i largest, state, SUMMARY_HIGH
    movi squares_low, 0                 // of these samples, below 2^60
    movi squares_high, 0
    loopnez samples, fed_wide
    l32i value, next_sample, 0
    addi next_sample, next_sample, 4
    add t0, value, offset               // u
    minu least, least, t0
    maxu largest, largest, t0
    add sum, sum, t0
    bgeu sum, t0, sum_kept
    addi sum_high, sum_high, 1
sum_kept:
    abs value, value
    mull t0, value, value               // the lower word of x²
    add squares_low, squares_low, t0
    bgeu squares_low, t0, squares_kept
    addi squares_high, squares_high, 1
squares_kept:
    extui t1, value, 0, 12              // x² = t0²·2^24 + 2·t0·t1·2^12 + t1², t0 and t1 being halves of |x|
    extui t0, value, 12, 12
    mull t2, t0, t1
    mull t1, t1, t1
    srli t1, t1, 12
    addx2 t1, t2, t1
    srli t1, t1, 12
    mull t0, t0, t0
    add t0, t0, t1                      // x² >> 24
    srli t0, t0, 8
    add squares_high, squares_high, t0
fed_wide:
    s32i least, state, SUMMARY_LOW
    s32i largest, state, SUMMARY_HIGH
    slli t0, sum, 2
    srli t0, t0, 2
    s32i t0, state, SUMMARY_S0
    extui t0, sum, 30, 2
    slli sum_high, sum_high, 2
    or t0, t0, sum_high
    s32i t0, state, SUMMARY_S1
    extui t0, squares_low, 0, 15
    l32i t1, state, SUMMARY_Q0
    add t0, t0, t1
    srli t2, t0, 15                     // the carry
    extui t0, t0, 0, 15
    s32i t0, state, SUMMARY_Q0
    srli t0, squares_low, 15
    slli t1, squares_high, 17
    or t0, t0, t1
    slli t0, t0, 2
    srli t0, t0, 2
    add t0, t0, t2
    l32i t1, state, SUMMARY_Q1
    add t0, t0, t1
    extui t2, t0, 30, 2
    slli t0, t0, 2
    srli t0, t0, 2
    s32i t0, state, SUMMARY_Q1
    srli t0, squares_high, 13
    add t0, t0, t2
    l32i t1, state, SUMMARY_Q2
    add t0, t0, t1
    s32i t0, state, SUMMARY_Q2
    return_nothing
