// The audio front end's filters in ARMv7-M machine code, by 64-bit products.

#include "macros.h"

#define bank_end r1
#define signal r2
#define shift r3
#define falling_low r4
#define falling_high r5
#define rising_low r6
#define rising_high r7
#define next_weight r8
#define next_width r9
#define next_energy r10
#define first_signal r11
// Of a root: what it leaves of the sum, and the square of its next digit.
#define rest r0
#define root r12
#define digit r14

// The bank holds the first bin, 41 widths of which the first opens no channel, a filler, and the weights.
#define BANK_WIDTHS 1
#define BANK_WEIGHTS 42

// Digits of the root from one on, whose square it is given as, to the last.
.macro extract_digits
next_\@:
    add falling_high, root, digit
    lsr root, root, #1
    cmp rest, falling_high
    bcc none_\@
    subs rest, rest, falling_high
    add root, root, digit
none_\@:
    lsrs digit, digit, #2
    bne next_\@
.endm

// As plain_mel.channels. Does not allocate.
kernel channels, arguments=4
    save_high_registers
    refuse_armv6m rising_low
    movs rising_high, #0
    ldrb r4, [r1, #0]
    add next_energy, r0, r4, lsl #2
    add next_width, r1, #BANK_WIDTHS
    adds bank_end, #BANK_WEIGHTS        // of the widths
    mov next_weight, r1
    mov first_signal, signal
    subs signal, signal, #4
channel:
    mov falling_low, rising_low
    mov falling_high, rising_high
    movs rising_low, #0
    movs rising_high, #0
    ldrb r0, [next_width], #1
bin:
    ldr r12, [next_energy], #4
    ldrh r14, [next_weight], #2
    umlal falling_low, falling_high, r12, r14
    rsb r14, r14, #4096
    umlal rising_low, rising_high, r12, r14
    subs r0, r0, #1
    bne bin
    lsls rest, falling_high, #18        // the root: of the upper 32 of 46 bits, then of the rest
    orr rest, rest, falling_low, lsr #14
    ubfx falling_low, falling_low, #0, #14
    mov root, #0
    mov digit, #1 << 30
    extract_digits
    orr rest, falling_low, rest, lsl #14
    lsl root, root, #14
    mov digit, #1 << 12
    extract_digits
    movw falling_low, #65535
    cmp root, falling_low               // below 2^32 it is not rounded up
    it eq
    moveq rest, #0
    cmp rest, root
    it hi
    addhi root, root, #1
    lsr root, root, shift
    cmp signal, first_signal
    it cs
    strcs root, [signal, #0]            // the first half is no channel's
    adds signal, signal, #4
    cmp next_width, bank_end
    bcc channel
    restore_high_registers
    no_result
