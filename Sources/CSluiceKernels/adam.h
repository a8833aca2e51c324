// Adam's update of a flat array, one pass over memory. Formula: Training/Optimizer.swift.

static void NAMED(adam)(ptrdiff_t count, REAL *p, const REAL *g, REAL *m, REAL *v, REAL rate, REAL beta1, REAL beta2,
                        REAL epsilon) {
    VECTOR_LOOP
    for (ptrdiff_t i = 0; i < count; i++) {
        REAL mean = beta1 * m[i] + (1 - beta1) * g[i];
        REAL square = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
        m[i] = mean;
        v[i] = square;
        p[i] -= rate * mean / (NAMED(square_root)(square) + epsilon);
    }
}
