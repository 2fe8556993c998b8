// The novelty detector in Xtensa machine code: a bound by one product rejects, and the full test decides.
//
// An alarm is 256·e² > T²·w with w = max(V, 2^16) >> 8. Let s = floor(|e| / 2^E) and v = floor(w / 4^E), both below
// 2^15. From floor((s + 1)² / 2^4) < floor(T² / 2^12)·v it follows that 256·e² < T²·w: no alarm.

#include "following.h"

#define FRAME_LOOP_END FRAME_OWN
#define FRAME_BINS FRAME_OWN + 4
#define FRAME_NEWNESS FRAME_OWN + 8
#define FRAME_BOOST FRAME_OWN + 12
#define FRAME_THRESHOLD FRAME_OWN + 16
#define FRAME_BINS_ORIGIN FRAME_OWN + 20
#define FRAME_BIN_SCALE FRAME_OWN + 24
#define FRAME_BYTES 128
// Half of 8, the shift in w.
#define W_HALF 4
#define V_BITS 14

#define OUTCOME_ALARM 1
#define OUTCOME_OUTSIDE 2
// While new values are learned; the loop's registers are saved.
#define bin_bit a5
#define newness a6

// Go on at `known` when the bin has been seen there; else it is learned and adds to the newness.
.macro learn_bin base, place, worth, known
    l16ui a7, \base, \place
    and a8, a7, bin_bit
    bnez a8, \known
    or a7, a7, bin_bit
    s16i a7, \base, \place
    l16ui a8, state, \worth
    add newness, newness, a8
.endm

// (high, low) = a·b, without signs; the halves of a and b pass as well.
.macro multiply high, low, a, b, half_a, half_b, middle
    extui \half_a, \a, 16, 16
    extui \half_b, \b, 16, 16
    mul16u \middle, \a, \b
    extui \middle, \middle, 16, 16
    mul16u \low, \a, \half_b
    add \middle, \middle, \low
    mul16u \low, \half_a, \b
    mul16u \high, \half_a, \half_b
    add \middle, \middle, \low
    bgeu \middle, \low, no_carry_\@
    movi \low, 1 << 16
    add \high, \high, \low
no_carry_\@:
    extui \middle, \middle, 16, 16
    add \high, \high, \middle
    mull \low, \a, \b
.endm

// As plain_novelty.find. Does not allocate; may run in an interrupt that does not share the state.
kernel find, arguments=4, frame=FRAME_BYTES
    start_following NOVELTY_COUNT, NOVELTY_WARMUP, NOVELTY_HOLD, NOVELTY_SHIFTS, l16ui
    movi t1, 1 << 31
    l32i fast_mean, state, NOVELTY_F
    xor fast_mean, fast_mean, t1
    l32i slow_mean, state, NOVELTY_M
    xor slow_mean, slow_mean, t1
    load_variance variance_high, variance_low, NOVELTY_V0, t0, t1
    l32i t0, state, NOVELTY_ORIGIN
    movi t1, 1 << 18
    sub t0, t0, t1
    s32i t0, a1, FRAME_BINS_ORIGIN
    l16ui t0, state, NOVELTY_SCALE
    s32i t0, a1, FRAME_BIN_SCALE
    l32i t0, state, NOVELTY_BOOST
    s32i t0, a1, FRAME_BOOST
    movi t0, 1 << 16
    s32i t0, a1, FRAME_FLOOR
    movi t0, W_HALF
    s32i t0, a1, FRAME_H
    movi scale, 0
    movi scale_2, 2 * W_HALF
feed:
    samples_at_once done
    addx2 t0, t0, next_sample
    s32i t0, a1, FRAME_LOOP_END
loop:
    l16si sample, next_sample, 0
    l32i t0, a1, FRAME_BINS_ORIGIN
    l32i t1, a1, FRAME_BIN_SCALE
    sub t2, sample, t0
    ssr t1
    sra t2, t2
    bgeui t2, 16, outside
    follow_fast
    // The last eight bins are one word, four bits each: the newest comes in below, the eighth leaves above.
    l32i state, a1, FRAME_STATE
    l32i t1, state, NOVELTY_BINS
    s32i t1, a1, FRAME_BINS
    slli t0, t1, 4
    or t0, t0, t2
    s32i t0, state, NOVELTY_BINS
    ssr t2
    extui t0, t1, 12, 4
    addx2 t0, t0, state
    l16ui t0, t0, NOVELTY_AFTER4
    extui t1, t1, 28, 4
    addx2 t1, t1, state
    l16ui t1, t1, NOVELTY_AFTER8
    and t0, t0, t1
    l16ui t1, state, NOVELTY_SEEN
    and t0, t0, t1
    srl t0, t0
    bbci t0, 0, novel
    movi t2, 0
known:                                  // t2 = the newness
    l32i t0, a1, FRAME_BOOST
    l16ui t1, state, NOVELTY_FADE
    ssr t1
    srl t1, t0
    sub t0, t0, t1
    s32i t0, a1, FRAME_BOOST
    bnez silent, muted
    srli t0, t0, 8
    l16ui t1, state, NOVELTY_BASE
    add t0, t0, t1
    sub t0, t0, t2
    l16ui t1, state, NOVELTY_LEAST
    max t0, t0, t1
    s32i t0, a1, FRAME_THRESHOLD
    distance_of_means
test:
    ssr scale
    srl t0, distance
    bgeui t0, 32768, slow
    floor_variance t2, t1
    ssr scale_2
    src t1, variance_high, t2
    bgeui t1, 32768, slow
    l32i t2, a1, FRAME_THRESHOLD
    mull t2, t2, t2
    srli t2, t2, 12
    mull t1, t1, t2
    addi t0, t0, 1
    mull t0, t0, t0
    srli t0, t0, 4
    bgeu t0, t1, slow
follow:
    follow_slow
    l32i t0, a1, FRAME_LOOP_END
    bne next_sample, t0, loop
    j feed
muted:
    addi silent, silent, -1
    j follow
slow:
    rescale V_BITS
    bnez t0, test
    save_loop
    mov a14, distance
    multiply a6, a7, a14, a14, a4, a5, a12
    ssai 24
    src a6, a6, a7
    slli a7, a7, 8                      // 256·e² = (a6, a7)
    floor_variance a10, a12
    ssai 8
    src a10, a9, a10
    srli a9, a9, 8                      // w = (a9, a10)
    l32i a11, a1, FRAME_THRESHOLD
    mull a11, a11, a11                  // T², below 2^30
    multiply a2, a3, a11, a9, a4, a5, a12
    bnez a2, below
    multiply a8, a13, a11, a10, a4, a5, a12
    add a8, a8, a3
    bltu a8, a3, below                  // T²·w = (a8, a13), or more than two words
    bltu a6, a8, below
    bne a6, a8, above
    bgeu a13, a7, below
above:
    restore_loop
    j alarm
below:
    restore_loop
    j follow
alarm:                                  // this sample is the last
    s32i next_sample, a1, FRAME_SAMPLES_END
    s32i next_sample, a1, FRAME_LOOP_END
    movi t0, OUTCOME_ALARM
    s32i t0, a1, FRAME_OUTCOME
    l32i state, a1, FRAME_STATE
    l16ui silent, state, NOVELTY_HOLDOFF
    l32i t0, a1, FRAME_BOOST
    l16ui t1, state, NOVELTY_STEP
    slli t1, t1, 8
    add t0, t0, t1
    l16ui t1, state, NOVELTY_MOST
    slli t1, t1, 8
    minu t0, t0, t1
    s32i t0, a1, FRAME_BOOST
    j follow
novel:                                  // t2 = the bin
    save_loop
    movi bin_bit, 1
    ssl t2
    sll bin_bit, bin_bit
    movi newness, 0
    l32i a9, a1, FRAME_ORIGIN
    sub a9, next_sample, a9
    srli a9, a9, 1                      // the count, this sample included
    l32i a10, a1, FRAME_BINS
    learn_bin state, NOVELTY_SEEN, NOVELTY_NEW_LEVEL, known=step4
step4:
    bltui a9, 5, learn
    extui a11, a10, 12, 4
    addx2 a11, a11, state
    learn_bin a11, NOVELTY_AFTER4, NOVELTY_NEW_STEP, known=step8
step8:
    movi a11, 9
    bltu a9, a11, learn
    extui a11, a10, 28, 4
    addx2 a11, a11, state
    learn_bin a11, NOVELTY_AFTER8, NOVELTY_NEW_STEP, known=learn
learn:                                  // learned, and not counted while there is much to learn
    l16ui a11, state, NOVELTY_LEARNING
    bltu a11, a9, counted
    movi newness, 0
counted:
    s32i newness, a1, FRAME_NEWNESS
    restore_loop
    l32i t2, a1, FRAME_NEWNESS
    j known
outside:                                // not fed: the caller widens the bins
    movi t0, OUTCOME_OUTSIDE
    s32i t0, a1, FRAME_OUTCOME
done:
    store_count NOVELTY_COUNT, NOVELTY_WARMUP, l16ui
    s16i silent, state, NOVELTY_HOLD
    movi t1, 1 << 31
    xor fast_mean, fast_mean, t1
    s32i fast_mean, state, NOVELTY_F
    xor slow_mean, slow_mean, t1
    s32i slow_mean, state, NOVELTY_M
    l32i t0, a1, FRAME_BOOST
    s32i t0, state, NOVELTY_BOOST
    store_variance variance_high, variance_low, NOVELTY_V0, t0, t1
    index_after
    beqi t1, OUTCOME_OUTSIDE, unfed
    sub t0, t0, t1                      // the index to return
    return_integer t0
unfed:
    movi t1, -1
    xor t0, t0, t1                      // -1 - index
    return_integer t0
