// Sluice's element-wise kernels: what happens between two matrix products, and the optimiser's update.
//
// Every kernel exists for each scalar (float, double) and each level of the processor. A table holds the functions of
// one scalar at one level. Shapes stand in square brackets, matrices are row-major without gaps, and no argument
// aliases another unless a line says so.
//
//   rows  sequences in this step          H  hidden units
//   tape  [rows, ...]                     what the step computed and the backward pass reads; GRU: columns n r z q
//   hu    recurrent products h U          bias  in the tape's order
//   A matrix with an argument NAME_stride has its rows that many numbers apart.
#ifndef SLUICE_KERNELS_H
#define SLUICE_KERNELS_H

#include <stddef.h>

/// The instruction sets that the kernels are compiled for, the lowest first.
typedef enum {
    SLUICE_LEVEL_BASELINE = 0, // what the compiler assumes of every processor
    SLUICE_LEVEL_AVX2 = 1,     // AVX2 and FMA
    SLUICE_LEVEL_AVX512 = 2,   // AVX-512 F, DQ, BW, VL
} sluice_level;

/// The highest level that this processor, its operating system and this build can run.
sluice_level sluice_best_level(void);

#define SLUICE_DECLARE_KERNELS(NAME, REAL)                                                                             \
    typedef struct NAME {                                                                                              \
        /* y = exp(x), 1 / (1 + exp(-x)), tanh(x); [count]; y may be x. */                                             \
        void (*_Nonnull exponential)(ptrdiff_t count, const REAL *_Nonnull x, REAL *_Nonnull y);                       \
        void (*_Nonnull sigmoid)(ptrdiff_t count, const REAL *_Nonnull x, REAL *_Nonnull y);                           \
        void (*_Nonnull tanh)(ptrdiff_t count, const REAL *_Nonnull x, REAL *_Nonnull y);                              \
                                                                                                                       \
        /* GRU, reset after the product; one step.                                                                     \
             r, z = s(tape + hu + bias)   q = hu_n + c   n = tanh(tape_n + b_n + r q)   h' = z h + (1 - z) n           \
           tape [rows, 4H]: in columns n r z x W; out n r z q.  hu [rows, 3H]: columns r z n.                          \
           previous, next [rows, H]; next may be previous. */                                                          \
        void (*_Nonnull gru_after_forward)(ptrdiff_t rows, ptrdiff_t H, REAL *_Nonnull tape, ptrdiff_t tape_stride,    \
                                           const REAL *_Nonnull hu, const REAL *_Nonnull bias,                         \
                                           const REAL *_Nonnull previous, REAL *_Nonnull next);                        \
        /* Its backward step: the tape's n r z q become the gradients of n, r, z before their functions and of hu_n,       \
           dbias [4H] += their sums over the rows.                                                                     \
           dy [rows, H] or null: gradient of h' as an output.  dh [rows, H]: in dh' of the later steps,                \
           out the part of dh that does not pass through U: (dh' + dy) z. */                                           \
        void (*_Nonnull gru_after_backward)(ptrdiff_t rows, ptrdiff_t H, REAL *_Nonnull tape, ptrdiff_t tape_stride,   \
                                            const REAL *_Nonnull previous, const REAL *_Nullable dy,                   \
                                            REAL *_Nonnull dh, REAL *_Nonnull dbias);                                  \
                                                                                                                       \
        /* GRU, reset before the product; a step in two halves, as the candidate's product needs r h.                  \
             r, z = s(tape + hu + bias)   q = r h                                                                      \
           tape [rows, 4H]: in columns r z x W; out r z q.  hu [rows, 2H]: columns r z. */                             \
        void (*_Nonnull gru_before_gates)(ptrdiff_t rows, ptrdiff_t H, REAL *_Nonnull tape, const REAL *_Nonnull hu,   \
                                          const REAL *_Nonnull bias, const REAL *_Nonnull previous);                   \
        /*   n = tanh(tape_n + hu + b_n)   h' = z h + (1 - z) n, or with flipped update (1 - z) h + z n                \
           tape: in column n x W; out n.  hu [rows, H].  next may be previous. */                                      \
        void (*_Nonnull gru_before_update)(ptrdiff_t rows, ptrdiff_t H, int flipped, REAL *_Nonnull tape,              \
                                           const REAL *_Nonnull hu, const REAL *_Nonnull bias,                         \
                                           const REAL *_Nonnull previous, REAL *_Nonnull next);                        \
        /* Its backward step, the second half first: n z become their gradients before their functions,                \
           dbias += their sums; dh out: the part that passes neither through U nor through r h. dy as above. */        \
        void (*_Nonnull gru_before_update_backward)(ptrdiff_t rows, ptrdiff_t H, int flipped, REAL *_Nonnull tape,     \
                                                    const REAL *_Nonnull previous, const REAL *_Nullable dy,           \
                                                    REAL *_Nonnull dh, REAL *_Nonnull dbias);                          \
        /* Then, given dq [rows, H] = dn U_n^T: r becomes its gradient before its function, dbias += its sums,         \
           dh += dq r. Column q keeps r h, which the gradient of U_n needs. */                                         \
        void (*_Nonnull gru_before_gates_backward)(ptrdiff_t rows, ptrdiff_t H, REAL *_Nonnull tape,                   \
                                                   const REAL *_Nonnull previous, const REAL *_Nonnull dq,             \
                                                   REAL *_Nonnull dh, REAL *_Nonnull dbias);                           \
                                                                                                                       \
        /* LSTM, one step.  gates = tape + bias [+ peepholes * cell]   c' = f c + i g   output = o tanh(c')            \
           tape [rows, 4H]: in columns i f g o x W + h U; out the gates.  bias [4H] in that order, peepholes [3H] of i f o\
           or null.  cell, next_cell, output [rows, H]; next_cell may be cell. */                                      \
        void (*_Nonnull lstm_forward)(ptrdiff_t rows, ptrdiff_t H, REAL *_Nonnull tape, ptrdiff_t tape_stride,         \
                                      const REAL *_Nonnull bias, const REAL *_Nullable peepholes,                      \
                                      const REAL *_Nonnull cell, ptrdiff_t cell_stride, REAL *_Nonnull next_cell,      \
                                      ptrdiff_t next_cell_stride, REAL *_Nonnull output, ptrdiff_t output_stride);     \
        /* Its backward step: the gates become their gradients before their functions, dbias [4H] and dpeepholes [3H] +=\
           sums over the rows.  dy [rows, H] or null, dh [rows, H]: gradients of the output.  dc [rows, H]: in the     \
           gradient of c' from later steps, out that of c. */                                                          \
        void (*_Nonnull lstm_backward)(ptrdiff_t rows, ptrdiff_t H, REAL *_Nonnull tape, ptrdiff_t tape_stride,        \
                                       const REAL *_Nullable peepholes, const REAL *_Nonnull cell,                     \
                                       ptrdiff_t cell_stride, const REAL *_Nonnull next_cell,                          \
                                       ptrdiff_t next_cell_stride, const REAL *_Nullable dy, const REAL *_Nonnull dh,  \
                                       REAL *_Nonnull dc, REAL *_Nonnull dbias, REAL *_Nullable dpeepholes);           \
        /* The step in parts, for a layer-normalised cell state: gates and c'; output = o tanh(cell + bias), cell and  \
           bias being the scaled, normalised c' and its bias [H]. */                                                   \
        void (*_Nonnull lstm_gates)(ptrdiff_t rows, ptrdiff_t H, REAL *_Nonnull tape, ptrdiff_t tape_stride,           \
                                    const REAL *_Nonnull bias, const REAL *_Nonnull cell, ptrdiff_t cell_stride,       \
                                    REAL *_Nonnull next_cell, ptrdiff_t next_cell_stride);                             \
        void (*_Nonnull lstm_output)(ptrdiff_t rows, ptrdiff_t H, const REAL *_Nonnull tape, ptrdiff_t tape_stride,    \
                                     const REAL *_Nonnull cell, const REAL *_Nonnull bias, REAL *_Nonnull output,      \
                                     ptrdiff_t output_stride);                                                         \
        /* Their backward steps. First o becomes its gradient and dcell [rows, H] that of gain * normalized + bias, dbias\
           [H] += its sums; then i f g become theirs, dc as above, dbias [4H] += the sums of all four. */              \
        void (*_Nonnull lstm_output_backward)(ptrdiff_t rows, ptrdiff_t H, REAL *_Nonnull tape, ptrdiff_t tape_stride, \
                                              const REAL *_Nonnull normalized, ptrdiff_t normalized_stride,            \
                                              const REAL *_Nonnull gain, const REAL *_Nonnull bias,                    \
                                              const REAL *_Nullable dy, const REAL *_Nonnull dh, REAL *_Nonnull dcell, \
                                              REAL *_Nonnull dbias);                                                   \
        void (*_Nonnull lstm_gates_backward)(ptrdiff_t rows, ptrdiff_t H, REAL *_Nonnull tape, ptrdiff_t tape_stride,  \
                                             const REAL *_Nonnull cell, ptrdiff_t cell_stride, REAL *_Nonnull dc,      \
                                             REAL *_Nonnull dbias);                                                    \
                                                                                                                       \
        /* RNN, one step.  h' = f(tape + bias), f tanh, or max(0, .) if relu; to tape [rows, H] and next [rows, H].    \
           Backward: the tape becomes the gradient of what f was taken of, dbias [H] += its sums; dy, dh as above. */  \
        void (*_Nonnull rnn_forward)(ptrdiff_t rows, ptrdiff_t H, int relu, REAL *_Nonnull tape,                       \
                                     const REAL *_Nonnull bias, REAL *_Nonnull next);                                  \
        void (*_Nonnull rnn_backward)(ptrdiff_t rows, ptrdiff_t H, int relu, REAL *_Nonnull tape,                      \
                                      const REAL *_Nullable dy, const REAL *_Nonnull dh, REAL *_Nonnull dbias);        \
                                                                                                                       \
        /* Layer normalisation of rows of n.  normalized = (values - mean) scale   values = gain * normalized,         \
           scale = 1 / sqrt(variance + 1e-5), one a row.                                                               \
           Backward: dx = scale (d - mean(d) - normalized mean(d * normalized)), d = gain * dvalues; dgain [n] += the sums\
           of dvalues * normalized.  dx may be dvalues or normalized. */                                               \
        void (*_Nonnull normalize)(ptrdiff_t rows, ptrdiff_t n, REAL *_Nonnull values, ptrdiff_t values_stride,        \
                                   const REAL *_Nonnull gain, REAL *_Nonnull normalized, ptrdiff_t normalized_stride,  \
                                   REAL *_Nonnull scale, ptrdiff_t scale_stride);                                      \
        void (*_Nonnull normalize_backward)(ptrdiff_t rows, ptrdiff_t n, const REAL *_Nonnull dvalues,                 \
                                            ptrdiff_t dvalues_stride, const REAL *_Nonnull normalized,                 \
                                            ptrdiff_t normalized_stride, const REAL *_Nonnull scale,                   \
                                            ptrdiff_t scale_stride, const REAL *_Nonnull gain, REAL *_Nonnull dx,      \
                                            ptrdiff_t dx_stride, REAL *_Nonnull dgain);                                \
                                                                                                                       \
        /* The optimisers; all arrays [count]. constants 0 1 2 are scale limit decay, and the gradient followed is     \
             g' = max(-limit, min(limit, scale g)) + decay p                                                           \
           Adam, with constants 3...: keep rate b1 b2 root epsilon                                                     \
             m = b1 m + (1-b1) g'   v = b2 v + (1-b2) g'^2   peak = max(peak, v), or v where peak is null              \
             p = keep p - rate m / (root sqrt(peak) + epsilon) */                                                      \
        void (*_Nonnull adam)(ptrdiff_t count, const REAL *_Nonnull constants, REAL *_Nonnull p,                       \
                              const REAL *_Nonnull g, REAL *_Nonnull m, REAL *_Nonnull v, REAL *_Nullable peak);       \
        /* Gradient descent, with constants 3...: rate momentum                                                        \
             u = momentum u + g', or g' where velocity is null                                                         \
             p -= rate u, or with nesterov p -= rate (g' + momentum u) */                                              \
        void (*_Nonnull sgd)(ptrdiff_t count, const REAL *_Nonnull constants, int nesterov, REAL *_Nonnull p,          \
                             const REAL *_Nonnull g, REAL *_Nullable velocity);                                        \
        /* RMSProp, with constants 3...: rate gain a inner outer momentum                                              \
             v = a v + (1-a) g'^2   w = gain g' / (sqrt(v + inner) + outer)                                            \
             u = momentum u + w, or w where velocity is null   p -= rate u */                                          \
        void (*_Nonnull rms_prop)(ptrdiff_t count, const REAL *_Nonnull constants, REAL *_Nonnull p,                   \
                                  const REAL *_Nonnull g, REAL *_Nonnull v, REAL *_Nullable velocity);                 \
                                                                                                                       \
        /* target [columns, rows] = the transpose of source [rows, columns]. */                                        \
        void (*_Nonnull transpose)(ptrdiff_t rows, ptrdiff_t columns, const REAL *_Nonnull source,                     \
                                   ptrdiff_t source_stride, REAL *_Nonnull target, ptrdiff_t target_stride);           \
    } NAME

SLUICE_DECLARE_KERNELS(sluice_kernels_f32, float);
SLUICE_DECLARE_KERNELS(sluice_kernels_f64, double);

/// The table of one level; the level must not be above `sluice_best_level()`.
const sluice_kernels_f32 *_Nonnull sluice_kernels_f32_at(sluice_level level);
const sluice_kernels_f64 *_Nonnull sluice_kernels_f64_at(sluice_level level);

/// Tells the processor that this is a waiting loop.
static inline void sluice_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
