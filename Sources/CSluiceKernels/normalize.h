// Layer normalisation (Ba et al. 2016, arXiv 1607.06450). Contracts: include/SluiceKernels.h.
//
// Sums along a row are kept in LANES partial sums, so that the loop is vector code without reordering a sum that the
// source has in another order: the same bits at every level that has the same fused operations.

#define LANES 16
#define VARIANCE_FLOOR (REAL)1e-5

static inline REAL NAMED(sum_of_lanes)(const REAL *lanes) {
    REAL sum = 0;
    for (int lane = 0; lane < LANES; lane++) sum += lanes[lane];
    return sum;
}

static void NAMED(normalize)(ptrdiff_t rows, ptrdiff_t n, REAL *values, ptrdiff_t values_stride, const REAL *gain,
                             REAL *normalized, ptrdiff_t normalized_stride, REAL *scale, ptrdiff_t scale_stride) {
    const ptrdiff_t whole = n / LANES * LANES;
    for (ptrdiff_t row = 0; row < rows; row++) {
        REAL *x = values + row * values_stride, *xn = normalized + row * normalized_stride;
        REAL sums[LANES] = {0}, squares[LANES] = {0};
        for (ptrdiff_t j = 0; j < whole; j += LANES)
            for (int lane = 0; lane < LANES; lane++) sums[lane] += x[j + lane];
        for (ptrdiff_t j = whole; j < n; j++) sums[j - whole] += x[j];
        const REAL mean = NAMED(sum_of_lanes)(sums) / n;
        for (ptrdiff_t j = 0; j < whole; j += LANES)
            for (int lane = 0; lane < LANES; lane++) squares[lane] += (x[j + lane] - mean) * (x[j + lane] - mean);
        for (ptrdiff_t j = whole; j < n; j++) squares[j - whole] += (x[j] - mean) * (x[j] - mean);
        const REAL inverse = 1 / NAMED(square_root)(NAMED(sum_of_lanes)(squares) / n + VARIANCE_FLOOR);
        scale[row * scale_stride] = inverse;
        VECTOR_LOOP
        for (ptrdiff_t j = 0; j < n; j++) {
            REAL value = (x[j] - mean) * inverse;
            xn[j] = value;
            x[j] = gain[j] * value;
        }
    }
}

static void NAMED(normalize_backward)(ptrdiff_t rows, ptrdiff_t n, const REAL *dvalues, ptrdiff_t dvalues_stride,
                                      const REAL *normalized, ptrdiff_t normalized_stride, const REAL *scale,
                                      ptrdiff_t scale_stride, const REAL *gain, REAL *dx, ptrdiff_t dx_stride,
                                      REAL *dgain) {
    const ptrdiff_t whole = n / LANES * LANES;
    for (ptrdiff_t row = 0; row < rows; row++) {
        const REAL *dy = dvalues + row * dvalues_stride, *xn = normalized + row * normalized_stride;
        REAL *out = dx + row * dx_stride;
        REAL sums[LANES] = {0}, products[LANES] = {0};
        for (ptrdiff_t j = 0; j < whole; j += LANES)
            for (int lane = 0; lane < LANES; lane++) {
                REAL d = dy[j + lane] * gain[j + lane];
                sums[lane] += d;
                products[lane] += d * xn[j + lane];
            }
        for (ptrdiff_t j = whole; j < n; j++) {
            REAL d = dy[j] * gain[j];
            sums[j - whole] += d;
            products[j - whole] += d * xn[j];
        }
        const REAL mean = NAMED(sum_of_lanes)(sums) / n, slope = NAMED(sum_of_lanes)(products) / n;
        const REAL inverse = scale[row * scale_stride];
        VECTOR_LOOP
        for (ptrdiff_t j = 0; j < n; j++) {
            REAL d = dy[j], value = xn[j];
            dgain[j] += d * value;
            out[j] = inverse * (d * gain[j] - mean - value * slope);
        }
    }
}

#undef LANES
#undef VARIANCE_FLOOR
