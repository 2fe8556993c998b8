// The rolling z-score in ARMv7-M machine code for samples of 17 to 24 bits, both forms: the full test at every sample.

#define SAMPLE_SHIFT 2
#include "rolling_plain.h"
#include "rolling_lagged.h"

// As plain_wide.find. Does not allocate; may run in an interrupt that does not share the state.
kernel find, arguments=3
    start_plain
    update_wide_variance
    size_of_d r11
    umull value, square_high, value, value
    finish_plain

// As plain_wide.find_lagged. Does not allocate; may run in an interrupt that does not share the state.
kernel find_lagged, arguments=3
    start_lagged
    sbc r10, r10, r10
    size_of_d r10
    umull value, square_high, value, value
    test_lagged
    update_wide_variance
    finish_lagged
