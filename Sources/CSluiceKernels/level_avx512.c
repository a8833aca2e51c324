#if defined(__x86_64__)
#define TABLE_F32 sluice_avx512_f32
#define TABLE_F64 sluice_avx512_f64
// min_vector_width: without it the compiler keeps to 256-bit vectors.
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma"), min_vector_width(512))), apply_to = function)
#include "level.h"
#pragma clang attribute pop
#endif
