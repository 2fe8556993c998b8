"""The rolling z-score in RV32IM assembler for samples of 17 to 24 bits, both forms: the full test at every sample.

Must not use saved registers without saving them: the inline assembler adds no prologue. State layout: see the package's
docstring; n <= 256, u = x + 2^23, so that n·u and S take one word without sign and D = n·u - S takes one and a sign.
Labels: see rv32_zscore's docstring, whose registers these are.
"""

import micropython


# As plain_wide.find. Does not allocate; may run in an interrupt that does not share the state.
@micropython.asm_rv32
def find(a0, a1, a2):  # noqa: D103 - the assembler takes no docstring
    label(entry)  # for the count: see rv32_zscore's docstring
    addi(sp, sp, -32)
    sw(s2, 16(sp))
    sw(s0, 0(sp))
    sw(s1, 4(sp))
    sw(a2, 8(sp))
    lw(a5, 0(a0))  # N
    lw(t0, 52(a0))  # START
    lw(t1, 8(a0))  # COUNT
    sub(t1, a5, t1)
    add(t1, t1, t0)
    slli(t1, t1, 2)
    add(t1, t1, a2)
    sw(t1, 12(sp))  # address of the sample after the first whose window is full
    lw(a4, 56(a0))  # STOP
    slli(a4, a4, 2)
    add(a4, a4, a2)
    slli(t0, t0, 2)
    add(a2, a2, t0)
    slli(t0, a5, 2)
    add(a3, a1, t0)
    lw(t0, 4(a0))  # POS
    slli(t0, t0, 2)
    add(a1, a1, t0)
    lw(a6, 12(a0))  # S0
    lw(t0, 16(a0))  # S1
    slli(t0, t0, 26)
    or_(a6, a6, t0)  # S
    lui(a7, 2048)  # 2^23
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
    lw(t0, 0(a2))
    lw(t1, 0(a1))
    addi(a2, a2, 4)
    add(t0, t0, a7)
    slli(t0, t0, 8)
    srli(t0, t0, 8)  # u
    sw(t0, 0(a1))
    addi(a1, a1, 4)
    bne(a1, a3, inside)
    slli(t2, a5, 2)
    sub(a1, a3, t2)
    label(inside)
    sub(t1, t0, t1)  # o = u - oldest
    add(a6, a6, t1)  # S
    mul(t0, t0, a5)
    sltu(t4, t0, a6)  # 1 when D is negative
    sub(t0, t0, a6)  # D, its low word
    srli(t2, t0, 31)
    sub(t2, t2, t4)  # D = t0 taken as signed + t2·2^32
    mul(t2, t2, t1)
    mul(t3, t0, t1)
    mulh(s2, t0, t1)
    add(s2, s2, t2)  # o·D = s2:t3
    add(s1, s1, t3)
    sltu(t2, s1, t3)
    add(s0, s0, s2)
    add(s0, s0, t2)
    add(s1, s1, t3)
    sltu(t2, s1, t3)
    add(s0, s0, s2)
    add(s0, s0, t2)  # V + 2·o·D
    mul(t2, t1, t1)
    mulh(t3, t1, t1)  # o²
    addi(s2, a5, -1)
    mul(t1, t3, s2)
    mulhu(t3, t2, s2)
    mul(t2, t2, s2)
    add(t1, t1, t3)  # (n - 1)·o² = t1:t2
    sltu(t3, s1, t2)
    sub(s1, s1, t2)
    sub(s0, s0, t1)
    sub(s0, s0, t3)  # V
    beq(t4, zero, positive)
    sub(t0, zero, t0)
    label(positive)  # t0 = the size of D
    mul(t1, t0, t0)
    mulhu(t2, t0, t0)  # D²
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
    srli(a2, a2, 2)  # index after the last sample fed
    sub(a3, a3, a1)
    srli(a3, a3, 2)
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
    slli(t1, a6, 6)
    srli(t1, t1, 6)
    sw(t1, 12(a0))  # S0
    srli(t1, a6, 26)
    sw(t1, 16(a0))  # S1
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
    lw(s2, 16(sp))
    addi(sp, sp, 32)


# As plain_wide.find_lagged. Does not allocate; may run in an interrupt that does not share the state.
@micropython.asm_rv32
def find_lagged(a0, a1, a2):  # noqa: D103 - the assembler takes no docstring
    label(entry)  # for the count: see rv32_zscore's docstring
    addi(sp, sp, -32)
    sw(s0, 0(sp))
    sw(s1, 4(sp))
    sw(a2, 8(sp))
    lw(a5, 0(a0))  # N
    lw(t0, 52(a0))  # START
    lw(t1, 8(a0))  # COUNT
    sub(t1, a5, t1)
    add(t1, t1, t0)
    slli(t1, t1, 2)
    add(t1, t1, a2)
    addi(t1, t1, 4)  # one more: the window must be full before the sample
    sw(t1, 12(sp))  # address of the sample after the first that counts
    sw(zero, 16(sp))  # found
    lw(t0, 44(a0))  # F0
    lw(t1, 48(a0))  # F1
    slli(t2, t1, 14)
    or_(t0, t0, t2)
    sw(t0, 24(sp))  # floor of V, low
    srli(t1, t1, 18)
    sw(t1, 28(sp))  # and high
    lw(t0, 52(a0))
    lw(a4, 56(a0))  # STOP
    slli(a4, a4, 2)
    add(a4, a4, a2)
    slli(t0, t0, 2)
    add(a2, a2, t0)
    slli(t0, a5, 2)
    add(a3, a1, t0)
    lw(t0, 4(a0))  # POS
    slli(t0, t0, 2)
    add(a1, a1, t0)
    lw(a6, 12(a0))  # S0
    lw(t0, 16(a0))  # S1
    slli(t0, t0, 26)
    or_(a6, a6, t0)  # S
    lui(a7, 2048)  # 2^23
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
    sw(a4, 20(sp))  # end
    beq(a2, a4, done)
    label(loop)
    lw(t0, 0(a2))
    addi(a2, a2, 4)
    add(t0, t0, a7)
    slli(t0, t0, 8)
    srli(t0, t0, 8)  # u
    mul(t2, t0, a5)
    sltu(t3, t2, a6)
    sub(t2, t2, a6)  # D before the change
    beq(t3, zero, positive_before)
    sub(t2, zero, t2)
    label(positive_before)  # t2 = its size
    mul(t1, t2, t2)
    mulhu(t2, t2, t2)  # D²
    mulhu(t3, t1, t5)
    mul(t4, t2, t5)
    mulhu(t2, t2, t5)
    add(t3, t3, t4)
    sltu(t4, t3, t4)
    add(t2, t2, t4)
    mul(t1, t1, t5)  # A·D² = t2:t3:t1
    mulhu(t4, s1, t6)
    mul(t0, s0, t6)
    add(t4, t4, t0)
    sltu(t0, t4, t0)
    mulhu(a4, s0, t6)
    add(t0, t0, a4)  # B·V: t0:t4, and B·s1 not yet formed
    bltu(t0, t2, above)
    bne(t0, t2, feed)
    bltu(t4, t3, above)
    bne(t4, t3, feed)
    mul(t4, s1, t6)
    bltu(t4, t1, above)
    label(feed)
    lw(t0, -4(a2))
    lw(t1, 0(a1))
    add(t0, t0, a7)
    slli(t0, t0, 8)
    srli(t0, t0, 8)
    sw(t0, 0(a1))
    addi(a1, a1, 4)
    bne(a1, a3, inside)
    slli(t2, a5, 2)
    sub(a1, a3, t2)
    label(inside)
    sub(t1, t0, t1)  # o = u - oldest
    add(a6, a6, t1)  # S
    mul(t0, t0, a5)
    sltu(t4, t0, a6)  # 1 when D is negative
    sub(t0, t0, a6)  # D, its low word
    srli(t2, t0, 31)
    sub(t2, t2, t4)  # D = t0 taken as signed + t2·2^32
    mul(t2, t2, t1)
    mul(t3, t0, t1)
    mulh(a4, t0, t1)
    add(a4, a4, t2)  # o·D = a4:t3
    add(s1, s1, t3)
    sltu(t2, s1, t3)
    add(s0, s0, a4)
    add(s0, s0, t2)
    add(s1, s1, t3)
    sltu(t2, s1, t3)
    add(s0, s0, a4)
    add(s0, s0, t2)  # V + 2·o·D
    mul(t2, t1, t1)
    mulh(t3, t1, t1)  # o²
    addi(a4, a5, -1)
    mul(t1, t3, a4)
    mulhu(t3, t2, a4)
    mul(t2, t2, a4)
    add(t1, t1, t3)  # (n - 1)·o² = t1:t2
    sltu(t3, s1, t2)
    sub(s1, s1, t2)
    sub(s0, s0, t1)
    sub(s0, s0, t3)  # V
    lw(a4, 20(sp))
    bne(a2, a4, loop)
    jal(zero, done)
    label(above)  # beyond the threshold of V; what counts is a full window and V's floor
    lw(t0, 12(sp))
    bltu(a2, t0, feed)
    lw(t0, 24(sp))
    lw(a4, 28(sp))
    mulhu(t4, t0, t6)
    mul(a4, a4, t6)
    add(t4, t4, a4)  # no carry: both parts are below 2^26
    mul(t0, t0, t6)  # B·floor = t4:t0
    bne(t2, zero, found)
    bltu(t3, t4, feed)
    bne(t3, t4, found)
    bgeu(t0, t1, feed)
    label(found)  # this sample is the last
    sw(a2, 20(sp))
    addi(t0, zero, 1)
    sw(t0, 16(sp))
    lw(t0, 0(a1))
    sw(t0, 24(sp))  # what it displaces
    jal(zero, feed)
    label(done)
    lw(t0, 16(sp))  # 1 when the last sample is anomalous
    lw(t1, 8(sp))
    sub(a2, a2, t1)
    srli(a2, a2, 2)  # index after the last sample fed
    sub(a3, a3, a1)
    srli(a3, a3, 2)
    sub(a3, a5, a3)
    sw(a3, 4(a0))  # POS
    lw(t1, 52(a0))
    beq(t0, zero, clear)
    lw(t2, 24(sp))
    sw(t2, 52(a0))  # START: what the anomalous sample displaced
    label(clear)
    sub(t1, a2, t1)
    lw(t2, 8(a0))
    add(t1, t1, t2)
    bltu(t1, a5, filling)
    mv(t1, a5)
    label(filling)
    sw(t1, 8(a0))  # COUNT
    slli(t1, a6, 6)
    srli(t1, t1, 6)
    sw(t1, 12(a0))  # S0
    srli(t1, a6, 26)
    sw(t1, 16(a0))  # S1
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
    addi(sp, sp, 32)
