/* From reset to C. QEMU starts at the core's reset vector, whatever the file's entry is, and after a system reset too:
 * the registers then hold what they held, so everything that C and the vectors rely on is set here.
 * Source: Xtensa ISA reference manual, reset and the windowed register option. */

#include "registers.h"

    .section .reset, "ax"
    .global _reset
    .align 4
_reset:
    j 1f
    .align 4
.Lstart:
    .word _start
1:  l32r a0, .Lstart
    jx a0

    .section .text.start, "ax"
    .literal_position
    .global _start
_start:
    movi a0, 0
    wsr a0, intenable
    wsr a0, icountlevel
    wsr a0, lcount
    wsr a0, windowbase
    rsync
    movi a0, 1                  /* this frame alone is in registers */
    wsr a0, windowstart
    rsync
    movi a0, _vectors
    wsr a0, vecbase

    movi a2, _sbss
    movi a3, _ebss
    movi a4, 0
1:  bgeu a2, a3, 2f
    s32i a4, a2, 0
    addi a2, a2, 4
    j 1b

2:  movi a1, _estack - 16       /* C's first caller's registers are saved above */
    movi a2, PS_WINDOWS | PS_NO_INTERRUPTS
    wsr a2, ps
    rsync
    movi a0, 0                  /* nobody called: the chain of frames ends here */
    movi a4, kw_entry
    callx4 a4                   /* a call of 8 or 12 would save a4 to a11 below a stack that does not exist */
1:  j 1b
