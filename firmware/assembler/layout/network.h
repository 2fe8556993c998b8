// Where a layer's descriptor and a block of its stream hold what: byte offsets, the same for every instruction set.
//
// What each word means is in docs/spec/model-plan.md.

#pragma once

#define LAYER_IN 0
#define LAYER_OUT 4
#define LAYER_STREAM 8
#define LAYER_CHANNELS 12
#define LAYER_ROWS 24
#define LAYER_COLS 28
#define LAYER_IN_ROW 32
#define LAYER_IN_COL 36
#define LAYER_OUT_ROW 40
#define LAYER_OUT_COL 44

#define CONV_FILLED 20
#define CONV_SEGMENTS 48
#define CONV_LENGTH 52
#define CONV_OFFSETS 56
#define CONV_LINE 60
#define CONV_ZERO 64

#define DEPTHWISE_HEIGHT 16
#define DEPTHWISE_WIDTH 20
#define DEPTHWISE_ZERO 56
#define DEPTHWISE_TAPS 64

// A block of four channels: biases, weights, multipliers, right shifts, left shifts.
#define BLOCK_BIASES_BYTES 16
#define BLOCK_MULTIPLIERS_BYTES 16
#define BLOCK_SHIFTS_BYTES 4
#define BLOCK_TAIL_BYTES 24

// In streams by rows (weights of one channel after the other), after the weights.
#define CONV_INPUTS 16
#define DEPTHWISE_TAP_DOWN 48
#define DEPTHWISE_TAP_ACROSS 52
#define ROW_RIGHT_SHIFT 4
#define ROW_LEFT_SHIFT 5
#define ROW_TAIL_BYTES 8
