"""Golden fixtures of PyTorch's networks in float64, and of cells that it has not, built of its operations.

The modules nn.GRU, nn.LSTM and nn.RNN run whole batches, ragged ones through pack_padded_sequence. The built cells run
each sequence by itself, without padding. Gradients are autograd's.
"""

from functools import partial
from itertools import product as combinations

import torch
from torch import nn
from torch.nn.functional import layer_norm, linear
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from equations import EPSILON, SUFFIXES, layer_parameters
from fixture import BATCHES, CONSTANTS, configuration, random_network, write_network

# The local label (+cpu, +cu130) says how the wheel was built; it would only make the bytes depend on it.
VERSION = f"torch {torch.__version__.split('+')[0]}"
STATES = ("h0", "c0")


def leaves_of(case):
    return {name: torch.from_numpy(value).requires_grad_() for name, value in case.items() if name not in CONSTANTS}


# Modules of PyTorch.

MODULES = {
    "gru.resetAfter": nn.GRU,
    "lstm.standard": nn.LSTM,
    "rnn.tanh": partial(nn.RNN, nonlinearity="tanh"),
    "rnn.relu": partial(nn.RNN, nonlinearity="relu"),
}


def run_module(facts, case):
    """Returns the leaves of the graph, and its outputs `y`, `hn` (and `cn`)."""
    module = MODULES[facts["cell"]](
        facts["inputSize"],
        facts["hiddenSize"],
        num_layers=facts["layers"],
        bias=facts["biases"] == "both",
        bidirectional=facts["direction"] == "bidirectional",
        dtype=torch.float64,
        **({"proj_size": facts["projectionSize"]} if "projectionSize" in facts else {}),
    )
    leaves = leaves_of(case)
    module.load_state_dict({name: leaves[name].detach() for name, _ in module.named_parameters()})
    leaves |= module.named_parameters()
    state = tuple(leaves[name] for name in STATES if name in leaves)
    x = leaves["x"]
    if "lengths" in case:
        x = pack_padded_sequence(x, torch.from_numpy(case["lengths"]), enforce_sorted=False)
    y, last = module(x, state if len(state) == 2 else state[0])
    if "lengths" in case:
        y, _ = pad_packed_sequence(y)
    return leaves, {"y": y} | dict(zip(("hn", "cn"), last if len(state) == 2 else [last]))


# Cells built of operations: a step of one sequence, `x [I]`, `h [P]`, `c [H]`.


def product(w, side, value, *groups):
    """`value` times the weight, with the bias; in a cell with gains each of these groups of columns normalised."""
    weight, bias, gain = (w.get(f"{name}_{side}") for name in ("weight", "bias", "gain"))
    if gain is None:
        return linear(value, weight, bias)
    parts = zip(*(tensor.split(groups) for tensor in (linear(value, weight), gain, bias)))
    return torch.cat([layer_norm(a, a.shape, g, b, EPSILON) for a, g, b in parts])


def gru_reset_before(w, x, h):
    a_r, a_z, a_n = product(w, "ih", x).chunk(3)
    b_r, b_z, _ = product(w, "hh", h).chunk(3)
    r, z = torch.sigmoid(a_r + b_r), torch.sigmoid(a_z + b_z)
    n = torch.tanh(a_n + linear(r * h, w["weight_hh"].chunk(3)[2], w["bias_hh"].chunk(3)[2]))
    return (torch.lerp(n, h, z),)


def gru_layer_normalized(w, x, h):
    groups = [2 * len(h), len(h)]
    a_r, a_z, a_n = product(w, "ih", x, *groups).chunk(3)
    b_r, b_z, b_n = product(w, "hh", h, *groups).chunk(3)
    r, z = torch.sigmoid(a_r + b_r), torch.sigmoid(a_z + b_z)
    return (torch.lerp(torch.tanh(a_n + r * b_n), h, z),)


def lstm(w, x, h, c):
    """With peepholes or layer normalisation, where the cell has their parameters; with or without a projection."""
    i, f, g, o = (product(w, "ih", x, 4 * len(c)) + product(w, "hh", h, 4 * len(c))).chunk(4)
    p_i, p_f, p_o = w["weight_ph"].chunk(3) if "weight_ph" in w else (0, 0, 0)
    c = torch.sigmoid(f + p_f * c) * c + torch.sigmoid(i + p_i * c) * torch.tanh(g)
    read = layer_norm(c, c.shape, w["gain_ch"], w["bias_ch"], EPSILON) if "gain_ch" in w else c
    h = torch.sigmoid(o + p_o * c) * torch.tanh(read)
    return (linear(h, w["weight_hr"]) if "weight_hr" in w else h), c


CELLS = {
    "gru.resetBefore": gru_reset_before,
    "gru.layerNormalized": gru_layer_normalized,
    "lstm.peephole": lstm,
    "lstm.layerNormalized": lstm,
}


def run_sequence(cell, w, x, state):
    """Over `x [T, I]`. Returns `y [T, P]` and the last state."""
    y = []
    for x_t in x:
        state = cell(w, x_t, *state)
        y.append(state[0])
    return torch.stack(y), state


def run_built(facts, case):
    """Returns the leaves of the graph, and its outputs `y`, `hn` (and `cn`)."""
    leaves = leaves_of(case)
    T, B = case["x"].shape[:2]
    sequences = [leaves["x"][:length, b] for b, length in enumerate(case.get("lengths", [T] * B))]
    initial = [leaves[name] for name in STATES if name in leaves]
    last = []  # [layers D][state][B, P or H]
    for layer in range(facts["layers"]):
        outputs = []  # [D][B][steps, P]
        for suffix in SUFFIXES[facts["direction"]]:
            w = layer_parameters(facts, leaves, layer, suffix)
            turn = (lambda steps: steps.flip(0)) if suffix else (lambda steps: steps)
            ran = [
                run_sequence(CELLS[facts["cell"]], w, turn(x), [value[len(last), b] for value in initial])
                for b, x in enumerate(sequences)
            ]
            outputs.append([turn(y) for y, _ in ran])
            last.append([torch.stack(values) for values in zip(*(state for _, state in ran))])
        sequences = [torch.cat(parts, dim=-1) for parts in zip(*outputs)]
    return leaves, {"y": pad_sequence(sequences)} | dict(zip(("hn", "cn"), map(torch.stack, zip(*last))))


def write(name, source, run, facts, batch):
    case = random_network(name, facts, batch)
    leaves, outputs = run(facts, case)
    objective = sum((value * torch.from_numpy(case[f"d{name}"])).sum() for name, value in outputs.items())
    gradients = torch.autograd.grad(objective, list(leaves.values()))
    case |= {name: value.detach().numpy() for name, value in outputs.items()}
    case |= {f"grad.{name}": value.numpy() for name, value in zip(leaves, gradients)}
    write_network(name, f"{VERSION} {source}", facts, case)


def write_module(cell, name, source, **options):
    directions = {"one": "forward", "both": "bidirectional"}
    for layers, (some, direction), batch in combinations((1, 3), directions.items(), BATCHES):
        facts = configuration(cell, direction, layers, **options)
        write(f"pytorch-{name}-L{layers}-{some}-{batch}", source, run_module, facts, batch)


def write_built(cell, name, **options):
    for layers, some, direction, batch in ((1, "one", "forward", "ragged"), (2, "both", "bidirectional", "equal")):
        facts = configuration(cell, direction, layers, **options)
        write(f"pytorch-{name}-L{layers}-{some}-{batch}", f"operations, {cell}", run_built, facts, batch)


torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

write_module("gru.resetAfter", "gru.resetAfter", "nn.GRU")
write_module("lstm.standard", "lstm.standard", "nn.LSTM")
write_module("lstm.standard", "lstm.projection", "nn.LSTM(proj_size=2)", projectionSize=2)
write_module("rnn.tanh", "rnn.tanh", "nn.RNN")
write_module("rnn.relu", "rnn.relu", "nn.RNN(nonlinearity='relu')")
for cell, source in (("gru.resetAfter", "nn.GRU"), ("lstm.standard", "nn.LSTM")):
    facts = configuration(cell, "bidirectional", layers=2, biases="none")
    write(f"pytorch-{cell}-L2-both-ragged-unbiased", f"{source}(bias=False)", run_module, facts, "ragged")

write_built("lstm.peephole", "lstm.peephole")
write_built("lstm.layerNormalized", "lstm.layerNormalized")
write_built("lstm.layerNormalized", "lstm.layerNormalized.projection", projectionSize=2)
write_built("gru.layerNormalized", "gru.layerNormalized")
for batch in BATCHES:
    facts = configuration("gru.resetBefore")
    write(f"pytorch-gru.resetBefore-L1-one-{batch}", "operations, gru.resetBefore", run_built, facts, batch)
