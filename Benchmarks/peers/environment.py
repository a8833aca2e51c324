"""The environment of a process that is measured."""

import os
import pathlib
import sys

# Variables that choose kernels, threads or precision for a system: workers start without them, each system as it is by
# default.
DROPPED_PREFIXES = ("OPENBLAS", "GOTO", "OMP_", "GOMP_", "KMP_", "MKL_", "DNNL_", "ONEDNN_", "XLA_", "TF_", "JAX_", "ORT_",
                    "OV_", "TORCH", "ATEN_", "NPY_", "KERAS_", "BLAS_", "LD_PRELOAD", "MALLOC_")


def library_path():
    """Where PyTorch finds its libraries, or what stands for them: cuda_stubs.py."""
    prefix = pathlib.Path(sys.prefix)
    libraries = [prefix / "lib/cuda-stubs", *prefix.glob("lib/python3*/site-packages/nvidia/*/lib")]
    return ":".join(str(folder) for folder in libraries if folder.is_dir())


def environment(threads):
    kept = {key: value for key, value in os.environ.items() if not key.startswith(DROPPED_PREFIXES)}
    return kept | {
        "SLUICE_PEERS_THREADS": str(threads), "OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads),
        "CUDA_VISIBLE_DEVICES": "", "PYTHONDONTWRITEBYTECODE": "1", "LD_LIBRARY_PATH": library_path(),
    }
