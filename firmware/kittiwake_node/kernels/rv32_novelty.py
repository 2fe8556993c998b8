"""The novelty detector in RV32IM assembler, by products of two and three words.

Must not use saved registers without saving them: the inline assembler adds no prologue. State layout: see the package's
docstring. A difference of 33 bits is halved or split before it is taken, as in viper_drift.

Loop registers: a1 next sample, a2 address where count 0 would be, a3 end, s0 F, s1 M, s3:s2 V, s4 k, s5 32 - k,
s6 fast - 1, s7 silent samples to come, s8 the address at which k grows, s9 origin, s10 scale, s11 boost.
"""

import micropython


# As plain_novelty.find. Does not allocate; may run in an interrupt that does not share the state.
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
    lhu(s7, 58(a0))  # WARMUP
    sub(s7, s7, t0)
    blt(zero, s7, silent)
    lhu(s7, 12(a0))  # HOLD
    label(silent)
    lhu(a6, 60(a0))  # SHIFTS
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
    lui(t2, 0x80000)
    lw(s0, 4(a0))
    xor(s0, s0, t2)  # F
    lw(s1, 8(a0))
    xor(s1, s1, t2)  # M
    lw(s2, 20(a0))  # V0
    lw(t0, 24(a0))  # V1
    lw(s3, 28(a0))  # V2
    slli(t1, t0, 14)
    or_(s2, s2, t1)
    srli(t0, t0, 18)
    slli(s3, s3, 12)
    or_(s3, s3, t0)
    lw(s9, 16(a0))  # ORIGIN
    lui(t0, 0x40)
    sub(s9, s9, t0)
    lhu(s10, 14(a0))  # SCALE
    lw(s11, 32(a0))  # BOOST
    addi(a4, zero, 0)  # 1: an alarm, 2: outside the bins
    beq(a1, a3, done)
    label(loop)
    lh(t0, 0(a1))
    sub(t3, t0, s9)
    sra(t3, t3, s10)  # bin
    sltiu(t1, t3, 16)
    beq(t1, zero, outside)
    addi(a1, a1, 2)
    addi(t1, s0, 1)
    srai(t1, t1, 1)
    slli(t2, t0, 15)
    sub(t1, t2, t1)  # (x·2^16 - F) >> 1
    sra(t1, t1, s6)
    add(s0, s0, t1)  # F
    # The last eight bins are one word, four bits each: the newest comes in below, the eighth leaves above.
    lw(t2, 36(a0))  # BINS4, BINS8
    slli(t1, t2, 4)
    or_(t1, t1, t3)
    sw(t1, 36(a0))
    srli(t4, t2, 12)
    andi(t4, t4, 15)
    slli(t4, t4, 1)
    add(t4, t4, a0)
    srli(t5, t2, 28)
    slli(t5, t5, 1)
    add(t5, t5, a0)
    lhu(t1, 64(t4))  # row of AFTER4
    lhu(t2, 96(t5))  # row of AFTER8
    and_(t1, t1, t2)
    lhu(t2, 40(a0))  # SEEN
    and_(t1, t1, t2)
    srl(t1, t1, t3)
    andi(t1, t1, 1)
    addi(t6, zero, 0)  # nov
    beq(t1, zero, novel)
    label(known)
    lhu(t1, 62(a0))  # FADE
    srl(t1, s11, t1)
    sub(s11, s11, t1)
    bne(s7, zero, muted)
    lhu(t1, 42(a0))  # BASE
    srli(t2, s11, 8)
    add(t1, t1, t2)
    sub(t6, t1, t6)
    lhu(t1, 44(a0))  # LEAST
    bge(t6, t1, keen)
    mv(t6, t1)
    label(keen)
    mul(t6, t6, t6)  # T²
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
    slli(t3, t3, 8)
    srli(t1, t2, 24)
    or_(t3, t3, t1)
    slli(t2, t2, 8)  # 2^8·e² = t3:t2
    srli(t1, s2, 8)
    slli(t4, s3, 24)
    or_(t1, t1, t4)
    srli(t4, s3, 8)  # w = V >> 8 = t4:t1
    bne(t4, zero, above)
    li(t5, 256)
    bgeu(t1, t5, above)
    mv(t1, t5)  # the floor: one LSB²
    label(above)
    mul(t5, t4, t6)
    mulhu(t4, t4, t6)
    mulhu(a7, t1, t6)
    add(t5, t5, a7)
    sltu(a7, t5, a7)
    add(t4, t4, a7)
    mul(t1, t1, t6)  # T²·w = t4:t5:t1
    bne(t4, zero, follow)
    bltu(t5, t3, alarm)
    bne(t5, t3, follow)
    bltu(t1, t2, alarm)
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
    label(alarm)  # this sample is the last
    lhu(s7, 50(a0))  # HOLDOFF
    mv(a3, a1)
    addi(a4, zero, 1)
    lhu(t1, 46(a0))  # STEP
    slli(t1, t1, 8)
    add(s11, s11, t1)
    lhu(t1, 48(a0))  # MOST
    slli(t1, t1, 8)
    bgeu(t1, s11, follow)
    mv(s11, t1)
    jal(zero, follow)
    label(novel)  # t4 and t5 are the rows less the tables' places, t3 the bin, t6 gathers what is new
    addi(t1, zero, 1)
    sll(t1, t1, t3)
    lhu(t2, 40(a0))  # SEEN
    and_(t3, t2, t1)
    bne(t3, zero, step4)
    or_(t2, t2, t1)
    sh(t2, 40(a0))
    lhu(t2, 52(a0))  # NEW_LEVEL
    add(t6, t6, t2)
    label(step4)
    sub(a7, a1, a2)
    srli(a7, a7, 1)  # count, this sample included
    sltiu(t2, a7, 5)
    bne(t2, zero, learn)
    lhu(t2, 64(t4))
    and_(t3, t2, t1)
    bne(t3, zero, step8)
    or_(t2, t2, t1)
    sh(t2, 64(t4))
    lhu(t2, 54(a0))  # NEW_STEP
    add(t6, t6, t2)
    label(step8)
    sltiu(t2, a7, 9)
    bne(t2, zero, learn)
    lhu(t2, 96(t5))
    and_(t3, t2, t1)
    bne(t3, zero, learn)
    or_(t2, t2, t1)
    sh(t2, 96(t5))
    lhu(t2, 54(a0))
    add(t6, t6, t2)
    label(learn)  # learned, and not counted while there is much to learn
    lhu(t2, 56(a0))  # LEARNING
    bltu(t2, a7, known)
    addi(t6, zero, 0)
    jal(zero, known)
    label(grow)  # the slow shift grows with the count
    addi(s4, s4, 1)
    addi(s5, s5, -1)
    addi(s8, zero, 0)
    beq(s4, a6, grown)
    li(s8, 4)
    sll(s8, s8, s4)
    add(s8, s8, a2)
    jal(zero, grown)
    label(outside)  # not fed: the caller widens the bins
    addi(a4, zero, 2)
    label(done)
    sub(t0, a1, a2)
    srli(t0, t0, 1)
    lui(t1, 0x20000)
    bgeu(t1, t0, counted)
    mv(t0, t1)
    label(counted)
    sw(t0, 0(a0))  # COUNT
    lhu(t1, 58(a0))
    bgeu(t0, t1, held)
    addi(s7, zero, 0)
    label(held)
    sh(s7, 12(a0))  # HOLD
    lui(t2, 0x80000)
    xor(s0, s0, t2)
    sw(s0, 4(a0))
    xor(s1, s1, t2)
    sw(s1, 8(a0))
    sw(s11, 32(a0))
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
    addi(t0, zero, 2)
    beq(a4, t0, unfed)
    sub(a0, a0, a4)  # index
    jal(zero, back)
    label(unfed)
    xori(a0, a0, -1)  # -1 - index
    label(back)
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
