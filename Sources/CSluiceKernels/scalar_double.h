// What the bodies need to know of double. Constants: polynomial by Chebyshev fit in 60 digits, ln 2 in two parts, the
// upper one with enough trailing zeros that k times it is exact.
#define REAL double
#define BITS uint64_t
#define NAMED(name) name##_f64
#define MANTISSA_BITS 52
#define EXPONENT_BIAS 1023
#define LARGEST 0x1.fffffffffffffp+1023 // the largest finite number
#define LOG2E 0x1.71547652b82fep+0
#define LN2_HIGH 0x1.62e42fee00000p-1
#define LN2_LOW 0x1.a39ef35793c76p-33
#define EXP_OVERFLOW 709.79   // exp(x) is infinite from here on
#define EXP_UNDERFLOW -746.0  // exp(x) rounds to zero below
#define TANH_ONE 22.0         // tanh(x) rounds to 1 from here on

static inline REAL NAMED(square_root)(REAL x) { return __builtin_sqrt(x); }

/// (exp(r) - 1 - r) / r^2 for |r| <= ln 2 / 2; error of r + r^2 q(r) as exp(r) - 1: 5e-19 relative.
static inline REAL NAMED(expm1_tail)(REAL r) {
    REAL r2 = r * r, r4 = r2 * r2;
    REAL q01 = 0x1.5555555555557p-3 * r + 0.5, q23 = 0x1.11111111100dcp-7 * r + 0x1.5555555555556p-5;
    REAL q45 = 0x1.a01a01abe7fe1p-13 * r + 0x1.6c16c16c162d4p-10, q67 = 0x1.71de0231960ebp-19 * r + 0x1.a01a01a6d889cp-16;
    REAL q89 = 0x1.af4de97ca4194p-26 * r + 0x1.27e4db646b17ep-22;
    REAL q03 = q23 * r2 + q01, q47 = q67 * r2 + q45, q8a = 0x1.1f730349868cep-29 * r2 + q89;
    return (q8a * r4 + q47) * r4 + q03;
}
