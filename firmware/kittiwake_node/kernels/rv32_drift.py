"""The drift detector in RV32IM assembler, by products of two words.

Must not use saved registers without saving them: the inline assembler adds no prologue. State layout: see the package's
docstring. A difference of 33 bits is halved or split before it is taken, as in viper_drift.

Loop registers: a1 next sample, a2 address where count 0 would be, a3 end, s0 F, s1 M, s3:s2 V, s4 k, s5 32 - k,
s6 fast - 1, s7 silent samples to come, s8 the address at which k grows, s9 q², s10 p², s11 floor.
"""

import micropython


# As plain_drift.find. Does not allocate; may run in an interrupt that does not share the state.
@micropython.asm_rv32
def find(a0, a1, a2, a3):  # noqa: D103 - the assembler takes no docstring
    addi(sp, sp, -48)
    sw(s0, 0(sp))
    sw(s1, 4(sp))
    sw(s2, 8(sp))
    sw(s3, 12(sp))
    sw(s4, 16(sp))
    sw(s5, 20(sp))
    sw(s6, 24(sp))
    sw(s7, 28(sp))
    sw(s8, 32(sp))
    sw(s9, 36(sp))
    sw(s10, 40(sp))
    sw(s11, 44(sp))
    mv(a5, a1)
    slli(a3, a3, 1)
    add(a3, a3, a1)
    slli(a2, a2, 1)
    add(a1, a1, a2)
    lw(t0, 0(a0))  # COUNT
    slli(a2, t0, 1)
    sub(a2, a1, a2)
    lw(s7, 48(a0))  # WARMUP
    sub(s7, s7, t0)
    blt(zero, s7, silent)
    lw(s7, 4(a0))  # HOLD
    label(silent)
    lw(a6, 36(a0))  # SHIFTS
    andi(s6, a6, 255)
    addi(s6, s6, -1)
    srli(a6, a6, 8)
    addi(s4, zero, 0)
    label(size)  # k = log2(COUNT), 0 at first, at most slow
    beq(s4, a6, sized)
    addi(t2, s4, 1)
    srl(t2, t0, t2)
    beq(t2, zero, sized)
    addi(s4, s4, 1)
    jal(zero, size)
    label(sized)
    li(s5, 32)
    sub(s5, s5, s4)
    addi(s8, zero, 0)  # the address after the sample with which k grows; 0 is never
    beq(s4, a6, steady)
    li(s8, 4)
    sll(s8, s8, s4)
    add(s8, s8, a2)
    label(steady)
    lw(s9, 40(a0))  # PQ
    andi(s10, s9, 255)
    mul(s10, s10, s10)
    srli(s9, s9, 8)
    mul(s9, s9, s9)
    lw(s11, 56(a0))  # FLOOR
    slli(s11, s11, 16)
    lui(t2, 0x80000)
    lw(s0, 8(a0))
    slli(s0, s0, 16)
    lw(t1, 12(a0))
    or_(s0, s0, t1)
    xor(s0, s0, t2)  # F
    lw(s1, 16(a0))
    slli(s1, s1, 16)
    lw(t1, 32(a0))
    or_(s1, s1, t1)
    xor(s1, s1, t2)  # M
    lw(s2, 20(a0))  # V0
    lw(t0, 24(a0))  # V1
    lw(s3, 28(a0))  # V2
    slli(t1, t0, 14)
    or_(s2, s2, t1)
    srli(t0, t0, 18)
    slli(s3, s3, 12)
    or_(s3, s3, t0)
    addi(a4, zero, 0)  # found
    beq(a1, a3, done)
    label(loop)
    lh(t0, 0(a1))
    addi(a1, a1, 2)
    addi(t1, s0, 1)
    srai(t1, t1, 1)
    slli(t2, t0, 15)
    sub(t1, t2, t1)  # (x·2^16 - F) >> 1
    sra(t1, t1, s6)
    add(s0, s0, t1)  # F
    bne(s7, zero, muted)
    srai(t1, s0, 8)
    srai(t2, s1, 8)
    sub(t1, t1, t2)
    andi(t2, s0, 255)
    andi(t3, s1, 255)
    sub(t2, t2, t3)
    srai(t2, t2, 8)
    add(t1, t1, t2)  # (F - M) >> 8
    mul(t2, t1, t1)
    mulh(t3, t1, t1)
    mul(t4, t2, s9)
    mulhu(t5, t2, s9)
    mul(t3, t3, s9)
    add(t5, t5, t3)  # q²·d² = t5:t4
    mv(t1, s2)
    bne(s3, zero, above)
    bgeu(s2, s11, above)
    mv(t1, s11)
    label(above)  # the larger of V and the floor = s3:t1
    mul(t3, t1, s10)
    mulhu(t6, t1, s10)
    mul(t2, s3, s10)
    add(t6, t6, t2)  # p²·V = t6:t3
    bltu(t6, t5, found)
    bne(t6, t5, follow)
    bltu(t3, t4, found)
    label(follow)
    beq(a1, s8, grow)
    label(grown)
    addi(t1, s1, 1)
    srai(t1, t1, 1)
    slli(t2, t0, 15)
    sub(t1, t2, t1)  # (x·2^16 - M) >> 1
    addi(t2, s4, -1)
    sra(t2, t1, t2)
    add(s1, s1, t2)  # M
    srai(t1, t1, 7)
    mul(t2, t1, t1)
    mulh(t3, t1, t1)  # square = t3:t2; with k = 0, the first sample, it and V are 0, whatever a shift by 32 does
    srl(t4, t2, s4)
    sll(t5, t3, s5)
    or_(t4, t4, t5)
    srl(t5, t3, s4)  # square >> k = t5:t4
    sltu(t6, t2, t4)
    sub(t2, t2, t4)
    sub(t3, t3, t5)
    sub(t3, t3, t6)
    sltu(t6, t2, s2)
    sub(t2, t2, s2)
    sub(t3, t3, s3)
    sub(t3, t3, t6)
    srl(t2, t2, s4)
    sll(t4, t3, s5)
    or_(t2, t2, t4)
    sra(t3, t3, s4)
    add(s2, s2, t2)
    sltu(t4, s2, t2)
    add(s3, s3, t3)
    add(s3, s3, t4)  # V
    bne(a1, a3, loop)
    jal(zero, done)
    label(muted)
    addi(s7, s7, -1)
    jal(zero, follow)
    label(found)  # this sample is the last
    lw(s7, 52(a0))  # HOLDOFF
    mv(a3, a1)
    addi(a4, zero, 1)
    jal(zero, follow)
    label(grow)  # the slow shift grows with the count
    addi(s4, s4, 1)
    addi(s5, s5, -1)
    addi(s8, zero, 0)
    beq(s4, a6, grown)
    li(s8, 4)
    sll(s8, s8, s4)
    add(s8, s8, a2)
    jal(zero, grown)
    label(done)
    sub(t0, a1, a2)
    srli(t0, t0, 1)
    lui(t1, 0x20000)
    bgeu(t1, t0, counted)
    mv(t0, t1)
    label(counted)
    sw(t0, 0(a0))  # COUNT
    lw(t1, 48(a0))
    bgeu(t0, t1, held)
    addi(s7, zero, 0)
    label(held)
    sw(s7, 4(a0))  # HOLD
    lui(t2, 0x80000)
    xor(s0, s0, t2)
    srli(t1, s0, 16)
    sw(t1, 8(a0))
    slli(t1, s0, 16)
    srli(t1, t1, 16)
    sw(t1, 12(a0))
    xor(s1, s1, t2)
    srli(t1, s1, 16)
    sw(t1, 16(a0))
    slli(t1, s1, 16)
    srli(t1, t1, 16)
    sw(t1, 32(a0))
    slli(t1, s2, 18)
    srli(t1, t1, 18)
    sw(t1, 20(a0))  # V0
    srli(t1, s2, 14)
    slli(t2, s3, 20)
    srli(t2, t2, 2)
    or_(t1, t1, t2)
    sw(t1, 24(a0))  # V1
    srli(t1, s3, 12)
    sw(t1, 28(a0))  # V2
    sub(a0, a1, a5)
    srli(a0, a0, 1)
    sub(a0, a0, a4)  # index
    lw(s0, 0(sp))
    lw(s1, 4(sp))
    lw(s2, 8(sp))
    lw(s3, 12(sp))
    lw(s4, 16(sp))
    lw(s5, 20(sp))
    lw(s6, 24(sp))
    lw(s7, 28(sp))
    lw(s8, 32(sp))
    lw(s9, 36(sp))
    lw(s10, 40(sp))
    lw(s11, 44(sp))
    addi(sp, sp, 48)
