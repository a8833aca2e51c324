"""Lets PyPI's PyTorch for Linux x86-64 load without the 3 GB of CUDA packages that it depends on.

PyPI has one PyTorch for Linux x86-64, built for CUDA, and the dynamic loader wants the CUDA libraries before a line runs,
though the CPU never calls them. `run` therefore installs PyTorch without its dependencies, the two small CUDA packages that
are really called (to find that there is no GPU), and makes an empty stand-in for each of the other libraries: a shared
object of that name with the symbols and symbol versions that PyTorch's libraries want from it, and nothing in it.
What PyTorch computes on the CPU, and how fast, does not depend on it.

    python cuda_stubs.py FOLDER [SEARCHED...]    writes the missing libraries to FOLDER; needs cc, nm and readelf
"""

import importlib.util
import os
import pathlib
import re
import subprocess
import sys


def output(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=True, **options).stdout


def missing_libraries(libraries, searched):
    """Names that the libraries need and the loader does not find."""
    environment = dict(os.environ, LD_LIBRARY_PATH=":".join(searched))
    lines = [line for library in libraries for line in output("ldd", str(library), env=environment).splitlines()]
    return sorted({line.split()[0] for line in lines if "not found" in line})


def wanted_symbols(libraries, missing):
    """Library -> version -> symbols that are wanted from it; version "" for those without one, found by their prefix."""
    wanted = {name: {"": set()} for name in missing}
    for library in libraries:
        symbols = [line.split()[-1] for line in output("nm", "-D", "--undefined-only", str(library)).splitlines()]
        for name in missing:
            prefix = name.removeprefix("lib").split(".")[0].lower()
            wanted[name][""].update(s for s in symbols if "@" not in s and s.lower().startswith(prefix))
        name = None
        for line in output("readelf", "-V", "-W", str(library)).splitlines():
            if found := re.search(r"File: (\S+)", line):
                name = found[1]
            elif (found := re.search(r"Name: (\S+)", line)) and name:
                versions = wanted.setdefault(name, {})
                versions.setdefault(found[1], set()).update(s.split("@")[0] for s in symbols if s.endswith("@" + found[1]))
    return wanted


def write_stub(folder, name, versions):
    source = "\n".join(f"char {symbol}[64];" for symbol in sorted(set().union(*versions.values())))
    script = folder / (name + ".map")
    script.write_text("".join(
        f"{version} {{ {' '.join(s + ';' for s in sorted(symbols)) or '*;'} }};\n" 
        for version, symbols in versions.items() if version))
    options = [f"-Wl,--version-script={script}"] if script.stat().st_size else []
    subprocess.run(
        ["cc", "-shared", "-fPIC", f"-Wl,-soname,{name}", *options, "-o", str(folder / name), "-x", "c", "-"],
        input=source, text=True, check=True)
    script.unlink()


def main(folder, *searched):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    torch = pathlib.Path(importlib.util.find_spec("torch").origin).parent / "lib"  # found, not imported
    names = "libtorch_python.so", "libtorch_cuda.so", "libtorch_nvshmem.so", "libtorch_cuda_linalg.so"
    libraries = [torch / name for name in names if (torch / name).exists()]
    missing = missing_libraries(libraries, [str(torch), *searched])
    wanted = wanted_symbols(libraries, missing)
    for name in missing:
        write_stub(folder, name, wanted[name])


if __name__ == "__main__":
    main(*sys.argv[1:])
