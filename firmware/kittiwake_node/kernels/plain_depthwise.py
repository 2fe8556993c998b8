"""Depthwise int8 layers by definition: every channel has a filter of its own.

Must not know who calls it. Runs anywhere, in any layout of the weights; descriptor: see docs/spec/model-plan.md.
"""

from .plain_conv import channel
from .plain_requant import find, saturate, scale, signed, words

if False:  # for mypy alone
    from kittiwake_types import Memory


def depthwise(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Run a depthwise layer, one output a channel of the input.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 18)
    source, first = find(d[0], plan, scratch, state)
    target, out = find(d[1], plan, scratch, state)
    taps = d[4] * d[5]
    padded = -(-taps // 4) * 4 if d[17] == 0 else taps
    for c in range(d[3]):
        weights, bias, m, right, left = channel(plan, d[2], padded, d[17], c, True)
        for y in range(d[6]):
            for x in range(d[7]):
                base = first + y * d[8] + x * d[9] + c
                total = bias
                for ky in range(d[4]):
                    for kx in range(d[5]):
                        total += weights[ky * d[5] + kx] * signed(source[base + ky * d[12] + kx * d[13]])
                target[out + y * d[10] + x * d[11] + c] = saturate(scale(total, m, right, left) + d[14] - 128)
