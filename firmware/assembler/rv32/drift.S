// The drift detector in RV32IMC machine code, by products of two words.

#include "following.h"

#define q_squared s9
#define p_squared s10
#define least_variance s11

// mean = the mean of two halves, less 2^31, which is in t2.
.macro load_mean mean, high, low
    lw \mean, \high(state)
    slli \mean, \mean, 16
    lw t1, \low(state)
    or \mean, \mean, t1
    xor \mean, \mean, t2
.endm

.macro store_mean mean, high, low
    xor \mean, \mean, t2
    srli t1, \mean, 16
    sw t1, \high(state)
    low_bits t1, \mean, 16
    sw t1, \low(state)
.endm

// As plain_drift.find. Does not allocate; may run in an interrupt that does not share the state.
kernel find, arguments=4
    start_samples
    start_count DRIFT_COUNT, DRIFT_WARMUP, DRIFT_HOLD, DRIFT_SHIFTS
    lw s9, DRIFT_PQ(state)
    andi p_squared, s9, 255
    mul p_squared, p_squared, p_squared
    srli q_squared, s9, 8
    mul q_squared, q_squared, q_squared
    lw least_variance, DRIFT_FLOOR(state)
    slli least_variance, least_variance, 16
    lui t2, 1 << 31 >> 12
    load_mean fast_mean, DRIFT_F1, DRIFT_F0
    load_mean slow_mean, DRIFT_M1, DRIFT_M0
    load_variance variance_high, variance_low, DRIFT_V0
    addi outcome, zero, 0
    beq next_sample, samples_end, done
loop:
    lh sample, 0(next_sample)
    addi next_sample, next_sample, 2
    follow_fast
    bne silent, zero, muted
    distance_of_means
    mul t2, t1, t1
    mulh t3, t1, t1
    mul t4, t2, q_squared
    mulhu t5, t2, q_squared
    mul t3, t3, q_squared
    add t5, t5, t3                      // q²·d² = (t5, t4)
    mv t1, variance_low
    bne variance_high, zero, above
    bgeu variance_low, least_variance, above
    mv t1, least_variance
above:                                  // (variance_high, t1) = the larger of V and the floor
    mul t3, t1, p_squared
    mulhu t6, t1, p_squared
    mul t2, variance_high, p_squared
    add t6, t6, t2                      // p²·V = (t6, t3)
    bltu t6, t5, found
    bne t6, t5, follow
    bltu t3, t4, found
follow:
    beq next_sample, grows_at, grow
grown:
    follow_slow loop
    j done
muted:
    addi silent, silent, -1
    j follow
found:                                  // this sample is the last
    lw silent, DRIFT_HOLDOFF(state)
    mv samples_end, next_sample
    addi outcome, zero, 1
    j follow
grow:
    grow_shift grown
done:
    store_count DRIFT_COUNT, DRIFT_WARMUP
    sw silent, DRIFT_HOLD(state)
    lui t2, 1 << 31 >> 12
    store_mean fast_mean, DRIFT_F1, DRIFT_F0
    store_mean slow_mean, DRIFT_M1, DRIFT_M0
    store_variance variance_high, variance_low, DRIFT_V0
    index_after
    sub a0, a0, outcome                 // the index to return
    close_frame
