// GCC's names for arithmetic with 64-bit integers, and for two operations that the core has no instruction for.
//
// The compiler's own libgcc has another calling convention. Nothing here may shift, multiply or divide 64-bit values
// by a variable amount: that would call itself. Source: GCC internals, "Routines for integer arithmetic".

#include <stdint.h>

#define WORD_BITS 32

typedef union {
    uint64_t whole;
    struct {
        uint32_t low, high; // little-endian
    };
} pair_t;

uint64_t __ashldi3(uint64_t value, int bits) {
    pair_t pair = {value};
    if (bits >= WORD_BITS) {
        pair.high = pair.low << (bits - WORD_BITS);
        pair.low = 0;
    } else if (bits > 0) {
        pair.high = pair.high << bits | pair.low >> (WORD_BITS - bits);
        pair.low <<= bits;
    }
    return pair.whole;
}

uint64_t __lshrdi3(uint64_t value, int bits) {
    pair_t pair = {value};
    if (bits >= WORD_BITS) {
        pair.low = pair.high >> (bits - WORD_BITS);
        pair.high = 0;
    } else if (bits > 0) {
        pair.low = pair.low >> bits | pair.high << (WORD_BITS - bits);
        pair.high >>= bits;
    }
    return pair.whole;
}

// The core multiplies to 32 bits: the lower words are multiplied by halves.
uint64_t __muldi3(uint64_t a, uint64_t b) {
    pair_t x = {a}, y = {b}, product;
    uint32_t x0 = x.low & 0xFFFF, x1 = x.low >> 16;
    uint32_t y0 = y.low & 0xFFFF, y1 = y.low >> 16;
    uint32_t bottom = x0 * y0;
    uint32_t middle = x1 * y0 + (bottom >> 16); // cannot overflow: (2^16 - 1)^2 + 2^16 - 1 < 2^32
    uint32_t other = x0 * y1 + (middle & 0xFFFF);
    product.low = other << 16 | (bottom & 0xFFFF);
    product.high = x1 * y1 + (middle >> 16) + (other >> 16) + x.low * y.high + x.high * y.low;
    return product.whole;
}

// Quotient and rest, a bit at a time where the operands exceed the core's own division.
static uint64_t divide(uint64_t a, uint64_t b, uint64_t *rest) {
    pair_t dividend = {a}, divisor = {b};
    if (dividend.high == 0 && divisor.high == 0) {
        *rest = dividend.low % divisor.low;
        return dividend.low / divisor.low;
    }
    uint64_t remainder = 0;
    for (int bit = 0; bit < 2 * WORD_BITS; bit++) {
        // The dividend leaves on the left, bit by bit, while the quotient comes in on the right.
        remainder = remainder << 1 | dividend.high >> (WORD_BITS - 1);
        dividend.whole <<= 1;
        if (remainder >= b) {
            remainder -= b;
            dividend.low |= 1;
        }
    }
    *rest = remainder;
    return dividend.whole;
}

uint64_t __udivdi3(uint64_t a, uint64_t b) {
    uint64_t rest;
    return divide(a, b, &rest);
}

uint64_t __umoddi3(uint64_t a, uint64_t b) {
    uint64_t rest;
    divide(a, b, &rest);
    return rest;
}

uint32_t __bswapsi2(uint32_t value) {
    return value << 24 | (value & 0xFF00) << 8 | (value >> 8 & 0xFF00) | value >> 24;
}

int __popcountsi2(uint32_t value) {
    int ones = 0;
    for (; value; value &= value - 1) { // each turn clears the lowest one
        ones++;
    }
    return ones;
}
