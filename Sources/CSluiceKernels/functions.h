// exp, sigmoid and tanh of one scalar, without branches, so that a loop over them becomes vector code.
//
//   x = k ln 2 + r, |r| <= ln 2 / 2      exp(x) = 2^k (1 + p), p = exp(r) - 1 = r + r^2 q(r)
//
// NaN comes out as NaN: every clamp keeps x where a comparison with it is false. Errors, measured over all floats and
// 80 million doubles by scripts/check-functions: 1.02 units in the last place for exp, 2.5 for sigmoid, 2.65 for tanh.

/// k as a number and as bits: adding 1.5 * 2^mantissa rounds to an integer and leaves it in the low bits. The offset
/// keeps those bits positive, so that halving them is a logical shift, which every level has.
#define K_OFFSET (2 * (EXPONENT_BIAS + 1))
#define ROUNDER (REAL)(((BITS)3 << (MANTISSA_BITS - 1)) + K_OFFSET)

static inline BITS NAMED(bits)(REAL x) {
    BITS bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline REAL NAMED(from_bits)(BITS bits) {
    REAL x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/// 2^(half - K_OFFSET / 2), for an exponent in the normal range.
static inline REAL NAMED(power_of_two)(BITS half) {
    return NAMED(from_bits)((half + (BITS)(EXPONENT_BIAS - K_OFFSET / 2)) << MANTISSA_BITS);
}

/// exp(x) for x between EXP_UNDERFLOW and EXP_OVERFLOW: 2^k in two factors, as it may leave the normal range.
static inline REAL NAMED(exp_in_range)(REAL x) {
    REAL shifted = x * LOG2E + ROUNDER;
    REAL k = shifted - ROUNDER;
    REAL r = (x - k * LN2_HIGH) - k * LN2_LOW;
    REAL p = r + r * r * NAMED(expm1_tail)(r);
    BITS offset_k = NAMED(bits)(shifted) & (4 * K_OFFSET - 1);
    BITS half = offset_k >> 1;
    return (1 + p) * NAMED(power_of_two)(half) * NAMED(power_of_two)(offset_k - half);
}

static inline REAL NAMED(exp_value)(REAL x) {
    REAL clamped = x < EXP_UNDERFLOW ? EXP_UNDERFLOW : x;
    clamped = clamped > EXP_OVERFLOW ? EXP_OVERFLOW : clamped;
    return NAMED(exp_in_range)(clamped);
}

/// 1 / (1 + exp(-x)). From e = exp(-|x|) <= 1: 1 / (1 + e) for x >= 0, else e / (1 + e), which stays exact where the
/// result is tiny.
static inline REAL NAMED(sigmoid_value)(REAL x) {
    REAL a = x > 0 ? -x : x;
    a = a < EXP_UNDERFLOW ? EXP_UNDERFLOW : a;
    REAL e = NAMED(exp_in_range)(a);
    return (x < 0 ? e : 1) / (1 + e);
}

/// tanh(x) = m / (m + 2), m = exp(2 |x|) - 1 = 2^k p + (2^k - 1), with the sign of x. For small x, k = 0 and m = p keeps
/// its relative accuracy down to the smallest number.
static inline REAL NAMED(tanh_value)(REAL x) {
    REAL a = x < 0 ? -x : x;
    a = a > TANH_ONE ? TANH_ONE : a;
    REAL y = 2 * a;
    REAL shifted = y * LOG2E + ROUNDER;
    REAL k = shifted - ROUNDER;
    REAL r = (y - k * LN2_HIGH) - k * LN2_LOW;
    REAL p = r + r * r * NAMED(expm1_tail)(r);
    BITS exponent = (NAMED(bits)(shifted) & (4 * K_OFFSET - 1)) + (BITS)(EXPONENT_BIAS - K_OFFSET);
    REAL scale = NAMED(from_bits)(exponent << MANTISSA_BITS);
    REAL m = scale * p + (scale - 1);
    BITS sign = NAMED(bits)(x) & ((BITS)1 << (8 * sizeof(REAL) - 1));
    return NAMED(from_bits)(NAMED(bits)(m / (m + 2)) | sign);
}

static void NAMED(exponential)(ptrdiff_t count, const REAL *x, REAL *y) {
    VECTOR_LOOP
    for (ptrdiff_t i = 0; i < count; i++) y[i] = NAMED(exp_value)(x[i]);
}

static void NAMED(sigmoid)(ptrdiff_t count, const REAL *x, REAL *y) {
    VECTOR_LOOP
    for (ptrdiff_t i = 0; i < count; i++) y[i] = NAMED(sigmoid_value)(x[i]);
}

static void NAMED(tanh)(ptrdiff_t count, const REAL *x, REAL *y) {
    VECTOR_LOOP
    for (ptrdiff_t i = 0; i < count; i++) y[i] = NAMED(tanh_value)(x[i]);
}

#undef K_OFFSET
#undef ROUNDER
