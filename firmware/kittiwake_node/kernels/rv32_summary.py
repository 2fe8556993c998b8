"""Count, extremes and exact sums in RV32IM assembler.

Must not know how long an interval is. State layout: see the package's docstring.

Loop registers: a1 next sample, a2 end, a3 sum, a4 least, a5 largest, a7:a6 sum of squares.
"""

import micropython


# As plain_summary.feed. Does not allocate; may run in an interrupt that does not share the state.
@micropython.asm_rv32
def feed(a0, a1):  # noqa: D103 - the assembler takes no docstring
    label(entry)  # for the count: see rv32_zscore's docstring
    lw(t0, 32(a0))  # START
    lw(a2, 36(a0))  # STOP
    sub(t1, a2, t0)
    lw(t2, 0(a0))
    add(t2, t2, t1)
    sw(t2, 0(a0))  # COUNT
    slli(a2, a2, 1)
    add(a2, a2, a1)
    slli(t0, t0, 1)
    add(a1, a1, t0)
    lw(a3, 12(a0))  # S0
    slli(t1, t1, 15)
    add(a3, a3, t1)  # S is of u = x + 2^15: the offsets here, x in the loop; below 2^31
    lui(t3, 8)  # 2^15
    lw(a4, 4(a0))
    sub(a4, a4, t3)  # LOW as x
    lw(a5, 8(a0))
    sub(a5, a5, t3)  # HIGH as x
    lw(a6, 20(a0))  # Q0
    lw(t0, 24(a0))  # Q1
    lw(a7, 28(a0))  # Q2
    slli(t1, t0, 15)
    or_(a6, a6, t1)
    srli(t0, t0, 17)
    slli(a7, a7, 13)
    or_(a7, a7, t0)
    beq(a1, a2, done)
    label(loop)
    lh(t0, 0(a1))
    addi(a1, a1, 2)
    bge(t0, a4, not_least)
    mv(a4, t0)
    label(not_least)
    bge(a5, t0, not_largest)
    mv(a5, t0)
    label(not_largest)
    add(a3, a3, t0)
    mul(t0, t0, t0)  # at most 2^30
    add(a6, a6, t0)
    sltu(t0, a6, t0)
    add(a7, a7, t0)
    bne(a1, a2, loop)
    label(done)
    add(a4, a4, t3)
    sw(a4, 4(a0))
    add(a5, a5, t3)
    sw(a5, 8(a0))
    slli(t0, a3, 2)
    srli(t0, t0, 2)
    sw(t0, 12(a0))  # S0
    srli(t0, a3, 30)
    lw(t1, 16(a0))
    add(t1, t1, t0)
    sw(t1, 16(a0))  # S1
    slli(t0, a6, 17)
    srli(t0, t0, 17)
    sw(t0, 20(a0))  # Q0
    srli(t0, a6, 15)
    slli(t1, a7, 19)
    srli(t1, t1, 2)
    or_(t0, t0, t1)
    sw(t0, 24(a0))  # Q1
    srli(t0, a7, 13)
    sw(t0, 28(a0))  # Q2
    addi(a0, zero, 0)  # the result becomes an integer object: an address would need the heap


# As plain_summary.feed_wide. Does not allocate; may run in an interrupt that does not share the state.
@micropython.asm_rv32
def feed_wide(a0, a1):  # noqa: D103 - the assembler takes no docstring
    label(entry)  # for the count: see rv32_zscore's docstring
    lw(t0, 32(a0))  # START
    lw(a2, 36(a0))  # STOP
    sub(t1, a2, t0)
    lw(t2, 0(a0))
    add(t2, t2, t1)
    sw(t2, 0(a0))  # COUNT
    slli(a2, a2, 2)
    add(a2, a2, a1)
    slli(t0, t0, 2)
    add(a1, a1, t0)
    lw(a3, 12(a0))  # S0
    lw(t4, 16(a0))  # S1
    slli(t1, t4, 30)
    or_(a3, a3, t1)
    srli(t4, t4, 2)  # sum of u = t4:a3
    lui(t3, 2048)  # 2^23
    lw(a4, 4(a0))  # LOW
    lw(a5, 8(a0))  # HIGH
    addi(a6, zero, 0)
    addi(a7, zero, 0)  # sum of squares of these samples = a7:a6, below 2^60
    beq(a1, a2, done)
    label(loop)
    lw(t0, 0(a1))
    addi(a1, a1, 4)
    add(t0, t0, t3)
    slli(t0, t0, 8)
    srli(t0, t0, 8)  # u
    bgeu(t0, a4, not_least)
    mv(a4, t0)
    label(not_least)
    bgeu(a5, t0, not_largest)
    mv(a5, t0)
    label(not_largest)
    add(a3, a3, t0)
    sltu(t1, a3, t0)
    add(t4, t4, t1)
    sub(t0, t0, t3)  # x
    mul(t1, t0, t0)
    mulh(t0, t0, t0)
    add(a6, a6, t1)
    sltu(t1, a6, t1)
    add(a7, a7, t0)
    add(a7, a7, t1)
    bne(a1, a2, loop)
    label(done)
    sw(a4, 4(a0))
    sw(a5, 8(a0))
    slli(t0, a3, 2)
    srli(t0, t0, 2)
    sw(t0, 12(a0))  # S0
    srli(t0, a3, 30)
    slli(t4, t4, 2)
    or_(t0, t0, t4)
    sw(t0, 16(a0))  # S1
    slli(t0, a6, 17)
    srli(t0, t0, 17)
    lw(t1, 20(a0))
    add(t0, t0, t1)
    srli(t2, t0, 15)  # the carry
    slli(t0, t0, 17)
    srli(t0, t0, 17)
    sw(t0, 20(a0))  # Q0
    srli(t0, a6, 15)
    slli(t1, a7, 17)
    or_(t0, t0, t1)
    slli(t0, t0, 2)
    srli(t0, t0, 2)
    add(t0, t0, t2)
    lw(t1, 24(a0))
    add(t0, t0, t1)
    srli(t2, t0, 30)
    slli(t0, t0, 2)
    srli(t0, t0, 2)
    sw(t0, 24(a0))  # Q1
    srli(t0, a7, 13)
    add(t0, t0, t2)
    lw(t1, 28(a0))
    add(t0, t0, t1)
    sw(t0, 28(a0))  # Q2
    addi(a0, zero, 0)  # see feed
