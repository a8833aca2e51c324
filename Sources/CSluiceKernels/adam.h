// Adam's update of a flat array, one pass over memory. Formula: Training/Optimizer.swift.

static void NAMED(adam)(ptrdiff_t count, const REAL *constants, REAL *p, const REAL *g, REAL *m, REAL *v) {
    const REAL rate = constants[0], beta1 = constants[1], beta2 = constants[2], epsilon = constants[3];
    VECTOR_LOOP
    for (ptrdiff_t i = 0; i < count; i++) {
        REAL mean = beta1 * m[i] + (1 - beta1) * g[i];
        REAL square = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
        m[i] = mean;
        v[i] = square;
        p[i] -= rate * mean / (NAMED(square_root)(square) + epsilon);
    }
}
