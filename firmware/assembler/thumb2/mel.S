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
// Of a root: the bits left are in (falling_high, falling_low).
#define rest r0
#define root r12
#define bits_to_go r14

// The bank holds the first bin, 41 widths of which the first opens no channel, a filler, and the weights.
#define BANK_WIDTHS 1
#define BANK_WEIGHTS 42

// (high, low) <<= 2, and what leaves goes to the rest.
.macro next_two_bits
    lsls rest, rest, #2
    orr rest, rest, falling_high, lsr #30
    lsls falling_high, falling_high, #2
    orr falling_high, falling_high, falling_low, lsr #30
    lsls falling_low, falling_low, #2
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
    // The root: 46 bits to the top of 64, then two at a time.
    lsls falling_high, falling_high, #18
    orr falling_high, falling_high, falling_low, lsr #14
    lsls falling_low, falling_low, #18
    movs rest, #0
    mov root, #0
    mov bits_to_go, #23
bits:
    next_two_bits
    lsl root, root, #1
    cmp rest, root, lsl #1
    ittt hi
    subhi rest, rest, root, lsl #1
    subhi rest, rest, #1
    addhi root, root, #1
    subs bits_to_go, bits_to_go, #1
    bne bits
    movw r14, #65535
    cmp root, r14                       // below 2^32 it is not rounded up
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
