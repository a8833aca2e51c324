// The LSTM's fused steps, one pass over memory each. Contracts: include/SluiceKernels.h. Equations: Cells/LSTM.swift.
// Derivatives: s' = s (1 - s), tanh' = 1 - tanh^2; `d` + name is the gradient of the name before its function.

static void NAMED(lstm_forward)(ptrdiff_t rows, ptrdiff_t H, REAL *tape, ptrdiff_t tape_stride, const REAL *bias,
                                const REAL *peepholes, const REAL *cell, ptrdiff_t cell_stride, REAL *next_cell,
                                ptrdiff_t next_cell_stride, REAL *output, ptrdiff_t output_stride) {
    const REAL *bi = bias, *bf = bi + H, *bg = bf + H, *bo = bg + H;
    for (ptrdiff_t row = 0; row < rows; row++) {
        REAL *i = tape + row * tape_stride, *f = i + H, *g = f + H, *o = g + H;
        const REAL *c = cell + row * cell_stride;
        REAL *next = next_cell + row * next_cell_stride, *out = output + row * output_stride;
        if (peepholes) {
            const REAL *pi = peepholes, *pf = pi + H, *po = pf + H;
            VECTOR_LOOP
            for (ptrdiff_t j = 0; j < H; j++) {
                REAL ij = NAMED(sigmoid_value)(i[j] + bi[j] + pi[j] * c[j]);
                REAL fj = NAMED(sigmoid_value)(f[j] + bf[j] + pf[j] * c[j]);
                REAL gj = NAMED(tanh_value)(g[j] + bg[j]);
                REAL cj = fj * c[j] + ij * gj;
                REAL oj = NAMED(sigmoid_value)(o[j] + bo[j] + po[j] * cj);
                i[j] = ij;
                f[j] = fj;
                g[j] = gj;
                o[j] = oj;
                next[j] = cj;
                out[j] = oj * NAMED(tanh_value)(cj);
            }
        } else {
            VECTOR_LOOP
            for (ptrdiff_t j = 0; j < H; j++) {
                REAL ij = NAMED(sigmoid_value)(i[j] + bi[j]);
                REAL fj = NAMED(sigmoid_value)(f[j] + bf[j]);
                REAL gj = NAMED(tanh_value)(g[j] + bg[j]);
                REAL oj = NAMED(sigmoid_value)(o[j] + bo[j]);
                REAL cj = fj * c[j] + ij * gj;
                i[j] = ij;
                f[j] = fj;
                g[j] = gj;
                o[j] = oj;
                next[j] = cj;
                out[j] = oj * NAMED(tanh_value)(cj);
            }
        }
    }
}

static ALWAYS_INLINE void NAMED(lstm_backward_of)(ptrdiff_t rows, ptrdiff_t H, REAL *tape, ptrdiff_t tape_stride,
                                                  const REAL *peepholes, const REAL *cell, ptrdiff_t cell_stride,
                                                  const REAL *next_cell, ptrdiff_t next_cell_stride, const REAL *dy,
                                                  const REAL *dh, REAL *dc, REAL *dbias, REAL *dpeepholes) {
    REAL *sum_i = dbias, *sum_f = sum_i + H, *sum_g = sum_f + H, *sum_o = sum_g + H;
    for (ptrdiff_t row = 0; row < rows; row++) {
        REAL *i = tape + row * tape_stride, *f = i + H, *g = f + H, *o = g + H;
        const REAL *c = cell + row * cell_stride, *next = next_cell + row * next_cell_stride;
        const REAL *dhr = dh + row * H, *dyr = dy ? dy + row * H : 0;
        REAL *dcr = dc + row * H;
        if (peepholes) {
            const REAL *pi = peepholes, *pf = pi + H, *po = pf + H;
            REAL *sum_pi = dpeepholes, *sum_pf = sum_pi + H, *sum_po = sum_pf + H;
            VECTOR_LOOP
            for (ptrdiff_t j = 0; j < H; j++) {
                REAL d = dyr ? dhr[j] + dyr[j] : dhr[j];
                REAL ij = i[j], fj = f[j], gj = g[j], oj = o[j];
                REAL t = NAMED(tanh_value)(next[j]);
                REAL d_o = d * t * oj * (1 - oj);
                REAL e = dcr[j] + d * oj * (1 - t * t) + d_o * po[j];
                REAL di = e * gj * ij * (1 - ij);
                REAL df = e * c[j] * fj * (1 - fj);
                REAL dg = e * ij * (1 - gj * gj);
                sum_pi[j] += di * c[j];
                sum_pf[j] += df * c[j];
                sum_po[j] += d_o * next[j];
                dcr[j] = e * fj + di * pi[j] + df * pf[j];
                i[j] = di;
                f[j] = df;
                g[j] = dg;
                o[j] = d_o;
                sum_i[j] += di;
                sum_f[j] += df;
                sum_g[j] += dg;
                sum_o[j] += d_o;
            }
        } else {
            VECTOR_LOOP
            for (ptrdiff_t j = 0; j < H; j++) {
                REAL d = dyr ? dhr[j] + dyr[j] : dhr[j];
                REAL ij = i[j], fj = f[j], gj = g[j], oj = o[j];
                REAL t = NAMED(tanh_value)(next[j]);
                REAL d_o = d * t * oj * (1 - oj);
                REAL e = dcr[j] + d * oj * (1 - t * t);
                REAL di = e * gj * ij * (1 - ij);
                REAL df = e * c[j] * fj * (1 - fj);
                REAL dg = e * ij * (1 - gj * gj);
                dcr[j] = e * fj;
                i[j] = di;
                f[j] = df;
                g[j] = dg;
                o[j] = d_o;
                sum_i[j] += di;
                sum_f[j] += df;
                sum_g[j] += dg;
                sum_o[j] += d_o;
            }
        }
    }
}

static void NAMED(lstm_backward)(ptrdiff_t rows, ptrdiff_t H, REAL *tape, ptrdiff_t tape_stride, const REAL *peepholes,
                                 const REAL *cell, ptrdiff_t cell_stride, const REAL *next_cell,
                                 ptrdiff_t next_cell_stride, const REAL *dy, const REAL *dh, REAL *dc, REAL *dbias,
                                 REAL *dpeepholes) {
    if (dy) {
        NAMED(lstm_backward_of)(rows, H, tape, tape_stride, peepholes, cell, cell_stride, next_cell, next_cell_stride,
                                dy, dh, dc, dbias, dpeepholes);
    } else {
        NAMED(lstm_backward_of)(rows, H, tape, tape_stride, peepholes, cell, cell_stride, next_cell, next_cell_stride,
                                NULL, dh, dc, dbias, dpeepholes);
    }
}

// The parts of a layer-normalised step: its cell state is normalised between them.

static void NAMED(lstm_gates)(ptrdiff_t rows, ptrdiff_t H, REAL *tape, ptrdiff_t tape_stride, const REAL *bias,
                              const REAL *cell, ptrdiff_t cell_stride, REAL *next_cell, ptrdiff_t next_cell_stride) {
    const REAL *bi = bias, *bf = bi + H, *bg = bf + H, *bo = bg + H;
    for (ptrdiff_t row = 0; row < rows; row++) {
        REAL *i = tape + row * tape_stride, *f = i + H, *g = f + H, *o = g + H;
        const REAL *c = cell + row * cell_stride;
        REAL *next = next_cell + row * next_cell_stride;
        VECTOR_LOOP
        for (ptrdiff_t j = 0; j < H; j++) {
            REAL ij = NAMED(sigmoid_value)(i[j] + bi[j]);
            REAL fj = NAMED(sigmoid_value)(f[j] + bf[j]);
            REAL gj = NAMED(tanh_value)(g[j] + bg[j]);
            i[j] = ij;
            f[j] = fj;
            g[j] = gj;
            o[j] = NAMED(sigmoid_value)(o[j] + bo[j]);
            next[j] = fj * c[j] + ij * gj;
        }
    }
}

static void NAMED(lstm_output)(ptrdiff_t rows, ptrdiff_t H, const REAL *tape, ptrdiff_t tape_stride, const REAL *cell,
                               const REAL *bias, REAL *output, ptrdiff_t output_stride) {
    for (ptrdiff_t row = 0; row < rows; row++) {
        const REAL *o = tape + row * tape_stride + 3 * H, *c = cell + row * H;
        REAL *out = output + row * output_stride;
        VECTOR_LOOP
        for (ptrdiff_t j = 0; j < H; j++) out[j] = o[j] * NAMED(tanh_value)(c[j] + bias[j]);
    }
}

static ALWAYS_INLINE void NAMED(lstm_output_backward_of)(ptrdiff_t rows, ptrdiff_t H, REAL *tape, ptrdiff_t tape_stride,
                                                         const REAL *normalized, ptrdiff_t normalized_stride,
                                                         const REAL *gain, const REAL *bias, const REAL *dy,
                                                         const REAL *dh, REAL *dcell, REAL *dbias) {
    for (ptrdiff_t row = 0; row < rows; row++) {
        REAL *o = tape + row * tape_stride + 3 * H;
        const REAL *n = normalized + row * normalized_stride;
        REAL *dn = dcell + row * H;
        VECTOR_LOOP
        for (ptrdiff_t j = 0; j < H; j++) {
            REAL d = dy ? dh[row * H + j] + dy[row * H + j] : dh[row * H + j];
            REAL oj = o[j];
            REAL t = NAMED(tanh_value)(gain[j] * n[j] + bias[j]);
            REAL dnj = d * oj * (1 - t * t);
            o[j] = d * t * oj * (1 - oj);
            dn[j] = dnj;
            dbias[j] += dnj;
        }
    }
}

static void NAMED(lstm_output_backward)(ptrdiff_t rows, ptrdiff_t H, REAL *tape, ptrdiff_t tape_stride,
                                        const REAL *normalized, ptrdiff_t normalized_stride, const REAL *gain,
                                        const REAL *bias, const REAL *dy, const REAL *dh, REAL *dcell, REAL *dbias) {
    if (dy) {
        NAMED(lstm_output_backward_of)(rows, H, tape, tape_stride, normalized, normalized_stride, gain, bias, dy, dh,
                                       dcell, dbias);
    } else {
        NAMED(lstm_output_backward_of)(rows, H, tape, tape_stride, normalized, normalized_stride, gain, bias, NULL, dh,
                                       dcell, dbias);
    }
}

static void NAMED(lstm_gates_backward)(ptrdiff_t rows, ptrdiff_t H, REAL *tape, ptrdiff_t tape_stride, const REAL *cell,
                                       ptrdiff_t cell_stride, REAL *dc, REAL *dbias) {
    REAL *sum_i = dbias, *sum_f = sum_i + H, *sum_g = sum_f + H, *sum_o = sum_g + H;
    for (ptrdiff_t row = 0; row < rows; row++) {
        REAL *i = tape + row * tape_stride, *f = i + H, *g = f + H;
        const REAL *o = g + H, *c = cell + row * cell_stride;
        REAL *dcr = dc + row * H;
        VECTOR_LOOP
        for (ptrdiff_t j = 0; j < H; j++) {
            REAL ij = i[j], fj = f[j], gj = g[j], e = dcr[j];
            REAL di = e * gj * ij * (1 - ij);
            REAL df = e * c[j] * fj * (1 - fj);
            REAL dg = e * ij * (1 - gj * gj);
            dcr[j] = e * fj;
            i[j] = di;
            f[j] = df;
            g[j] = dg;
            sum_i[j] += di;
            sum_f[j] += df;
            sum_g[j] += dg;
            sum_o[j] += o[j];
        }
    }
}
