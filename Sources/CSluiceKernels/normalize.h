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

/// A row whose squares or sum are beyond this scalar's range, or that is not finite; as below, of the row divided by a power of
/// two, so that nothing overflows. 1e-5 is nothing beside such a variance, unless the numbers are all equal.
static __attribute__((noinline, cold)) void NAMED(normalize_large)(ptrdiff_t n, REAL *x, const REAL *gain, REAL *xn,
                                                                   REAL *scale) {
    REAL largest = 0, differences = 0;
    for (ptrdiff_t j = 0; j < n; j++) {
        REAL size = x[j] < 0 ? -x[j] : x[j];
        if (size > largest) largest = size;
        differences += x[j] - x[j]; // 0, or NaN where x is not finite
    }
    // 2 / the power of two that is at most the largest.
    const REAL unit = 2 / NAMED(from_bits)(NAMED(bits)(largest) >> MANTISSA_BITS << MANTISSA_BITS) + differences;
    REAL mean = 0, variance = 0;
    for (ptrdiff_t j = 0; j < n; j++) mean += x[j] * unit / n;
    for (ptrdiff_t j = 0; j < n; j++) variance += (x[j] * unit - mean) * (x[j] * unit - mean) / n;
    const REAL inverse = variance == 0 ? 0 : 1 / NAMED(square_root)(variance);
    *scale = variance == 0 ? 1 / NAMED(square_root)(VARIANCE_FLOOR) : inverse * unit;
    for (ptrdiff_t j = 0; j < n; j++) {
        xn[j] = (x[j] * unit - mean) * inverse;
        x[j] = gain[j] * xn[j];
    }
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
        const REAL variance = NAMED(sum_of_lanes)(squares) / n;
        if (!(variance <= LARGEST)) {
            NAMED(normalize_large)(n, x, gain, xn, scale + row * scale_stride);
            continue;
        }
        const REAL inverse = 1 / NAMED(square_root)(variance + VARIANCE_FLOOR);
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
