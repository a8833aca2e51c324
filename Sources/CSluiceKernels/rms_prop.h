// RMSProp's update of a flat array, one pass over memory. Formula: Training/Optimizer.swift.

static void NAMED(rms_prop)(ptrdiff_t count, const REAL *constants, REAL *p, const REAL *gradient, REAL *v,
                            REAL *velocity) {
    FOLLOWED_CONSTANTS;
    const REAL rate = constants[3], gain = constants[4], smoothing = constants[5];
    const REAL inner = constants[6], outer = constants[7], momentum = constants[8];
#define UPDATE(FOLLOW)                                                                                                 \
    VECTOR_LOOP                                                                                                        \
    for (ptrdiff_t i = 0; i < count; i++) {                                                                            \
        REAL g = FOLLOWED(gradient[i], p[i]);                                                                          \
        REAL square = smoothing * v[i] + (1 - smoothing) * g * g;                                                      \
        v[i] = square;                                                                                                 \
        REAL u = gain * g / (NAMED(square_root)(square + inner) + outer);                                              \
        FOLLOW                                                                                                         \
        p[i] -= rate * u;                                                                                              \
    }
    if (velocity) {
        UPDATE(u = momentum * velocity[i] + u; velocity[i] = u;)
    } else {
        UPDATE()
    }
#undef UPDATE
}
