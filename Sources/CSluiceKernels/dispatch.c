// Which level this processor can run, and the table of a level.
#include "SluiceKernels.h"

extern const sluice_kernels_f32 sluice_baseline_f32, sluice_avx2_f32, sluice_avx512_f32;
extern const sluice_kernels_f64 sluice_baseline_f64, sluice_avx2_f64, sluice_avx512_f64;

#if defined(__x86_64__)

sluice_level sluice_best_level(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl"))
        return SLUICE_LEVEL_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return SLUICE_LEVEL_AVX2;
    return SLUICE_LEVEL_BASELINE;
}

const sluice_kernels_f32 *sluice_kernels_f32_at(sluice_level level) {
    const sluice_kernels_f32 *tables[] = {&sluice_baseline_f32, &sluice_avx2_f32, &sluice_avx512_f32};
    return tables[level];
}

const sluice_kernels_f64 *sluice_kernels_f64_at(sluice_level level) {
    const sluice_kernels_f64 *tables[] = {&sluice_baseline_f64, &sluice_avx2_f64, &sluice_avx512_f64};
    return tables[level];
}

#else

sluice_level sluice_best_level(void) { return SLUICE_LEVEL_BASELINE; }
const sluice_kernels_f32 *sluice_kernels_f32_at(sluice_level level) { return &sluice_baseline_f32; }
const sluice_kernels_f64 *sluice_kernels_f64_at(sluice_level level) { return &sluice_baseline_f64; }

#endif
