// The lagged rolling z-score in RV32IMC machine code: each sample in full against the window before it.

#define SAMPLE_SHIFT 1
#include "rolling_lagged.h"

// As plain_lagged.find. Does not allocate; may run in an interrupt that does not share the state.
kernel find, arguments=3
    start_lagged
    sub t2, t2, sum                     // D before the change
    mul square_low, t2, t2
    mulh square_high, t2, t2
    test_lagged
    update_variance
    finish_lagged
