// Gradient descent's update of a flat array, one pass over memory. Formula: Training/Optimizer.swift.

static void NAMED(sgd)(ptrdiff_t count, const REAL *constants, int nesterov, REAL *p, const REAL *gradient,
                       REAL *velocity) {
    FOLLOWED_CONSTANTS;
    const REAL rate = constants[3], momentum = constants[4];
    if (!velocity) {
        VECTOR_LOOP
        for (ptrdiff_t i = 0; i < count; i++) p[i] -= rate * FOLLOWED(gradient[i], p[i]);
        return;
    }
    // u, or g + momentum u: what of each is followed.
    const REAL direct = nesterov ? 1 : 0, carried = nesterov ? momentum : 1;
    VECTOR_LOOP
    for (ptrdiff_t i = 0; i < count; i++) {
        REAL g = FOLLOWED(gradient[i], p[i]);
        REAL u = momentum * velocity[i] + g;
        velocity[i] = u;
        p[i] -= rate * (direct * g + carried * u);
    }
}
