# The peers' virtual environment, made where it is missing or has other versions. Sourced by the `run` scripts of
# Benchmarks/peers and Benchmarks/learning; sets `venv`.
#
#   SLUICE_PEERS_VENV      the virtual environment (.venv-peers at the repository's root)
#   SLUICE_PEERS_PYTHON    the Python that makes it (python3)
peers=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=${SLUICE_PEERS_VENV:-$peers/../../.venv-peers}
python=${SLUICE_PEERS_PYTHON:-python3}

fail() {
    echo "peers: $1" >&2
    exit 1
}

[ "$(uname -s)" = Linux ] || fail "only Linux: thread limits and memory figures are taken the Linux way."

if ! cmp -s "$peers/requirements.txt" "$venv/installed-requirements.txt"; then
    command -v "$python" >/dev/null || fail "no '$python'; name one with SLUICE_PEERS_PYTHON."
    "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' ||
        fail "Python 3.11 to 3.13 is needed for the pinned versions; name one with SLUICE_PEERS_PYTHON."
    for tool in cc c++ nm readelf; do
        command -v "$tool" >/dev/null || fail "no '$tool', which PyTorch needs here (Debian: apt-get install g++ binutils)."
    done
    echo "peers: installing into $venv (some 1.5 GB to fetch, 3.7 GB installed)" >&2
    "$python" -m venv "$venv"
    "$venv/bin/pip" install --quiet --no-cache-dir --disable-pip-version-check --no-deps -r "$peers/requirements.txt"
    rm -rf "$venv/lib/cuda-stubs"
    shopt -s nullglob
    "$venv/bin/python" "$peers/cuda_stubs.py" "$venv/lib/cuda-stubs" "$venv"/lib/python3*/site-packages/nvidia/*/lib
    cp "$peers/requirements.txt" "$venv/installed-requirements.txt"
fi
