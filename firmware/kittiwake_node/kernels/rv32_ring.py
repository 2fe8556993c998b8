"""Keep the newest samples, and count crossings of a level, in RV32IM assembler.

Must not know what the samples are kept for. State layout: see the package's docstring; labels: see rv32_zscore.
"""

import micropython


# As plain_ring.keep. Does not allocate; may run in an interrupt that does not share the state.
@micropython.asm_rv32
def keep(a0, a1, a2):  # noqa: D103 - the assembler takes no docstring
    lw(t0, 0(a0))  # LEN
    slli(t0, t0, 1)
    add(t0, t0, a1)  # end of the ring
    lw(t1, 4(a0))  # POS
    slli(t1, t1, 1)
    add(t1, t1, a1)  # next slot
    lw(t2, 8(a0))  # START
    slli(t2, t2, 1)
    add(t2, t2, a2)  # next sample
    lw(t3, 12(a0))  # STOP
    slli(t3, t3, 1)
    add(t3, t3, a2)  # end
    beq(t2, t3, done)
    label(loop)
    lhu(t4, 0(t2))
    addi(t2, t2, 2)
    sh(t4, 0(t1))
    addi(t1, t1, 2)
    bne(t1, t0, inside)
    mv(t1, a1)
    label(inside)
    bne(t2, t3, loop)
    label(done)
    sub(t1, t1, a1)
    srli(t1, t1, 1)
    sw(t1, 4(a0))
    addi(a0, zero, 0)  # the result becomes an integer object: an address would need the heap


# As plain_ring.cross. Does not allocate; may run in an interrupt that does not share the state.
@micropython.asm_rv32
def cross(a0, a1):  # noqa: D103 - the assembler takes no docstring
    lw(t0, 0(a0))  # LEVEL
    lui(t1, 8)
    sub(t0, t0, t1)  # as x
    lw(t1, 4(a0))  # SIDE
    lw(t2, 8(a0))  # START
    slli(t2, t2, 1)
    add(t2, t2, a1)
    lw(t3, 12(a0))  # STOP
    slli(t3, t3, 1)
    add(t3, t3, a1)
    lw(t4, 16(a0))  # COUNT
    beq(t2, t3, passed)
    label(again)
    lh(t5, 0(t2))
    addi(t2, t2, 2)
    slt(t5, t5, t0)
    xori(t5, t5, 1)
    xor(t6, t5, t1)
    add(t4, t4, t6)
    mv(t1, t5)
    bne(t2, t3, again)
    label(passed)
    sw(t1, 4(a0))
    sw(t4, 16(a0))
    addi(a0, zero, 0)
