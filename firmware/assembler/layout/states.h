// Where the detectors' states hold what: byte offsets, the same for every instruction set.
//
// What each word means is in the docstring of kittiwake_node.kernels.

#pragma once

#define ZSCORE_N 0
#define ZSCORE_POS 4
#define ZSCORE_COUNT 8
#define ZSCORE_S0 12
#define ZSCORE_S1 16
#define ZSCORE_V0 20
#define ZSCORE_A 32
#define ZSCORE_B 36
#define ZSCORE_KR 40
#define ZSCORE_F0 44
#define ZSCORE_F1 48
#define ZSCORE_START 52
#define ZSCORE_STOP 56

#define SUMMARY_COUNT 0
#define SUMMARY_LOW 4
#define SUMMARY_HIGH 8
#define SUMMARY_S0 12
#define SUMMARY_S1 16
#define SUMMARY_Q0 20
#define SUMMARY_Q1 24
#define SUMMARY_Q2 28
#define SUMMARY_START 32
#define SUMMARY_STOP 36

#define DRIFT_COUNT 0
#define DRIFT_HOLD 4
#define DRIFT_F1 8
#define DRIFT_F0 12
#define DRIFT_M1 16
#define DRIFT_V0 20
#define DRIFT_M0 32
#define DRIFT_SHIFTS 36
#define DRIFT_PQ 40
#define DRIFT_KR 44
#define DRIFT_WARMUP 48
#define DRIFT_HOLDOFF 52
#define DRIFT_FLOOR 56

#define NOVELTY_COUNT 0
#define NOVELTY_F 4
#define NOVELTY_M 8
#define NOVELTY_HOLD 12
#define NOVELTY_SCALE 14
#define NOVELTY_ORIGIN 16
#define NOVELTY_V0 20
#define NOVELTY_BOOST 32
#define NOVELTY_BINS 36
#define NOVELTY_SEEN 40
#define NOVELTY_BASE 42
#define NOVELTY_LEAST 44
#define NOVELTY_STEP 46
#define NOVELTY_MOST 48
#define NOVELTY_HOLDOFF 50
#define NOVELTY_NEW_LEVEL 52
#define NOVELTY_NEW_STEP 54
#define NOVELTY_LEARNING 56
#define NOVELTY_WARMUP 58
#define NOVELTY_SHIFTS 60
#define NOVELTY_FADE 62
#define NOVELTY_AFTER4 64
#define NOVELTY_AFTER8 96

#define KEEP_LEN 0
#define KEEP_POS 4
#define KEEP_START 8
#define KEEP_STOP 12

#define CROSS_LEVEL 0
#define CROSS_SIDE 4
#define CROSS_START 8
#define CROSS_STOP 12
#define CROSS_COUNT 16
