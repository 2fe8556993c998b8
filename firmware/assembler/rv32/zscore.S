// The rolling z-score in RV32IMC machine code: the full test at every sample, by products of two words.

#define SAMPLE_SHIFT 1
#include "rolling_plain.h"

#define FRAME_BYTES 16

// As plain_zscore.find. Does not allocate; may run in an interrupt that does not share the state.
kernel find, arguments=3
    addi sp, sp, -FRAME_BYTES
    start_plain
    update_variance
    mul square_low, value, value
    mulh square_high, value, value
    finish_plain
    addi sp, sp, FRAME_BYTES
