// The transpose of a matrix in blocks of 8 x 8, which change places within registers: no arithmetic, so that every level gives
// the same.

typedef REAL NAMED(eight) __attribute__((vector_size(8 * sizeof(REAL)), aligned(sizeof(REAL))));

/// target [8, 8] = the transpose of source [8, 8]: pairs of rows exchange elements, then pairs, then halves.
static inline void NAMED(transpose_block)(const REAL *source, ptrdiff_t source_stride, REAL *target,
                                          ptrdiff_t target_stride) {
    NAMED(eight) a[8], b[8];
    for (int i = 0; i < 8; i++) a[i] = *(const NAMED(eight) *)(source + i * source_stride);
    for (int i = 0; i < 8; i += 2) {
        b[i] = __builtin_shufflevector(a[i], a[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        b[i + 1] = __builtin_shufflevector(a[i], a[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
    for (int pair = 0; pair < 4; pair++) {
        int i = pair + pair / 2 * 2; // 0 1 4 5
        a[i] = __builtin_shufflevector(b[i], b[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
        a[i + 2] = __builtin_shufflevector(b[i], b[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
    for (int i = 0; i < 4; i++) {
        b[i] = __builtin_shufflevector(a[i], a[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        b[i + 4] = __builtin_shufflevector(a[i], a[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
    for (int i = 0; i < 8; i++) *(NAMED(eight) *)(target + i * target_stride) = b[i];
}

static void NAMED(transpose)(ptrdiff_t rows, ptrdiff_t columns, const REAL *source, ptrdiff_t source_stride,
                             REAL *target, ptrdiff_t target_stride) {
    ptrdiff_t whole_rows = rows / 8 * 8, whole_columns = columns / 8 * 8;
    for (ptrdiff_t i = 0; i < whole_rows; i += 8) {
        for (ptrdiff_t j = 0; j < whole_columns; j += 8) {
            NAMED(transpose_block)
            (source + i * source_stride + j, source_stride, target + j * target_stride + i, target_stride);
        }
    }
    for (ptrdiff_t i = 0; i < rows; i++) {
        for (ptrdiff_t j = i < whole_rows ? whole_columns : 0; j < columns; j++) {
            target[j * target_stride + i] = source[i * source_stride + j];
        }
    }
}
