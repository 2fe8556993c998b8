// The novelty detector in RV32IMC machine code, by products of two and three words.

#include "following.h"

#define bins_origin s9
#define scale s10
#define boost s11
#define bin t3
#define newness t6
// While new values are learned: addresses that lie before the rows of the bins of four and eight samples ago, as far
// as the state's tables lie behind it, and the bin as a bit.
#define row4 t4
#define row8 t5
#define bin_bit t1

#define OUTCOME_ALARM 1
#define OUTCOME_OUTSIDE 2

// row = the address before the row of a bin of the last eight, at a place in their word; `mask` is 15 but at its top.
.macro locate_row row, place, mask
    srli \row, t2, \place
.if \mask
    andi \row, \row, \mask
.endif
    slli \row, \row, 1
    add \row, \row, state
.endm

// Go on at `known` when the bin has been seen there; else it is learned and adds to the newness.
.macro learn_bin base, place, worth, known
    lhu t2, \place(\base)
    and t3, t2, bin_bit
    bne t3, zero, \known
    or t2, t2, bin_bit
    sh t2, \place(\base)
    lhu t2, \worth(state)
    add newness, newness, t2
.endm

// As plain_novelty.find. Does not allocate; may run in an interrupt that does not share the state.
kernel find, arguments=4
    start_samples
    start_count NOVELTY_COUNT, NOVELTY_WARMUP, NOVELTY_HOLD, NOVELTY_SHIFTS, half=hu
    lui t2, 1 << 31 >> 12
    lw fast_mean, NOVELTY_F(state)
    xor fast_mean, fast_mean, t2
    lw slow_mean, NOVELTY_M(state)
    xor slow_mean, slow_mean, t2
    load_variance variance_high, variance_low, NOVELTY_V0
    lw bins_origin, NOVELTY_ORIGIN(state)
    lui t0, 1 << 18 >> 12
    sub bins_origin, bins_origin, t0
    lhu scale, NOVELTY_SCALE(state)
    lw boost, NOVELTY_BOOST(state)
    addi outcome, zero, 0
    beq next_sample, samples_end, done
loop:
    lh sample, 0(next_sample)
    sub bin, sample, bins_origin
    sra bin, bin, scale
    sltiu t1, bin, 16
    beq t1, zero, outside
    addi next_sample, next_sample, 2
    follow_fast
    // The last eight bins are one word, four bits each: the newest comes in below, the eighth leaves above.
    lw t2, NOVELTY_BINS(state)
    slli t1, t2, 4
    or t1, t1, bin
    sw t1, NOVELTY_BINS(state)
    locate_row row4, 12, 15
    locate_row row8, 28, 0
    lhu t1, NOVELTY_AFTER4(row4)
    lhu t2, NOVELTY_AFTER8(row8)
    and t1, t1, t2
    lhu t2, NOVELTY_SEEN(state)
    and t1, t1, t2
    srl t1, t1, bin
    andi t1, t1, 1
    addi newness, zero, 0
    beq t1, zero, novel
known:
    lhu t1, NOVELTY_FADE(state)
    srl t1, boost, t1
    sub boost, boost, t1
    bne silent, zero, muted
    lhu t1, NOVELTY_BASE(state)
    srli t2, boost, 8
    add t1, t1, t2
    sub t6, t1, newness
    lhu t1, NOVELTY_LEAST(state)
    bge t6, t1, keen
    mv t6, t1
keen:
    mul t6, t6, t6                      // T²
    distance_of_means
    mul t2, t1, t1
    mulh t3, t1, t1
    slli t3, t3, 8
    srli t1, t2, 24
    or t3, t3, t1
    slli t2, t2, 8                      // 2^8·e² = (t3, t2)
    srli t1, variance_low, 8
    slli t4, variance_high, 24
    or t1, t1, t4
    srli t4, variance_high, 8           // w = V >> 8 = (t4, t1)
    bne t4, zero, above
    li t5, 256
    bgeu t1, t5, above
    mv t1, t5                           // its floor: one LSB²
above:
    mul t5, t4, t6
    mulhu t4, t4, t6
    mulhu a7, t1, t6
    add t5, t5, a7
    sltu a7, t5, a7
    add t4, t4, a7
    mul t1, t1, t6                      // T²·w = (t4, t5, t1)
    bne t4, zero, follow
    bltu t5, t3, alarm
    bne t5, t3, follow
    bltu t1, t2, alarm
follow:
    beq next_sample, grows_at, grow
grown:
    follow_slow loop
    j done
muted:
    addi silent, silent, -1
    j follow
alarm:                                  // this sample is the last
    lhu silent, NOVELTY_HOLDOFF(state)
    mv samples_end, next_sample
    addi outcome, zero, OUTCOME_ALARM
    lhu t1, NOVELTY_STEP(state)
    slli t1, t1, 8
    add boost, boost, t1
    lhu t1, NOVELTY_MOST(state)
    slli t1, t1, 8
    bgeu t1, boost, follow
    mv boost, t1
    j follow
novel:
    addi t1, zero, 1
    sll bin_bit, t1, bin
    learn_bin state, NOVELTY_SEEN, NOVELTY_NEW_LEVEL, known=step4
step4:
    sub a7, next_sample, origin
    srli a7, a7, 1                      // the count, this sample included
    sltiu t2, a7, 5
    bne t2, zero, learn
    learn_bin row4, NOVELTY_AFTER4, NOVELTY_NEW_STEP, known=step8
step8:
    sltiu t2, a7, 9
    bne t2, zero, learn
    learn_bin row8, NOVELTY_AFTER8, NOVELTY_NEW_STEP, known=learn
learn:                                  // learned, and not counted while there is much to learn
    lhu t2, NOVELTY_LEARNING(state)
    bltu t2, a7, known
    addi newness, zero, 0
    j known
grow:
    grow_shift grown
outside:                                // not fed: the caller widens the bins
    addi outcome, zero, OUTCOME_OUTSIDE
done:
    store_count NOVELTY_COUNT, NOVELTY_WARMUP, half=hu
    sh silent, NOVELTY_HOLD(state)
    lui t2, 1 << 31 >> 12
    xor fast_mean, fast_mean, t2
    sw fast_mean, NOVELTY_F(state)
    xor slow_mean, slow_mean, t2
    sw slow_mean, NOVELTY_M(state)
    sw boost, NOVELTY_BOOST(state)
    store_variance variance_high, variance_low, NOVELTY_V0
    index_after
    addi t0, zero, OUTCOME_OUTSIDE
    beq outcome, t0, unfed
    sub a0, a0, outcome                 // the index to return
    j back
unfed:
    xori a0, a0, -1                     // -1 - index
back:
    close_frame
