// The lagged rolling z-score in Xtensa machine code: a sample is tested against the window before it.

#include "rolling.h"

// As plain_lagged.find. Does not allocate; may run in an interrupt that does not share the state.
kernel find, arguments=3, frame=FRAME_BYTES
    l32i a5, state, ZSCORE_F0
    l32i a6, state, ZSCORE_F1
    slli a6, a6, 14
    or a5, a5, a6
    s32i a5, a1, FRAME_FLOOR
    movi a5, 0
    s32i a5, a1, FRAME_FOUND
    start_samples later=1
feed:
    samples_at_once done
    loop t0, fed
    l16ui change, next_sample, 0
    addi next_sample, next_sample, 2
    xor change, change, offset          // u
    mull value, change, window
    sub value, value, sum               // D
test:
    floor_variance t1, t0
    abs t0, value
    bound_or slow, bound, bound_up, t1
    bltu t1, t0, slow
next:
    mov t1, change
    l16ui t0, slot, 0
    s16i t1, slot, 0
    sub change, t1, t0
    add sum, sum, change
    mull t0, change, window
    add t0, t0, change
    subx2 t0, value, t0                 // 2·D - (n + 1)·change = D + D_oldest after the change
    update_variance
    addi slot, slot, 2
fed:
    wrap_slot
    j feed
slow:
    test_exactly test, next
    floor_variance a8, a13
    compare_exactly
    decide above, below=next
above:                                  // this sample is the last
    leave_loop t0
    s32i next_sample, a1, FRAME_SAMPLES_END
    movi t0, 1
    s32i t0, a1, FRAME_FOUND
    l16ui t0, slot, 0
    s32i t0, a1, FRAME_DISPLACED
    j next
done:
    l32i t0, a1, FRAME_FOUND
    finish_samples lagged=1
