// The rolling z-score in Xtensa machine code: a bound by one product rejects, and the full test decides.

#include "rolling.h"

// As plain_zscore.find. Does not allocate; may run in an interrupt that does not share the state.
kernel find, arguments=3, frame=FRAME_BYTES
    start_samples later=0
feed:
    samples_at_once done
    loop t0, fed
    l16ui value, next_sample, 0
    l16ui change, slot, 0
    addi next_sample, next_sample, 2
    xor value, value, offset            // u
    s16i value, slot, 0
    sub change, value, change
    add sum, sum, change
    mull value, value, window
    sub value, value, sum               // D
    mull t0, change, window
    sub t0, t0, change
    subx2 t0, value, t0                 // 2·D - (n - 1)·change = D + D_oldest
    update_variance
test:
    abs t0, value
    bound_or slow, bound, bound_up, variance_low
    bltu t1, t0, slow
next:
    addi slot, slot, 2
fed:
    wrap_slot
    j feed
slow:
    test_exactly test, next
    compare_exactly
    decide above, below=next
above:
    leave_loop t0
    addi slot, slot, 2
    wrap_slot
    movi t0, 1
    j finish
done:
    movi t0, 0
finish:
    finish_samples
