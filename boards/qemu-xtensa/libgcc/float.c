// GCC's names for arithmetic with floats, on Berkeley SoftFloat.
//
// The compiler's own libgcc has another calling convention, and leaves these to a chip's ROM.
// Source: GCC internals, "Routines for floating point emulation".

#include <stdint.h>

#include "softfloat.h"

#define EXPONENT_ALL_ONES 0x7F800000u
#define WITHOUT_SIGN 0x7FFFFFFFu

typedef union {
    float value;
    float32_t soft;
} float_bits_t;

typedef union {
    double value;
    float64_t soft;
} double_bits_t;

static inline float32_t soft(float value) {
    return (float_bits_t) {.value = value}.soft;
}

static inline float hard(float32_t soft) {
    return (float_bits_t) {.soft = soft}.value;
}

static inline double hard_double(float64_t soft) {
    return (double_bits_t) {.soft = soft}.value;
}

static inline bool is_nan(float value) {
    return (soft(value).v & WITHOUT_SIGN) > EXPONENT_ALL_ONES;
}

float __addsf3(float a, float b) {
    return hard(f32_add(soft(a), soft(b)));
}

float __subsf3(float a, float b) {
    return hard(f32_sub(soft(a), soft(b)));
}

float __mulsf3(float a, float b) {
    return hard(f32_mul(soft(a), soft(b)));
}

float __divsf3(float a, float b) {
    return hard(f32_div(soft(a), soft(b)));
}

int __unordsf2(float a, float b) {
    return is_nan(a) || is_nan(b);
}

// Less, equal and greater as -1, 0 and 1; `unordered` when either is not a number.
static int compare(float a, float b, int unordered) {
    if (__unordsf2(a, b)) {
        return unordered;
    }
    if (f32_eq(soft(a), soft(b))) {
        return 0;
    }
    return f32_lt_quiet(soft(a), soft(b)) ? -1 : 1;
}

// The compiler asks whether the result is 0, < 0 or <= 0 ...
int __eqsf2(float a, float b) {
    return compare(a, b, 1);
}

int __nesf2(float a, float b) {
    return compare(a, b, 1);
}

int __ltsf2(float a, float b) {
    return compare(a, b, 1);
}

int __lesf2(float a, float b) {
    return compare(a, b, 1);
}

// ... and here whether it is > 0 or >= 0: not a number must answer no each time.
int __gtsf2(float a, float b) {
    return compare(a, b, -1);
}

int __gesf2(float a, float b) {
    return compare(a, b, -1);
}

int __fixsfsi(float a) {
    return f32_to_i32_r_minMag(soft(a), false);
}

unsigned __fixunssfsi(float a) {
    return f32_to_ui32_r_minMag(soft(a), false);
}

float __floatsisf(int a) {
    return hard(i32_to_f32(a));
}

float __floatunsisf(unsigned a) {
    return hard(ui32_to_f32(a));
}

double __floatsidf(int a) {
    return hard_double(i32_to_f64(a));
}

double __extendsfdf2(float a) {
    return hard_double(f32_to_f64(soft(a)));
}

float __truncdfsf2(double a) {
    return hard(f64_to_f32((double_bits_t) {.value = a}.soft));
}
