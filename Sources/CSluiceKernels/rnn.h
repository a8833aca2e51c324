// The simple recurrent network's fused steps. Contracts: include/SluiceKernels.h. Equations: Cells/RNN.swift.

static void NAMED(rnn_forward)(ptrdiff_t rows, ptrdiff_t H, int relu, REAL *tape, const REAL *bias, REAL *next) {
    for (ptrdiff_t row = 0; row < rows; row++) {
        REAL *a = tape + row * H, *out = next + row * H;
        VECTOR_LOOP
        for (ptrdiff_t j = 0; j < H; j++) {
            REAL x = a[j] + bias[j];
            REAL h = relu ? (x < 0 ? 0 : x) : NAMED(tanh_value)(x);
            a[j] = h;
            out[j] = h;
        }
    }
}

static ALWAYS_INLINE void NAMED(rnn_backward_of)(ptrdiff_t rows, ptrdiff_t H, int relu, REAL *tape, const REAL *dy,
                                                 const REAL *dh, REAL *dbias) {
    for (ptrdiff_t row = 0; row < rows; row++) {
        REAL *a = tape + row * H;
        VECTOR_LOOP
        for (ptrdiff_t j = 0; j < H; j++) {
            REAL d = dy ? dh[row * H + j] + dy[row * H + j] : dh[row * H + j];
            REAL h = a[j];
            REAL da = relu ? (h <= 0 ? 0 : d) : d * (1 - h * h);
            a[j] = da;
            dbias[j] += da;
        }
    }
}

static void NAMED(rnn_backward)(ptrdiff_t rows, ptrdiff_t H, int relu, REAL *tape, const REAL *dy, const REAL *dh,
                                REAL *dbias) {
    if (dy) {
        NAMED(rnn_backward_of)(rows, H, relu, tape, dy, dh, dbias);
    } else {
        NAMED(rnn_backward_of)(rows, H, relu, tape, NULL, dh, dbias);
    }
}
