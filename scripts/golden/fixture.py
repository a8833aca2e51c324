"""What the golden scripts share: random cases, an independent NumPy GRU to check the peers against, and saving.

Shape letters: T steps, B sequences, I inputs, H hidden. Weights have PyTorch's names, layout and gate order r, z, n.
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save

TOLERANCE = 1e-12

# (T, B, I, H), whether an initial state is given. Without one the peer's own zero state is what is tested.
CASES = [
    ((5, 3, 4, 6), True),
    ((7, 1, 3, 5), True),
    ((1, 4, 2, 3), True),
    ((4, 5, 1, 1), True),
    ((9, 8, 16, 17), True),
    ((4, 2, 3, 5), False),
]


def case_name(shape, has_state=True):
    return "T{}B{}I{}H{}".format(*shape) + ("" if has_state else "-zero")


def random_case(shape, std=0.7, has_state=True, recurrent_bias=False):
    """Inputs, weights and cotangents. The default `std` spreads the gates over most of (0, 1)."""
    T, B, I, H = shape
    normal = np.random.default_rng(shape).normal
    case = {
        "x": normal(size=(T, B, I)),
        "h0": normal(size=(B, H)) if has_state else np.zeros((B, H)),
        "dy": normal(size=(T, B, H)),
        "dhn": normal(size=(B, H)),
        "weight_ih_l0": normal(scale=std, size=(3 * H, I)),
        "weight_hh_l0": normal(scale=std, size=(3 * H, H)),
        "bias_ih_l0": normal(scale=std, size=3 * H),
    }
    if recurrent_bias:
        case["bias_hh_l0"] = normal(scale=std, size=3 * H)
    return case


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def gru(variant, tensors, x, h):
    """The equations, written for reading. Returns `y [T, B, H]` and the last states `hn [B, H]`."""
    W_r, W_z, W_n = np.split(tensors["weight_ih_l0"].T, 3, axis=1)
    U_r, U_z, U_n = np.split(tensors["weight_hh_l0"].T, 3, axis=1)
    b_r, b_z, b_n = np.split(tensors["bias_ih_l0"], 3)
    c_r, c_z, c_n = np.split(tensors.get("bias_hh_l0", np.zeros(3 * h.shape[1])), 3)
    lengths = tensors.get("lengths", np.full(x.shape[1], x.shape[0]))
    y = []
    for t, x_t in enumerate(x):
        r = sigmoid(x_t @ W_r + b_r + h @ U_r + c_r)
        z = sigmoid(x_t @ W_z + b_z + h @ U_z + c_z)
        if variant == "resetAfter":
            n = np.tanh(x_t @ W_n + b_n + r * (h @ U_n + c_n))
        else:
            n = np.tanh(x_t @ W_n + b_n + (r * h) @ U_n)
        following = (1 - z) * h + z * n if variant == "chung2014" else z * h + (1 - z) * n
        # A sequence that has ended keeps its state and puts out zeros.
        running = (t < lengths)[:, None]
        y.append(np.where(running, following, 0))
        h = np.where(running, following, h)
    return np.stack(y), h


def gradient(function, tensors, name):
    """d function / d tensors[name] by complex steps: no subtraction, so exact to rounding, and no backward code."""
    step = 1e-30
    value = tensors[name].astype(complex)
    result = np.empty(value.shape)
    for i in np.ndindex(value.shape):
        value[i] += step * 1j
        result[i] = function(tensors | {name: value}).imag / step
        value[i] = value[i].real
    return result


class Fixture:
    """One file: its tensors, and the largest disagreement between peer and NumPy found so far."""

    def __init__(self, name, source, variant, tensors):
        self.name, self.source, self.variant, self.tensors = name, source, variant, dict(tensors)
        self.worst = 0.0

    def check(self, name, expected):
        """Fails unless tensor `name` of the peer is what NumPy expects (relative to the tensor's largest entry)."""
        actual = self.tensors[name]
        assert actual.shape == np.shape(expected), f"{self.name}: {name} is {actual.shape}, not {np.shape(expected)}"
        error = np.abs(actual - expected).max() / np.abs(expected).max()
        assert error <= TOLERANCE, f"{self.name}: {name} differs from NumPy by {error:.1e}"
        self.worst = max(self.worst, error)

    def check_gru(self):
        """Checks y, hn and every gradient of sum(y dy) + sum(hn dhn) against the NumPy GRU."""
        y, hn = gru(self.variant, self.tensors, self.tensors["x"], self.tensors["h0"])
        self.check("y", y)
        self.check("hn", hn)

        def objective(tensors):
            y, hn = gru(self.variant, tensors, tensors["x"], tensors["h0"])
            return np.sum(y * tensors["dy"]) + np.sum(hn * tensors["dhn"])

        for name in [name for name in self.tensors if name.startswith("grad.")]:
            self.check(name, gradient(objective, self.tensors, name.removeprefix("grad.")))

    def write(self):
        tensors = {name: np.ascontiguousarray(value) for name, value in self.tensors.items()}
        for name, value in tensors.items():
            expected = np.int64 if name == "lengths" else np.float64
            assert value.dtype == expected, f"{self.name}: {name} is {value.dtype}"
        metadata = {"source": self.source, "variant": self.variant, "command": "scripts/golden/make"}
        data = save(tensors, metadata)
        # The library writes metadata in hash order, which changes from run to run: sort the header.
        (size,) = struct.unpack("<Q", data[:8])
        header = json.dumps(json.loads(data[8 : 8 + size]), sort_keys=True, separators=(",", ":")).encode()
        assert len(header) <= size
        data = data[:8] + header.ljust(size) + data[8 + size :]
        (Path(sys.argv[1]) / f"{self.name}.safetensors").write_bytes(data)
        print(f"{self.name}: {len(data)} bytes, largest disagreement with NumPy {self.worst:.1e}")
