// The rolling z-score in ARMv7-M machine code: the full test at every sample, by 64-bit products.

#define SAMPLE_SHIFT 1
#include "rolling_plain.h"

// As plain_zscore.find. Does not allocate; may run in an interrupt that does not share the state.
kernel find, arguments=3
    start_plain
    sub value, value, sum               // D
    update_variance
    smull value, square_high, value, value
    finish_plain
