// The audio front end's filters in RV32IMC machine code.
//
// Energies are below 2^28 and at most 15 to a filter, so what is gathered is kept in two halves: the lower has 14 bits
// and what was not carried yet, or borrowed.

#include "macros.h"

#define CHANNELS 41
#define WIDTHS 1
#define WEIGHTS 42

#define energy a0
#define widths a1
#define signal a2
#define shift a3
#define weights a4
#define width_end a5
#define channels_end a6
#define mask a7
#define high t0
#define low t1
#define rising_high t2
#define rising_low t3
// Of the energies in a filter.
#define total t4
// Of high: what the root leaves of it.
#define root t4
#define digit t5
// A part of an energy, weighed.
#define weighed s0

// Digits of the root from one on, whose square it is given as, to the last.
.macro extract_digits
next_\@:
    add t6, root, digit
    srli root, root, 1
    bltu high, t6, none_\@
    sub high, high, t6
    add root, root, digit
none_\@:
    srli digit, digit, 2
    bne digit, zero, next_\@
.endm

// As plain_mel.channels. Does not allocate.
kernel channels, arguments=4
    addi sp, sp, -16
    sw weighed, 12(sp)
    lbu t0, 0(a1)
    slli t0, t0, 2
    add energy, energy, t0
    addi weights, a1, WEIGHTS
    addi widths, a1, WIDTHS
    addi channels_end, widths, CHANNELS
    lui mask, 1 << 14 >> 12
    addi mask, mask, -1
    li rising_high, 0
    li rising_low, 0
channel:
    lbu width_end, 0(widths)
    addi widths, widths, 1
    slli width_end, width_end, 1
    add width_end, width_end, weights
    li high, 0
    li low, 0
    li total, 0
    beq weights, width_end, gathered
bin:
    lw t5, 0(energy)
    lhu t6, 0(weights)
    addi energy, energy, 4
    addi weights, weights, 2
    add total, total, t5
    srli weighed, t5, 14
    and t5, t5, mask
    mul weighed, weighed, t6
    mul t5, t5, t6
    add high, high, weighed
    add low, low, t5
    bne weights, width_end, bin
gathered:                               // what falls here weighs 4096 with what rises
    srli t5, total, 14
    slli t5, t5, 12
    sub t5, t5, high
    add high, high, rising_high
    mv rising_high, t5
    and t6, total, mask
    slli t6, t6, 12
    sub t6, t6, low
    add low, low, rising_low
    mv rising_low, t6
    addi t5, channels_end, 1 - CHANNELS
    beq widths, t5, channel             // the first has a rising side alone
    srai t5, low, 14
    add high, high, t5
    and low, low, mask
    li root, 0
    lui digit, 1 << 30 >> 12
first_digit:
    bgeu high, digit, extract
    srli digit, digit, 2
    bne digit, zero, first_digit
    j extract_low
extract:
    extract_digits
extract_low:
    slli high, high, 14
    or high, high, low
    slli root, root, 14
    lui digit, 1 << 12 >> 12
    extract_digits
    bgeu root, high, rounded
    lui t5, 1 << 16 >> 12
    addi t5, t5, -1
    beq root, t5, rounded               // below 2^32 it is not rounded up
    addi root, root, 1
rounded:
    srl root, root, shift
    sw root, 0(signal)
    addi signal, signal, 4
    bne widths, channels_end, channel
    lw weighed, 12(sp)
    addi sp, sp, 16
    no_result
