// The GRU's fused steps, one pass over memory each. Contracts: include/SluiceKernels.h. Equations: Cells/GRU.swift.
// Derivatives: s' = s (1 - s), tanh' = 1 - tanh^2; `d` + name is the gradient of the name before its function.

static void NAMED(gru_after_forward)(ptrdiff_t rows, ptrdiff_t H, REAL *tape, ptrdiff_t tape_stride, const REAL *hu,
                                     const REAL *bias, const REAL *previous, REAL *next) {
    for (ptrdiff_t row = 0; row < rows; row++) {
        REAL *n = tape + row * tape_stride, *r = n + H, *z = r + H, *q = z + H;
        const REAL *ur = hu + row * 3 * H, *uz = ur + H, *un = uz + H;
        const REAL *bn = bias, *br = bn + H, *bz = br + H, *cn = bz + H;
        const REAL *h = previous + row * H;
        REAL *out = next + row * H;
        VECTOR_LOOP
        for (ptrdiff_t j = 0; j < H; j++) {
            REAL rj = NAMED(sigmoid_value)(r[j] + ur[j] + br[j]);
            REAL zj = NAMED(sigmoid_value)(z[j] + uz[j] + bz[j]);
            REAL qj = un[j] + cn[j];
            REAL nj = NAMED(tanh_value)(n[j] + bn[j] + rj * qj);
            q[j] = qj;
            r[j] = rj;
            z[j] = zj;
            n[j] = nj;
            out[j] = nj + zj * (h[j] - nj);
        }
    }
}

static ALWAYS_INLINE void NAMED(gru_after_backward_of)(ptrdiff_t rows, ptrdiff_t H, REAL *tape, ptrdiff_t tape_stride,
                                                       const REAL *previous, const REAL *dy, REAL *dh, REAL *dbias) {
    REAL *sum_n = dbias, *sum_r = sum_n + H, *sum_z = sum_r + H, *sum_q = sum_z + H;
    for (ptrdiff_t row = 0; row < rows; row++) {
        REAL *n = tape + row * tape_stride, *r = n + H, *z = r + H, *q = z + H;
        const REAL *h = previous + row * H;
        REAL *dhr = dh + row * H;
        VECTOR_LOOP
        for (ptrdiff_t j = 0; j < H; j++) {
            REAL d = dy ? dhr[j] + dy[row * H + j] : dhr[j];
            REAL qj = q[j], rj = r[j], zj = z[j], nj = n[j];
            REAL dn = d * (1 - zj) * (1 - nj * nj);
            REAL dz = d * (h[j] - nj) * zj * (1 - zj);
            REAL dr = dn * qj * rj * (1 - rj);
            REAL dq = dn * rj;
            q[j] = dq;
            r[j] = dr;
            z[j] = dz;
            n[j] = dn;
            sum_q[j] += dq;
            sum_r[j] += dr;
            sum_z[j] += dz;
            sum_n[j] += dn;
            dhr[j] = d * zj;
        }
    }
}

static void NAMED(gru_after_backward)(ptrdiff_t rows, ptrdiff_t H, REAL *tape, ptrdiff_t tape_stride,
                                      const REAL *previous, const REAL *dy, REAL *dh, REAL *dbias) {
    if (dy) {
        NAMED(gru_after_backward_of)(rows, H, tape, tape_stride, previous, dy, dh, dbias);
    } else {
        NAMED(gru_after_backward_of)(rows, H, tape, tape_stride, previous, NULL, dh, dbias);
    }
}

static void NAMED(gru_before_gates)(ptrdiff_t rows, ptrdiff_t H, REAL *tape, const REAL *hu, const REAL *bias,
                                    const REAL *previous) {
    for (ptrdiff_t row = 0; row < rows; row++) {
        REAL *r = tape + row * 4 * H + H, *z = r + H, *q = z + H;
        const REAL *ur = hu + row * 2 * H, *uz = ur + H;
        const REAL *br = bias + H, *bz = br + H;
        const REAL *h = previous + row * H;
        VECTOR_LOOP
        for (ptrdiff_t j = 0; j < H; j++) {
            REAL rj = NAMED(sigmoid_value)(r[j] + ur[j] + br[j]);
            z[j] = NAMED(sigmoid_value)(z[j] + uz[j] + bz[j]);
            r[j] = rj;
            q[j] = rj * h[j];
        }
    }
}

static void NAMED(gru_before_update)(ptrdiff_t rows, ptrdiff_t H, int flipped, REAL *tape, const REAL *hu,
                                     const REAL *bias, const REAL *previous, REAL *next) {
    const REAL *bn = bias;
    for (ptrdiff_t row = 0; row < rows; row++) {
        REAL *n = tape + row * 4 * H, *z = n + 2 * H;
        const REAL *un = hu + row * H, *h = previous + row * H;
        REAL *out = next + row * H;
        VECTOR_LOOP
        for (ptrdiff_t j = 0; j < H; j++) {
            REAL nj = NAMED(tanh_value)(n[j] + un[j] + bn[j]);
            REAL keep = flipped ? 1 - z[j] : z[j];
            n[j] = nj;
            out[j] = nj + keep * (h[j] - nj);
        }
    }
}

static ALWAYS_INLINE void NAMED(gru_before_update_backward_of)(ptrdiff_t rows, ptrdiff_t H, int flipped, REAL *tape,
                                                               const REAL *previous, const REAL *dy, REAL *dh,
                                                               REAL *dbias) {
    REAL *sum_n = dbias, *sum_z = sum_n + 2 * H;
    const REAL sign = flipped ? -1 : 1;
    for (ptrdiff_t row = 0; row < rows; row++) {
        REAL *n = tape + row * 4 * H, *z = n + 2 * H;
        const REAL *h = previous + row * H;
        REAL *dhr = dh + row * H;
        VECTOR_LOOP
        for (ptrdiff_t j = 0; j < H; j++) {
            REAL d = dy ? dhr[j] + dy[row * H + j] : dhr[j];
            REAL zj = z[j], nj = n[j];
            REAL keep = flipped ? 1 - zj : zj;
            REAL dn = d * (1 - keep) * (1 - nj * nj);
            REAL dz = sign * d * (h[j] - nj) * zj * (1 - zj);
            z[j] = dz;
            n[j] = dn;
            sum_z[j] += dz;
            sum_n[j] += dn;
            dhr[j] = d * keep;
        }
    }
}

static void NAMED(gru_before_update_backward)(ptrdiff_t rows, ptrdiff_t H, int flipped, REAL *tape,
                                              const REAL *previous, const REAL *dy, REAL *dh, REAL *dbias) {
    if (dy) {
        NAMED(gru_before_update_backward_of)(rows, H, flipped, tape, previous, dy, dh, dbias);
    } else {
        NAMED(gru_before_update_backward_of)(rows, H, flipped, tape, previous, NULL, dh, dbias);
    }
}

static void NAMED(gru_before_gates_backward)(ptrdiff_t rows, ptrdiff_t H, REAL *tape, const REAL *previous,
                                             const REAL *dq, REAL *dh, REAL *dbias) {
    REAL *sum_r = dbias + H;
    for (ptrdiff_t row = 0; row < rows; row++) {
        REAL *r = tape + row * 4 * H + H;
        const REAL *h = previous + row * H, *dqr = dq + row * H;
        REAL *dhr = dh + row * H;
        VECTOR_LOOP
        for (ptrdiff_t j = 0; j < H; j++) {
            REAL rj = r[j];
            REAL dr = dqr[j] * h[j] * rj * (1 - rj);
            r[j] = dr;
            sum_r[j] += dr;
            dhr[j] += dqr[j] * rj;
        }
    }
}
