// The lagged rolling z-score in ARMv7-M machine code: each sample in full against the window before it.

#define SAMPLE_SHIFT 1
#include "rolling_lagged.h"

// As plain_lagged.find. Does not allocate; may run in an interrupt that does not share the state.
kernel find, arguments=3
    start_lagged
    smull value, square_high, value, value
    test_lagged
    subs value, value, sum              // D after the change
    update_variance
    finish_lagged
