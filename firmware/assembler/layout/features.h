// Numbers of the audio front end's last stage: microWakeWord's, and where kittiwake_node.speech.tables has its tables.

#pragma once

#define CHANNELS 40
// Of the noise estimate, Q14.
#define EVEN_SMOOTHING 409
#define ODD_SMOOTHING 983
// Of the signal that is left at least, Q14.
#define MIN_SIGNAL 819
// Gains for noises of 0 and 1, and of 2 and more, behind the logarithms; bytes.
#define GAIN_0 260
#define GAIN_2 264
// 2^16·ln(2).
#define LOG_SCALE 45426
