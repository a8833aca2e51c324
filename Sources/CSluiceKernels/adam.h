// Adam's update of a flat array, one pass over memory. Formula: Training/Optimizer.swift.

static void NAMED(adam)(ptrdiff_t count, const REAL *constants, REAL *p, const REAL *gradient, REAL *m, REAL *v,
                        REAL *peak) {
    FOLLOWED_CONSTANTS;
    const REAL keep = constants[3], rate = constants[4], beta1 = constants[5], beta2 = constants[6];
    const REAL root = constants[7], epsilon = constants[8];
#define UPDATE(PEAK)                                                                                                   \
    VECTOR_LOOP                                                                                                        \
    for (ptrdiff_t i = 0; i < count; i++) {                                                                            \
        REAL g = FOLLOWED(gradient[i], p[i]);                                                                          \
        REAL mean = beta1 * m[i] + (1 - beta1) * g;                                                                    \
        REAL square = beta2 * v[i] + (1 - beta2) * g * g;                                                              \
        m[i] = mean;                                                                                                   \
        v[i] = square;                                                                                                 \
        PEAK                                                                                                           \
        p[i] = keep * p[i] - rate * mean / (root * NAMED(square_root)(square) + epsilon);                              \
    }
    if (peak) {
        UPDATE(square = square > peak[i] ? square : peak[i]; peak[i] = square;)
    } else {
        UPDATE()
    }
#undef UPDATE
}
