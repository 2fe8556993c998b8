"""The rolling z-score in RV32IM assembler: the full test at every sample, by products of two words.

Must not use saved registers without saving them: the inline assembler adds no prologue. State layout: see the package's
docstring; n <= 1024.

The number of labels must not be a multiple of four: MicroPython 1.25 looks up a label that is still to come one place
past the end of its table, finds 0 there only when the table leaves a rest in its heap block, and else may refuse a
branch as out of range.

Loop registers: a1 oldest slot, a2 next sample, a3 end of the ring, a4 end of the samples, a5 n, a6:a7 = S and 2^15,
s0:s1 = V (high, low), t5 A, t6 B; t0 to t4 pass.
"""

import micropython


# As plain_zscore.find. Does not allocate; may run in an interrupt that does not share the state.
@micropython.asm_rv32
def find(a0, a1, a2):  # noqa: D103 - the assembler takes no docstring
    label(entry)  # for the count: see rv32_zscore's docstring
    addi(sp, sp, -16)
    sw(s0, 0(sp))
    sw(s1, 4(sp))
    sw(a2, 8(sp))
    lw(a5, 0(a0))  # N
    lw(t0, 52(a0))  # START
    lw(t1, 8(a0))  # COUNT
    sub(t1, a5, t1)
    add(t1, t1, t0)
    slli(t1, t1, 1)
    add(t1, t1, a2)
    sw(t1, 12(sp))  # address of the sample after the first whose window is full
    lw(a4, 56(a0))  # STOP
    slli(a4, a4, 1)
    add(a4, a4, a2)
    slli(t0, t0, 1)
    add(a2, a2, t0)
    slli(t0, a5, 1)
    add(a3, a1, t0)
    lw(t0, 4(a0))  # POS
    slli(t0, t0, 1)
    add(a1, a1, t0)
    lw(a6, 12(a0))  # S
    lui(a7, 8)  # 2^15
    lw(t5, 32(a0))  # A
    lw(t6, 36(a0))  # B
    lw(s1, 20(a0))  # V0
    lw(t0, 24(a0))  # V1
    lw(s0, 28(a0))  # V2
    slli(t1, t0, 14)
    or_(s1, s1, t1)
    srli(t0, t0, 18)
    slli(s0, s0, 12)
    or_(s0, s0, t0)
    addi(t0, zero, 0)
    beq(a2, a4, done)
    label(loop)
    lhu(t0, 0(a2))
    lhu(t1, 0(a1))
    addi(a2, a2, 2)
    xor(t0, t0, a7)  # u
    sh(t0, 0(a1))
    addi(a1, a1, 2)
    bne(a1, a3, inside)
    slli(t2, a5, 1)
    sub(a1, a3, t2)
    label(inside)
    sub(t1, t0, t1)  # o = u - oldest
    add(a6, a6, t1)  # S
    mul(t0, t0, a5)
    sub(t0, t0, a6)  # D
    slli(t2, t0, 1)
    add(t2, t2, t1)
    mul(t3, t1, a5)
    sub(t2, t2, t3)  # D + D_oldest = 2·D - (n - 1)·o
    mul(t3, t1, t2)
    mulh(t1, t1, t2)
    add(s1, s1, t3)
    sltu(t3, s1, t3)
    add(s0, s0, t1)
    add(s0, s0, t3)  # V
    mul(t1, t0, t0)
    mulh(t2, t0, t0)  # D²
    mulhu(t3, t1, t5)
    mul(t0, t2, t5)
    mulhu(t2, t2, t5)
    add(t3, t3, t0)
    sltu(t0, t3, t0)
    add(t2, t2, t0)  # A·D²: t2, t3, and A·t1 not yet formed
    mulhu(t4, s1, t6)
    mul(t0, s0, t6)
    add(t4, t4, t0)
    sltu(t0, t4, t0)
    sub(t2, t2, t0)
    mulhu(t0, s0, t6)  # B·V: t0 with the carry already taken from t2, t4, and B·s1 not yet formed
    bne(t2, t0, top)
    bne(t3, t4, middle)
    mul(t1, t1, t5)
    mul(t4, s1, t6)
    bltu(t4, t1, above)
    label(next)
    bne(a2, a4, loop)
    addi(t0, zero, 0)
    jal(zero, done)
    label(middle)
    bgeu(t4, t3, next)
    jal(zero, above)
    label(top)
    bge(t0, t2, next)  # signed: the carry may have made t2 negative
    label(above)  # beyond the threshold, which counts once the window is full
    lw(t0, 12(sp))
    bltu(a2, t0, next)
    addi(t0, zero, 1)
    label(done)  # t0 = 1 when the last sample is anomalous
    lw(t1, 8(sp))
    sub(a2, a2, t1)
    srli(a2, a2, 1)  # index after the last sample fed
    sub(a3, a3, a1)
    srli(a3, a3, 1)
    sub(a3, a5, a3)
    sw(a3, 4(a0))  # POS
    lw(t1, 52(a0))
    sub(t1, a2, t1)
    lw(t2, 8(a0))
    add(t1, t1, t2)
    bltu(t1, a5, filling)
    mv(t1, a5)
    label(filling)
    sw(t1, 8(a0))  # COUNT
    sw(a6, 12(a0))  # S
    slli(t1, s1, 18)
    srli(t1, t1, 18)
    sw(t1, 20(a0))  # V0
    srli(t1, s1, 14)
    slli(t2, s0, 20)
    srli(t2, t2, 2)
    or_(t1, t1, t2)
    sw(t1, 24(a0))  # V1
    srli(t1, s0, 12)
    sw(t1, 28(a0))  # V2
    sub(a0, a2, t0)
    lw(s0, 0(sp))
    lw(s1, 4(sp))
    addi(sp, sp, 16)
