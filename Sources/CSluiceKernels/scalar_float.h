// What the bodies need to know of float; as scalar_double.h.
#define REAL float
#define BITS uint32_t
#define NAMED(name) name##_f32
#define MANTISSA_BITS 23
#define EXPONENT_BIAS 127
#define LARGEST 0x1.fffffep+127f // the largest finite number
#define LOG2E 0x1.715476p+0f
#define LN2_HIGH 0x1.62e400p-1f
#define LN2_LOW 0x1.7f7d1cp-20f
#define EXP_OVERFLOW 88.73f
#define EXP_UNDERFLOW -104.5f
#define TANH_ONE 10.0f

static inline REAL NAMED(square_root)(REAL x) { return __builtin_sqrtf(x); }

/// (exp(r) - 1 - r) / r^2 for |r| <= ln 2 / 2; error of r + r^2 q(r) as exp(r) - 1: 5e-10 relative.
static inline REAL NAMED(expm1_tail)(REAL r) {
    REAL r2 = r * r;
    REAL q01 = 0x1.555556p-3f * r + 0.5f, q23 = 0x1.1110e0p-7f * r + 0x1.5554eap-5f;
    REAL q45 = 0x1.a124f2p-13f * r + 0x1.6d4324p-10f;
    return (q45 * r2 + q23) * r2 + q01;
}
