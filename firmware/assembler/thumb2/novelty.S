// The novelty detector in ARMv7-M machine code, by 64- and 96-bit products.

#define state r10
#include "following.h"

#define bin r3
#define newness r0
// While new values are learned: addresses that lie before the rows of the bins of four and eight samples ago, as far
// as the state's tables lie behind it, and the bin as a bit.
#define row4 r14
#define row8 r2
#define bin_bit r9

#define FRAME_FAST_LESS_1 20
#define FRAME_BYTES 24
#define OUTCOME_ALARM 1
#define OUTCOME_OUTSIDE 2

.macro load_mean mean, place
    ldr \mean, [state, #\place]
    eor \mean, \mean, #0x80000000
.endm

.macro store_mean mean, place
    eor \mean, \mean, #0x80000000
    str \mean, [state, #\place]
.endm

// Go on at `known` when the bin has been seen there; else it is learned and adds to the newness.
.macro learn_bin base, place, worth, known
    ldrh r3, [\base, #\place]
    tst r3, bin_bit
    bne \known
    orr r3, r3, bin_bit
    strh r3, [\base, #\place]
    ldrh r3, [state, #\worth]
    adds newness, newness, r3
.endm

// r3 = twice the count, this sample included.
.macro twice_count
    ldr r3, [sp, #FRAME_ORIGIN]
    subs r3, next_sample, r3
.endm

// As plain_novelty.find. Does not allocate; may run in an interrupt that does not share the state.
kernel find, arguments=4
    save_high_registers
    sub sp, sp, #FRAME_BYTES
    start_samples
    mov state, r0
    start_count NOVELTY_COUNT
    start_silence NOVELTY_WARMUP, NOVELTY_HOLD, h
    start_shift NOVELTY_SHIFTS, h
    uxtb r0, r2
    subs r0, r0, #1
    str r0, [sp, #FRAME_FAST_LESS_1]
    limit_shift
    cmp shift, r2
    it eq
    moveq grows_at, #0                  // never
    load_mean fast_mean, NOVELTY_F
    load_mean slow_mean, NOVELTY_M
    load_variance variance_high, variance_low, r2, variance_high, state, NOVELTY_V0
    refuse_armv6m r0
    str r0, [sp, #FRAME_OUTCOME]
    b check
loop:
    ldrsh sample, [next_sample]
    ldr r2, [state, #NOVELTY_ORIGIN]
    add r3, sample, #0x40000
    subs r3, r3, r2
    ldrh r2, [state, #NOVELTY_SCALE]
    asrs bin, r3, r2
    cmp bin, #15
    bhi.w outside
    adds next_sample, next_sample, #2
    half_distance fast_mean
    ldr r14, [sp, #FRAME_FAST_LESS_1]
    asr r2, r2, r14
    add fast_mean, fast_mean, r2
    // The last eight bins are one word, four bits each: the newest comes in below, the eighth leaves above.
    ldr r2, [state, #NOVELTY_BINS]
    ubfx row4, r2, #12, #4
    add row4, state, row4, lsl #1
    orr r0, bin, r2, lsl #4
    str r0, [state, #NOVELTY_BINS]
    lsrs row8, r2, #28
    add row8, state, row8, lsl #1
    ldrh r0, [row4, #NOVELTY_AFTER4]
    ldrh r9, [row8, #NOVELTY_AFTER8]
    and r0, r0, r9
    ldrh r9, [state, #NOVELTY_SEEN]
    and r0, r0, r9
    lsrs r0, r0, bin
    tst r0, #1
    mov newness, #0
    beq.w novel
known:
    ldr r2, [state, #NOVELTY_BOOST]
    ldrh r3, [state, #NOVELTY_FADE]
    lsr r3, r2, r3
    subs r2, r2, r3
    str r2, [state, #NOVELTY_BOOST]
    cmp silent, #0
    bne muted
    ldrh r3, [state, #NOVELTY_BASE]
    add r2, r3, r2, lsr #8
    subs r2, r2, newness
    ldrh r3, [state, #NOVELTY_LEAST]
    cmp r2, r3
    it lt
    movlt r2, r3                        // T
    mul r2, r2, r2
    lsr r0, variance_low, #8
    orr r0, r0, variance_high, lsl #24
    lsrs r3, variance_high, #8          // w = V >> 8 = (r3, r0)
    cmp r0, #256
    sbcs r14, r3, #0
    it cc
    movcc r0, #256                      // its floor: one LSB²
    umull r0, r14, r0, r2
    umull r2, r3, r3, r2
    adds r14, r14, r2
    adc r3, r3, #0                      // T²·w = (r3, r14, r0)
    distance_of_means
    smull r2, r11, r2, r2
    lsl r11, r11, #8
    orr r11, r11, r2, lsr #24
    lsls r2, r2, #8                     // 2^8·e² = (r11, r2)
    cmp r0, r2
    sbcs r14, r14, r11
    sbcs r3, r3, #0
    mov silent, #0
    bcc.w alarm
follow:
    ldrsh sample, [next_sample, #-2]
    cmp next_sample, grows_at
    beq.w grow
grown:
    rsb word_less_shift, shift, #32
    follow_sample
check:
    ldr r0, [sp, #FRAME_END]
    cmp next_sample, r0
    bne.w loop
    b done
muted:
    subs silent, silent, #1
    b follow
grow:
    add shift, shift, #1
    find_next_growth
    cmp shift, r2
    it eq
    moveq grows_at, #0
    b grown
novel:
    mov bin_bit, #1
    lsl bin_bit, bin_bit, bin
    learn_bin state, NOVELTY_SEEN, NOVELTY_NEW_LEVEL, known=step4
step4:
    twice_count
    cmp r3, #10
    bcc learn
    learn_bin row4, NOVELTY_AFTER4, NOVELTY_NEW_STEP, known=step8
step8:
    twice_count
    cmp r3, #18
    bcc learn
    learn_bin row8, NOVELTY_AFTER8, NOVELTY_NEW_STEP, known=learn
learn:                                  // learned, and not counted while there is much to learn
    twice_count
    lsrs r3, r3, #1
    ldrh r2, [state, #NOVELTY_LEARNING]
    cmp r3, r2
    it ls
    movls newness, #0
    b known
alarm:                                  // this sample is the last
    ldrh silent, [state, #NOVELTY_HOLDOFF]
    str next_sample, [sp, #FRAME_END]
    movs r2, #OUTCOME_ALARM
    str r2, [sp, #FRAME_OUTCOME]
    ldr r2, [state, #NOVELTY_BOOST]
    ldrh r3, [state, #NOVELTY_STEP]
    add r2, r2, r3, lsl #8
    ldrh r3, [state, #NOVELTY_MOST]
    lsls r3, r3, #8
    cmp r2, r3
    it hi
    movhi r2, r3
    str r2, [state, #NOVELTY_BOOST]
    b follow
outside:                                // not fed: the caller widens the bins
    movs r2, #OUTCOME_OUTSIDE
    str r2, [sp, #FRAME_OUTCOME]
done:
    store_count NOVELTY_COUNT
    ldrh r3, [state, #NOVELTY_WARMUP]
    drop_silence_within r3
    strh silent, [state, #NOVELTY_HOLD]
    store_mean fast_mean, NOVELTY_F
    store_mean slow_mean, NOVELTY_M
    store_variance variance_high, variance_low, r3, state, NOVELTY_V0
    load_outcome
    cmp r2, #OUTCOME_ALARM
    it eq
    subeq r0, r0, #1
    it hi
    mvnhi r0, r0                        // -1 - index
    add sp, sp, #FRAME_BYTES
    restore_high_registers
