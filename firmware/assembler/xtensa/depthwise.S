// Depthwise int8 layers in Xtensa machine code: sums of products by MAC16, tap after tap.

#include "network.h"

// The longer side of the filter is the inner loop.
#define FRAME_INNER FRAME_OWN
#define FRAME_INNER_STEP FRAME_OWN + 4
#define FRAME_OUTER FRAME_OWN + 8
#define FRAME_OUTER_STEP FRAME_OWN + 12
#define FRAME_FILL FRAME_OWN + 16
#define FRAME_BYTES 64

#define sign a5
#define step a6
#define first_tap a7

// As plain_depthwise.depthwise. Does not allocate.
kernel depthwise, arguments=4, frame=FRAME_BYTES
    open_layer DEPTHWISE_ZERO
    l32i a8, descriptor, DEPTHWISE_HEIGHT
    l32i a9, descriptor, DEPTHWISE_WIDTH
    l32i a10, descriptor, DEPTHWISE_TAP_DOWN
    l32i a11, descriptor, DEPTHWISE_TAP_ACROSS
    mull a12, a8, a9
    neg a12, a12
    extui a12, a12, 0, 2
    s32i a12, a1, FRAME_FILL
    bnei a9, 1, across                  // one column is as one row
    mov a9, a8
    movi a8, 1
    mov a11, a10
across:
    s32i a8, a1, FRAME_OUTER
    s32i a9, a1, FRAME_INNER
    s32i a10, a1, FRAME_OUTER_STEP
    s32i a11, a1, FRAME_INNER_STEP
row:
    start_row
pixel:
    l32i channels_left, descriptor, LAYER_CHANNELS
    l32i stream, a1, FRAME_STREAM
    l32i output, a1, FRAME_PIXEL_OUTPUT
    l32i zero_point, a1, FRAME_ZERO_POINT
    l32i first_tap, a1, FRAME_PIXEL_INPUT
    l32i step, a1, FRAME_INNER_STEP
    movi sign, 128
channel:
    l32i a8, stream, 0
    movi a9, 1 << 29
    sub a8, a8, a9
    wsr a8, acclo
    addi stream, stream, 4
    l32i a2, a1, FRAME_OUTER
    mov a4, first_tap
taps:
    mov a10, a4
    l32i a9, a1, FRAME_INNER
    loop a9, summed
    l8ui a8, stream, 0
    l8ui a11, a10, 0
    addi a8, a8, -128
    xor a11, a11, sign
    mula.aa.ll a8, a11
    addi stream, stream, 1
    add a10, a10, step
summed:
    l32i a8, a1, FRAME_OUTER_STEP
    add a4, a4, a8
    addi a2, a2, -1
    bnez a2, taps
    l32i a8, a1, FRAME_FILL
    add stream, stream, a8
    addi first_tap, first_tap, 1
    rsr accumulator, acclo
    store_output channel
    next_pixel pixel
    next_row row
    close_layer
