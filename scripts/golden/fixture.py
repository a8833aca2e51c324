"""What the golden scripts share: random cases, the check of a peer against the equations in NumPy, and saving."""

import json
import struct
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from equations import gru, network, output_size, parameter_shapes, running_steps

TOLERANCE = 1e-12
# The tensors of a case that no gradient is taken for.
CONSTANTS = ("lengths", "dy", "dhn", "dcn")
# Batches of networks: 7 steps, 4 sequences, of equal lengths or not, unsorted, one of a single step.
BATCHES = {"equal": None, "ragged": [3, 7, 1, 5]}

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


def configuration(cell, direction="forward", layers=1, biases="both", **rest):
    """A small network's configuration by the keys of Sluice's; `rest` may be projectionSize."""
    sizes = {"inputSize": 3, "hiddenSize": 5, "layers": layers}
    return {"cell": cell, "direction": direction, "biases": biases} | sizes | rest


def random_network(name, facts, batch, real=np.float64):
    """Inputs, initial states, cotangents and parameters, of numbers that depend on `name` and are exact in `real`."""
    random = np.random.default_rng(list(name.encode()))
    T, B, H = 7, 4, facts["hiddenSize"]
    shapes = parameter_shapes(facts)
    states = (facts["layers"] * sum(name.startswith("weight_ih_l0") for name in shapes), B)

    def normal(*shape, mean=0.0, std=1.0):
        return random.normal(mean, std, size=shape).astype(real).astype(np.float64)

    case = {"x": normal(T, B, facts["inputSize"]), "dy": normal(T, B, output_size(facts))}
    case |= {name: normal(*states, facts.get("projectionSize", H)) for name in ("h0", "dhn")}
    if facts["cell"].startswith("lstm"):
        case |= {name: normal(*states, H) for name in ("c0", "dcn")}
    for name, shape in shapes.items():
        # Gains are around 1. The other parameters spread the gates over most of (0, 1); ReLU must neither run away nor die.
        relu = facts["cell"] == "rnn.relu"
        if name.startswith("gain"):
            case[name] = normal(*shape, mean=1, std=0.3)
        else:
            case[name] = normal(*shape, mean=0.4 if relu and name.startswith("bias") else 0, std=0.4 if relu else 0.7)
    if BATCHES[batch]:
        case["lengths"] = np.array(BATCHES[batch])
        case |= {name: case[name] * running_steps(case)[..., None] for name in ("x", "dy")}
    return case


def reordered(value, before, after, axis=-1):
    """Gates that lie in the order `before`, such as "rzn", brought into the order `after`."""
    parts = dict(zip(before, np.split(value, len(before), axis=axis)))
    return np.concatenate([parts[gate] for gate in after], axis=axis)


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

    def __init__(self, name, source, facts, tensors, tolerance=TOLERANCE):
        self.name, self.tensors, self.tolerance = name, dict(tensors), tolerance
        self.metadata = {"source": source, "command": "scripts/golden/make"} | facts
        self.worst = 0.0

    def check(self, name, expected):
        """Fails unless tensor `name` of the peer is what NumPy expects (relative to the tensor's largest entry)."""
        actual = self.tensors[name]
        assert actual.shape == np.shape(expected), f"{self.name}: {name} is {actual.shape}, not {np.shape(expected)}"
        error = np.abs(actual - expected).max() / np.abs(expected).max()
        assert error <= self.tolerance, f"{self.name}: {name} differs from NumPy by {error:.1e}"
        self.worst = max(self.worst, error)

    def check_all(self, function):
        """Checks the outputs against `function(tensors)`, and every gradient of the sum of each output times its
        cotangent, sum(y dy) + sum(hn dhn) + ..., against complex steps of it."""
        for name, expected in function(self.tensors).items():
            self.check(name, expected)

        def objective(tensors):
            return sum(np.sum(value * tensors[f"d{name}"]) for name, value in function(tensors).items())

        for name in [name for name in self.tensors if name.startswith("grad.")]:
            self.check(name, gradient(objective, self.tensors, name.removeprefix("grad.")))

    def write(self):
        tensors = {name: np.ascontiguousarray(value) for name, value in self.tensors.items()}
        for name, value in tensors.items():
            expected = np.int64 if name == "lengths" else np.float64
            assert value.dtype == expected, f"{self.name}: {name} is {value.dtype}"
        data = save(tensors, self.metadata)
        # The library writes metadata in hash order, which changes from run to run: sort the header.
        (size,) = struct.unpack("<Q", data[:8])
        header = json.dumps(json.loads(data[8 : 8 + size]), sort_keys=True, separators=(",", ":")).encode()
        assert len(header) <= size
        data = data[:8] + header.ljust(size) + data[8 + size :]
        (Path(sys.argv[1]) / f"{self.name}.safetensors").write_bytes(data)
        print(f"{self.name}: {len(data)} bytes, largest disagreement with NumPy {self.worst:.1e}")


def write_gru(name, source, variant, tensors):
    """Checks and writes one GRU layer: outputs and gradients of sum(y dy) + sum(hn dhn)."""
    fixture = Fixture(name, source, {"variant": variant}, tensors)
    fixture.check_all(lambda tensors: gru(variant, tensors))
    fixture.write()


def as_json(facts):
    return json.dumps(facts, sort_keys=True, separators=(",", ":"))


def write_network(name, source, facts, tensors, tolerance=TOLERANCE):
    """Checks and writes a network: its outputs and, where the peer has them, its gradients."""
    metadata = {"sluice.configuration": as_json(facts)}
    fixture = Fixture(name, source, metadata, tensors, tolerance)
    fixture.check_all(lambda tensors: network(facts, tensors))
    fixture.write()
