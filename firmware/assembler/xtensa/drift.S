// The drift detector in Xtensa machine code: a bound by one product rejects, and the full test decides.

#include "following.h"

#define FRAME_BOUND FRAME_OWN
#define FRAME_BOUND_UP FRAME_OWN + 4
#define FRAME_BYTES 112

// mean = the mean of two halves, less 2^31, which is in t1.
.macro load_mean mean, high, low
    l32i \mean, state, \high
    slli \mean, \mean, 16
    l32i t0, state, \low
    or \mean, \mean, t0
    xor \mean, \mean, t1
.endm

.macro store_mean mean, high, low
    xor \mean, \mean, t1
    extui t0, \mean, 16, 16
    s32i t0, state, \high
    extui t0, \mean, 0, 16
    s32i t0, state, \low
.endm

// As plain_drift.find. Does not allocate; may run in an interrupt that does not share the state.
kernel find, arguments=4, frame=FRAME_BYTES
    start_following DRIFT_COUNT, DRIFT_WARMUP, DRIFT_HOLD, DRIFT_SHIFTS, l32i
    movi t1, 1 << 31
    load_mean fast_mean, DRIFT_F1, DRIFT_F0
    load_mean slow_mean, DRIFT_M1, DRIFT_M0
    load_variance variance_high, variance_low, DRIFT_V0, t0, t1
    prepare_bound DRIFT_KR, sample, t2
    s32i sample, a1, FRAME_BOUND
    s32i t2, a1, FRAME_BOUND_UP
    l32i t0, state, DRIFT_FLOOR
    slli t0, t0, 16
    s32i t0, a1, FRAME_FLOOR
feed:
    samples_at_once done
    loop t0, fed
    l16si sample, next_sample, 0
    follow_fast
    bnez silent, muted
    distance_of_means
test:
    floor_variance t2, t1
    mov t0, distance
    ssr scale
    srl t0, t0
    bgeui t0, 32768, slow
    ssr scale_2
    src t1, variance_high, t2
    l32i t2, a1, FRAME_BOUND
    mull t0, t0, t2
    l32i t2, a1, FRAME_BOUND_UP
    add t0, t0, t2
    extui t0, t0, 16, 16
    mull t0, t0, t0
    bltu t1, t0, slow
follow:
    follow_slow
fed:
    j feed
muted:
    addi silent, silent, -1
    j follow
slow:
    rescale 24
    bnez t0, test
    save_loop
    mov a14, distance
    floor_variance a8, a12
    l32i a13, a1, FRAME_STATE
    l32i a13, a13, DRIFT_PQ
    extui a6, a13, 8, 8
    mull a6, a6, a6                     // q²
    extui a11, a13, 0, 8
    mull a11, a11, a11                  // p²
    compare_digits
    decide above, below=follow
above:                                  // this sample is the last
    leave_loop t0
    s32i next_sample, a1, FRAME_SAMPLES_END
    movi t0, 1
    s32i t0, a1, FRAME_OUTCOME
    l32i t0, a1, FRAME_STATE
    l32i silent, t0, DRIFT_HOLDOFF
    j follow
done:
    store_count DRIFT_COUNT, DRIFT_WARMUP, l32i
    s32i silent, state, DRIFT_HOLD
    movi t1, 1 << 31
    store_mean fast_mean, DRIFT_F1, DRIFT_F0
    store_mean slow_mean, DRIFT_M1, DRIFT_M0
    store_variance variance_high, variance_low, DRIFT_V0, t0, t1
    index_after
    sub t0, t0, t1                      // the index to return
    return_integer t0
