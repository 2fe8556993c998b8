/* GCC's names for 32-bit division, by the core's own instructions: the compiler, made for another core, calls these. */

    .macro division name, instruction
    .section .text.\name, "ax"
    .align 4
    .global \name
\name:
    entry a1, 32
    \instruction a2, a2, a3
    retw
    .endm

    division __divsi3, quos
    division __udivsi3, quou
    division __modsi3, rems
    division __umodsi3, remu
