"""Golden fixtures of torch.nn.GRU in float64: variant resetAfter."""

import numpy as np
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from fixture import CASES, case_name, random_case, write_gru

# The local label (+cpu, +cu130) says how the wheel was built; it would only make the bytes depend on it.
SOURCE = f"torch {torch.__version__.split('+')[0]} nn.GRU"


def run(case, has_state=True):
    """Adds y, hn and the gradients of sum(y dy) + sum(hn dhn) to the case."""
    hidden, inputs = case["h0"].shape[1], case["x"].shape[2]
    module = torch.nn.GRU(inputs, hidden, dtype=torch.float64)
    module.load_state_dict({name: torch.from_numpy(case[name]) for name, _ in module.named_parameters()})

    x = torch.from_numpy(case["x"]).requires_grad_()
    leaves = {"x": x} | dict(module.named_parameters())
    h0 = None
    if has_state:
        h0 = leaves["h0"] = torch.from_numpy(case["h0"]).requires_grad_()
    state = () if h0 is None else (h0[None],)
    if "lengths" in case:
        lengths = torch.from_numpy(case["lengths"])
        packed, hn = module(pack_padded_sequence(x, lengths, enforce_sorted=False), *state)
        y, _ = pad_packed_sequence(packed, total_length=len(x))
    else:
        y, hn = module(x, *state)
    hn = hn[0]
    objective = (y * torch.from_numpy(case["dy"])).sum() + (hn * torch.from_numpy(case["dhn"])).sum()
    gradients = torch.autograd.grad(objective, list(leaves.values()))
    results = {"y": y.detach().numpy(), "hn": hn.detach().numpy()}
    results |= {f"grad.{name}": value.numpy() for name, value in zip(leaves, gradients)}
    return case | results


def write(name, tensors):
    write_gru(f"pytorch-resetAfter-{name}", SOURCE, "resetAfter", tensors)


torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

for shape, has_state in CASES:
    case = random_case(shape, has_state=has_state, recurrent_bias=True)
    write(case_name(shape, has_state), run(case, has_state))

ragged = random_case((7, 4, 3, 6), recurrent_bias=True)
ragged["lengths"] = np.array([3, 7, 1, 5])
running = np.arange(7)[:, None, None] < ragged["lengths"][:, None]
ragged["x"], ragged["dy"] = ragged["x"] * running, ragged["dy"] * running
write("ragged", run(ragged))
