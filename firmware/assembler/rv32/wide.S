// The rolling z-score in RV32IMC machine code for samples of 17 to 24 bits, both forms: the full test at every sample.

#define SAMPLE_SHIFT 2
#include "rolling_plain.h"
#include "rolling_lagged.h"

#define FRAME_S2 16
#define FRAME_BYTES 32

// As plain_wide.find. Does not allocate; may run in an interrupt that does not share the state.
kernel find, arguments=3
    addi sp, sp, -FRAME_BYTES
    sw s2, FRAME_S2(sp)
    start_plain
    update_wide_variance s2
    size_of_d value, t4
    mul square_low, value, value
    mulhu square_high, value, value
    finish_plain
    lw s2, FRAME_S2(sp)
    addi sp, sp, FRAME_BYTES

// As plain_wide.find_lagged. Does not allocate; may run in an interrupt that does not share the state.
kernel find_lagged, arguments=3
    start_lagged
    sltu t3, t2, sum
    sub t2, t2, sum                     // D before the change
    size_of_d t2, t3
    mul square_low, t2, t2
    mulhu square_high, t2, t2
    test_lagged
    update_wide_variance a4
    finish_lagged
