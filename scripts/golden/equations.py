"""The equations of every cell and network in NumPy, written for reading: what the peers are checked against.

Shape letters: T steps, B sequences, I inputs, H hidden, G gates, D directions, P what a layer hands on in one direction
(H, or `projectionSize`). Weights have PyTorch's names, layout and gate orders: GRU r, z, n, LSTM i, f, g, o.
A configuration is a dictionary with the keys of Sluice's Configuration.
"""

import numpy as np

EPSILON = 1e-5
GATES = {"gru": 3, "lstm": 4, "rnn": 1}
# The ends of the parameters' names, by direction.
SUFFIXES = {
    "forward": [""],
    "backward": [""],
    "bidirectional": ["", "_reverse"],
    "bidirectionalSum": ["", "_reverse"],
}


def family(configuration):
    return configuration["cell"].split(".")[0]


def handed_on(configuration):
    """P"""
    return configuration.get("projectionSize", configuration["hiddenSize"])


def output_size(configuration):
    return handed_on(configuration) * (2 if configuration["direction"] == "bidirectional" else 1)


def layer_shapes(configuration, inputs):
    """Names without their ends, and shapes, of one direction of a layer that reads `inputs` numbers."""
    H, P = configuration["hiddenSize"], handed_on(configuration)
    GH = GATES[family(configuration)] * H
    shapes = {"weight_ih": (GH, inputs), "weight_hh": (GH, P)}
    if configuration["biases"] != "none":
        shapes["bias_ih"] = (GH,)
    if configuration["biases"] == "both":
        shapes["bias_hh"] = (GH,)
    if configuration["cell"] == "lstm.peephole":
        shapes["weight_ph"] = (3 * H,)
    if configuration["cell"].endswith("layerNormalized"):
        shapes |= {"gain_ih": (GH,), "gain_hh": (GH,)}
        if family(configuration) == "lstm":
            shapes |= {"gain_ch": (H,), "bias_ch": (H,)}
    if "projectionSize" in configuration:
        shapes["weight_hr"] = (P, H)
    return shapes


def parameter_shapes(configuration):
    result = {}
    inputs = configuration["inputSize"]
    for layer in range(configuration["layers"]):
        for suffix in SUFFIXES[configuration["direction"]]:
            shapes = layer_shapes(configuration, inputs)
            result |= {f"{name}_l{layer}{suffix}": shape for name, shape in shapes.items()}
        inputs = output_size(configuration)
    return result


def layer_parameters(configuration, tensors, layer, suffix):
    return {name: tensors[f"{name}_l{layer}{suffix}"] for name in layer_shapes(configuration, 0)}


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def normalized(a):
    """Mean 0 and (biased) variance 1 along each row."""
    a = a - a.mean(axis=-1, keepdims=True)
    return a / np.sqrt((a**2).mean(axis=-1, keepdims=True) + EPSILON)


def product(w, side, value, groups=()):
    """`value` times the weight, with the bias; in a cell with gains normalised, in groups split at these columns."""
    a = value @ w[f"weight_{side}"].T
    if f"gain_{side}" in w:
        parts = [normalized(part) for part in np.split(a, groups, axis=-1)]
        a = w[f"gain_{side}"] * np.concatenate(parts, axis=-1)
    return a + w.get(f"bias_{side}", 0)


# A step's `read` is what the products with U read of the state h: h itself, unless some of it is dropped.


def gru_step(cell, w, x, read, h):
    groups = [2 * h.shape[-1]]  # r and z together, n
    a_r, a_z, a_n = np.split(product(w, "ih", x, groups), 3, axis=-1)
    b_r, b_z, b_n = np.split(product(w, "hh", read, groups), 3, axis=-1)
    r, z = sigmoid(a_r + b_r), sigmoid(a_z + b_z)
    if cell in ("gru.chung2014", "gru.resetBefore"):
        n = np.tanh(a_n + np.split(product(w, "hh", r * read), 3, axis=-1)[2])
    else:
        n = np.tanh(a_n + r * b_n)
    return ((1 - z) * h + z * n,) if cell == "gru.chung2014" else (z * h + (1 - z) * n,)


def lstm_step(cell, w, x, read, h, c):
    i, f, g, o = np.split(product(w, "ih", x) + product(w, "hh", read), 4, axis=-1)
    p_i, p_f, p_o = np.split(w["weight_ph"], 3) if cell == "lstm.peephole" else (0, 0, 0)
    c = sigmoid(f + p_f * c) * c + sigmoid(i + p_i * c) * np.tanh(g)
    read = w["gain_ch"] * normalized(c) + w["bias_ch"] if cell == "lstm.layerNormalized" else c
    h = sigmoid(o + p_o * c) * np.tanh(read)
    return (h @ w["weight_hr"].T if "weight_hr" in w else h), c


def rnn_step(cell, w, x, read, h):
    a = product(w, "ih", x) + product(w, "hh", read)
    return (np.tanh(a) if cell == "rnn.tanh" else np.where(a.real > 0, a, 0),)


STEPS = {"gru": gru_step, "lstm": lstm_step, "rnn": rnn_step}


def scan(configuration, w, x, state, running, backward, recurrent=None, kept=()):
    """One direction of a layer. Returns `y [T, B, P]` and the last state. `running [T, B]` says where a step is real.

    `recurrent [B, P]` multiplies what U reads, and `kept`, for each of the states [T, B, P or H], is true where a step
    leaves the state as it was."""
    step = STEPS[family(configuration)]
    y = [None] * len(x)
    for t in reversed(range(len(x))) if backward else range(len(x)):
        read = state[0] if recurrent is None else recurrent * state[0]
        following = step(configuration["cell"], w, x[t], read, *state)
        if kept:
            following = [np.where(keep[t], old, new) for keep, old, new in zip(kept, state, following)]
        # Outside its steps a sequence keeps its state and puts out zeros.
        here = running[t][:, None]
        y[t] = np.where(here, following[0], 0)
        state = [np.where(here, new, old) for new, old in zip(following, state)]
    return np.stack(y), state


def running_steps(tensors):
    """[T, B]: where a step belongs to its sequence."""
    T, B = tensors["x"].shape[:2]
    return np.arange(T)[:, None] < tensors.get("lengths", np.full(B, T))


def network(configuration, tensors, masks=None):
    """Returns `y [T, B, output]`, `hn [layers D, B, P]` and for an LSTM `cn [layers D, B, H]`; with `masks` of the network
    in training, as masks.py has them."""
    direction = configuration["direction"]
    running, y = running_steps(tensors), tensors["x"]
    initial = [tensors[name] for name in ("h0", "c0") if name in tensors]
    last = []
    for layer in range(configuration["layers"]):
        outputs = []
        if masks:
            y = masks.inputs(layer, y.shape[-1]) * y
        for suffix in SUFFIXES[direction]:
            w = layer_parameters(configuration, tensors, layer, suffix)
            backward = direction == "backward" or suffix == "_reverse"
            left_out = masks.states(len(last), backward) if masks else ()
            initial_state = [value[len(last)] for value in initial]
            output, state = scan(configuration, w, y, initial_state, running, backward, *left_out)
            outputs.append(output)
            last.append(state)
        y = sum(outputs) if direction == "bidirectionalSum" else np.concatenate(outputs, axis=-1)
    return {"y": y} | dict(zip(("hn", "cn"), (np.stack(values) for values in zip(*last))))


def gru(variant, tensors):
    """One forward GRU layer whose states have no axis for layers: `y [T, B, H]`, `hn [B, H]`."""
    configuration = {"cell": f"gru.{variant}", "hiddenSize": tensors["h0"].shape[-1], "layers": 1, "direction": "forward"}
    configuration["biases"] = "both" if "bias_hh_l0" in tensors else "input"
    result = network(configuration, tensors | {"h0": tensors["h0"][None]})
    return {"y": result["y"], "hn": result["hn"][0]}
