#define TABLE_F32 sluice_baseline_f32
#define TABLE_F64 sluice_baseline_f64
#include "level.h"
