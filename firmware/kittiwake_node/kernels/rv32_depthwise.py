"""Depthwise int8 layers in RV32IM assembler: four channels at a time, tap after tap.

Must save what it uses of the saved registers: the inline assembler adds no prologue. Descriptor: SPEC.md, "Model plan";
layout `quads`. Scaling: see thumb2_conv; the number of labels: see rv32_zscore.

Registers: a0 stream, a1 output, a2 to a3 offsets of the taps, a4 descriptor, s0 to s3 accumulators, s8 channels left,
s9 first tap of the block, s11 = 1 + 2·zero, a6 pixels and a7 rows left.
"""

import micropython


# As plain_depthwise.depthwise. Does not allocate.
@micropython.asm_rv32
def depthwise(a0, a1, a2, a3):  # noqa: D103 - the assembler takes no docstring
    addi(sp, sp, -128)
    sw(ra, 0(sp))
    sw(s0, 4(sp))
    sw(s1, 8(sp))
    sw(s2, 12(sp))
    sw(s3, 16(sp))
    sw(s4, 20(sp))
    sw(s5, 24(sp))
    sw(s6, 28(sp))
    sw(s7, 32(sp))
    sw(s8, 36(sp))
    sw(s9, 40(sp))
    sw(s10, 44(sp))
    sw(s11, 48(sp))
    sw(a2, 112(sp))
    sw(a3, 116(sp))
    sw(a1, 120(sp))
    add(a4, a1, a0)  # a4 = descriptor
    lw(t1, 0(a4))  # IN
    srli(t0, t1, 28)
    slli(t1, t1, 4)
    srli(t1, t1, 4)
    slli(t0, t0, 2)
    add(t0, t0, sp)
    lw(t0, 112(t0))
    add(t1, t1, t0)
    sw(t1, 52(sp))
    lw(t1, 4(a4))  # OUT
    srli(t0, t1, 28)
    slli(t1, t1, 4)
    srli(t1, t1, 4)
    slli(t0, t0, 2)
    add(t0, t0, sp)
    lw(t0, 112(t0))
    add(t1, t1, t0)
    sw(t1, 56(sp))
    lw(t1, 8(a4))  # W
    add(t1, t1, a1)
    sw(t1, 68(sp))
    lw(t1, 64(a4))  # TAPS
    add(a2, t1, a1)  # a2 = offsets of the taps
    lw(t1, 16(a4))  # H
    lw(t2, 20(a4))  # W
    mul(t1, t1, t2)
    slli(t1, t1, 2)
    add(a3, t1, a2)  # a3 = their end
    lw(s11, 56(a4))  # ZERO + 128
    slli(s11, s11, 1)
    addi(s11, s11, -255)  # 1 + 2*zero
    lw(a7, 24(a4))  # ROWS
    label(row)
    lw(a6, 28(a4))  # COLS
    lw(t1, 52(sp))
    sw(t1, 60(sp))
    lw(t1, 56(sp))
    sw(t1, 64(sp))
    label(pixel)
    lw(a0, 68(sp))
    lw(s8, 12(a4))  # CHANNELS
    lw(s9, 60(sp))
    lw(a1, 64(sp))
    label(block)
    lw(s0, 0(a0))
    lw(s1, 4(a0))
    lw(s2, 8(a0))
    lw(s3, 12(a0))
    addi(a0, a0, 16)
    mv(s10, a2)
    label(tap)
    lw(t6, 0(s10))
    add(t6, t6, s9)
    lb(t0, 0(t6))
    lb(t1, 0(a0))
    mul(t0, t0, t1)
    add(s0, s0, t0)
    lb(t0, 1(t6))
    lb(t1, 1(a0))
    mul(t0, t0, t1)
    add(s1, s1, t0)
    lb(t0, 2(t6))
    lb(t1, 2(a0))
    mul(t0, t0, t1)
    add(s2, s2, t0)
    lb(t0, 3(t6))
    lb(t1, 3(a0))
    mul(t0, t0, t1)
    add(s3, s3, t0)
    addi(s10, s10, 4)
    addi(a0, a0, 4)
    bne(s10, a3, tap)
    addi(s9, s9, 4)
    sw(s0, 80(sp))
    sw(s1, 84(sp))
    sw(s2, 88(sp))
    sw(s3, 92(sp))
    # Scale: as in rv32_conv.
    addi(t2, sp, 80)
    mv(t0, a0)
    addi(t1, a0, 16)  # shifts
    mv(s0, s8)
    addi(t3, zero, 4)
    blt(s0, t3, scale_one)
    mv(s0, t3)
    label(scale_one)
    lw(t5, 0(t2))
    lbu(t4, 4(t1))  # left shift, and 1
    lw(t6, 0(t0))
    lbu(t3, 0(t1))  # right shift
    sll(t5, t5, t4)
    mul(t4, t5, t6)
    mulh(t5, t5, t6)
    srli(t4, t4, 31)
    add(t5, t5, t4)  # q
    srai(t4, t5, 31)
    slli(t5, t5, 1)
    add(t5, t5, t4)
    sra(t5, t5, t3)
    add(t5, t5, s11)
    srai(t5, t5, 1)
    addi(t3, zero, 127)
    blt(t5, t3, not_above)
    mv(t5, t3)
    label(not_above)
    addi(t3, zero, -128)
    bge(t5, t3, not_below)
    mv(t5, t3)
    label(not_below)
    sb(t5, 0(a1))
    addi(a1, a1, 1)
    addi(t0, t0, 4)
    addi(t1, t1, 1)
    addi(t2, t2, 4)
    addi(s0, s0, -1)
    bne(s0, zero, scale_one)
    addi(a0, a0, 24)
    addi(s8, s8, -4)
    blt(zero, s8, block)
    lw(t0, 36(a4))  # IN_COL
    lw(t1, 60(sp))
    add(t1, t1, t0)
    sw(t1, 60(sp))
    lw(t0, 44(a4))  # OUT_COL
    lw(t1, 64(sp))
    add(t1, t1, t0)
    sw(t1, 64(sp))
    addi(a6, a6, -1)
    bne(a6, zero, pixel)
    lw(t0, 32(a4))  # IN_ROW
    lw(t1, 52(sp))
    add(t1, t1, t0)
    sw(t1, 52(sp))
    lw(t0, 40(a4))  # OUT_ROW
    lw(t1, 56(sp))
    add(t1, t1, t0)
    sw(t1, 56(sp))
    addi(a7, a7, -1)
    bne(a7, zero, row)
    lw(ra, 0(sp))
    lw(s0, 4(sp))
    lw(s1, 8(sp))
    lw(s2, 12(sp))
    lw(s3, 16(sp))
    lw(s4, 20(sp))
    lw(s5, 24(sp))
    lw(s6, 28(sp))
    lw(s7, 32(sp))
    lw(s8, 36(sp))
    lw(s9, 40(sp))
    lw(s10, 44(sp))
    lw(s11, 48(sp))
    addi(sp, sp, 128)
    addi(a0, zero, 0)  # the result becomes an integer object: an address would need the heap
