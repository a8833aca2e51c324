// OpenBLAS as Sluice sees it: the products (CBLAS), the QR factorisation (LAPACKE) and OpenBLAS's own calls about its
// threads and its chosen kernels, which cblas.h declares too.
#ifndef SLUICE_COPENBLAS_SHIM_H
#define SLUICE_COPENBLAS_SHIM_H

#include <cblas.h>
#include <lapacke.h>

#endif
