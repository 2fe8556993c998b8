// The drift detector in ARMv7-M machine code, by 64-bit products.

#define state r0
#include "following.h"

#define fast_less_1 r10

#define FRAME_Q_SQUARED 20
#define FRAME_P_SQUARED 24
#define FRAME_FLOOR 28
#define FRAME_STATE 32
#define FRAME_BYTES 40

// mean = the mean of two halves, less 2^31.
.macro load_mean mean, high, low
    ldr \mean, [state, #\high]
    ldr r2, [state, #\low]
    orr \mean, r2, \mean, lsl #16
    eor \mean, \mean, #0x80000000
.endm

.macro store_mean mean, high, low
    eor \mean, \mean, #0x80000000
    uxth r2, \mean
    str r2, [state, #\low]
    lsrs r2, \mean, #16
    str r2, [state, #\high]
.endm

// grows_at = the end when k is at its setting (in r2) or the end comes first.
.macro limit_growth end
    cmp shift, r2
    it eq
    moveq grows_at, \end
    cmp grows_at, \end
    it hi
    movhi grows_at, \end
.endm

// As plain_drift.find. Does not allocate; may run in an interrupt that does not share the state.
kernel find, arguments=4
    save_high_registers
    sub sp, sp, #FRAME_BYTES
    str r0, [sp, #FRAME_STATE]
    start_samples
    start_count DRIFT_COUNT
    start_silence DRIFT_WARMUP, DRIFT_HOLD
    start_shift DRIFT_SHIFTS
    uxtb fast_less_1, r2
    subs fast_less_1, fast_less_1, #1
    limit_shift
    sub grows_at, grows_at, #2          // this kernel looks at it before it reads the sample
    ldr r14, [sp, #FRAME_END]
    limit_growth r14
    rsb word_less_shift, shift, #32
    ldr r2, [state, #DRIFT_PQ]
    uxtb r3, r2
    mul r3, r3, r3
    str r3, [sp, #FRAME_P_SQUARED]
    lsrs r2, r2, #8
    mul r2, r2, r2
    str r2, [sp, #FRAME_Q_SQUARED]
    ldr r2, [state, #DRIFT_FLOOR]
    lsls r2, r2, #16
    str r2, [sp, #FRAME_FLOOR]
    load_mean fast_mean, DRIFT_F1, DRIFT_F0
    load_mean slow_mean, DRIFT_M1, DRIFT_M0
    load_variance variance_high, variance_low, r2, variance_high, state, DRIFT_V0
    refuse_armv6m r0
    str r0, [sp, #FRAME_OUTCOME]
    b check
loop:
    ldrsh sample, [next_sample], #2
    half_distance fast_mean
    asr r2, r2, fast_less_1
    add fast_mean, fast_mean, r2
    cmp silent, #0
    bne muted
    distance_of_means
    smull r2, r3, r2, r2
    ldr r14, [sp, #FRAME_Q_SQUARED]
    umull r2, r0, r2, r14
    mla r3, r3, r14, r0                 // q²·d² = (r3, r2)
    ldr r14, [sp, #FRAME_P_SQUARED]
    mul r0, variance_high, r14
    umull r11, r14, variance_low, r14
    add r0, r0, r14                     // p²·V = (r0, r11)
    cmp r11, r2
    mov.w silent, #0
    sbcs r0, r0, r3
    bcc above
follow:
    ldrsh sample, [next_sample, #-2]
advance:
    follow_sample
check:
    cmp next_sample, grows_at
    bne loop
    ldr r0, [sp, #FRAME_END]
    cmp next_sample, r0
    beq done
    add shift, shift, #1
    sub word_less_shift, word_less_shift, #1
    find_next_growth
    sub grows_at, grows_at, #2
    limit_growth r0
    b loop
muted:
    subs silent, silent, #1
    b advance
above:                                  // the threshold of V; what counts is its floor too
    ldr r14, [sp, #FRAME_FLOOR]
    ldr r0, [sp, #FRAME_P_SQUARED]
    umull r14, r0, r14, r0              // p²·floor = (r0, r14)
    cmp r14, r2
    sbcs r0, r0, r3
    bcs follow
    ldr r2, [sp, #FRAME_STATE]          // this sample is the last
    ldr silent, [r2, #DRIFT_HOLDOFF]
    str next_sample, [sp, #FRAME_END]
    mov grows_at, next_sample
    movs r2, #1
    str r2, [sp, #FRAME_OUTCOME]
    b follow
done:
    ldr r0, [sp, #FRAME_STATE]
    store_count DRIFT_COUNT
    ldr r3, [state, #DRIFT_WARMUP]
    drop_silence_within r3
    str silent, [state, #DRIFT_HOLD]
    store_mean fast_mean, DRIFT_F1, DRIFT_F0
    store_mean slow_mean, DRIFT_M1, DRIFT_M0
    store_variance variance_high, variance_low, r3, state, DRIFT_V0
    load_outcome
    subs r0, r0, r2                     // the index to return
    add sp, sp, #FRAME_BYTES
    restore_high_registers
