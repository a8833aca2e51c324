// Every kernel of one level, for both scalars: a level's .c file chooses the instruction set, names its tables and
// includes this. The bodies are written once, one file a topic.
#include "SluiceKernels.h"
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/// Iterations are independent: an output element may be the input element of the same index, never of another.
#define VECTOR_LOOP _Pragma("clang loop vectorize(assume_safety) interleave(disable)")

/// A body that its callers specialise: those of the backward steps with and without `dy`, as a masked load from nowhere,
/// which is what a vector loop makes of a null pointer's condition, costs 100 cycles.
#define ALWAYS_INLINE inline __attribute__((always_inline))

#define KERNEL_TABLE                                                                                                   \
    {                                                                                                                  \
        .exponential = NAMED(exponential),                                                                             \
        .sigmoid = NAMED(sigmoid),                                                                                     \
        .tanh = NAMED(tanh),                                                                                           \
        .gru_after_forward = NAMED(gru_after_forward),                                                                 \
        .gru_after_backward = NAMED(gru_after_backward),                                                               \
        .gru_before_gates = NAMED(gru_before_gates),                                                                   \
        .gru_before_update = NAMED(gru_before_update),                                                                 \
        .gru_before_update_backward = NAMED(gru_before_update_backward),                                               \
        .gru_before_gates_backward = NAMED(gru_before_gates_backward),                                                 \
        .rnn_forward = NAMED(rnn_forward),                                                                             \
        .rnn_backward = NAMED(rnn_backward),                                                                           \
        .lstm_forward = NAMED(lstm_forward),                                                                           \
        .lstm_backward = NAMED(lstm_backward),                                                                         \
        .lstm_gates = NAMED(lstm_gates),                                                                               \
        .lstm_output = NAMED(lstm_output),                                                                             \
        .lstm_output_backward = NAMED(lstm_output_backward),                                                           \
        .lstm_gates_backward = NAMED(lstm_gates_backward),                                                             \
        .normalize = NAMED(normalize),                                                                                 \
        .normalize_backward = NAMED(normalize_backward),                                                               \
        .adam = NAMED(adam),                                                                                           \
        .sgd = NAMED(sgd),                                                                                             \
        .rms_prop = NAMED(rms_prop),                                                                                   \
        .transpose = NAMED(transpose),                                                                                 \
    }

#include "scalar_float.h"
#include "functions.h"
#include "gru.h"
#include "lstm.h"
#include "normalize.h"
#include "rnn.h"
#include "gradient.h"
#include "adam.h"
#include "sgd.h"
#include "rms_prop.h"
#include "transpose.h"
const sluice_kernels_f32 TABLE_F32 = KERNEL_TABLE;
#include "scalar_end.h"

#include "scalar_double.h"
#include "functions.h"
#include "gru.h"
#include "lstm.h"
#include "normalize.h"
#include "rnn.h"
#include "gradient.h"
#include "adam.h"
#include "sgd.h"
#include "rms_prop.h"
#include "transpose.h"
const sluice_kernels_f64 TABLE_F64 = KERNEL_TABLE;
#include "scalar_end.h"
