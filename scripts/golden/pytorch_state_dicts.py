"""State_dicts of PyTorch's recurrent modules, float32, just as PyTorch's users save them, and what the modules compute.

Each `pytorch-state_dict-NAME.safetensors` is what safetensors' save_file makes of a state_dict: nothing added or changed.
Beside it `pytorch-state_dict-NAME-expected.safetensors` has an input `x [T, B, I]` and the outputs.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from equations import network
from fixture import configuration

T, B, I, H, O = 7, 4, 3, 5, 2
# Of float32: sums of some ten products, seven steps deep.
TOLERANCE = 1e-5


class Tagger(nn.Module):
    """A model that has a recurrent module and a dense one, and another that Sluice does not know."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(9, I)
        self.rnn = nn.LSTM(I, H, num_layers=2, proj_size=3)
        self.fc = nn.Linear(3, O)

    def forward(self, x):
        y, state = self.rnn(x)
        return self.fc(y), state


def write(name, module, facts, prefix="", head=None):
    """`facts` and `prefix` say what the recurrent module is and where, for the check against the equations in NumPy."""
    torch.manual_seed(len(name))
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.5)
    x = torch.randn(T, B, I)
    with torch.no_grad():
        y, last = module(x)
    expected = {"x": x, "y": y} | dict(zip(("hn", "cn"), last if isinstance(last, tuple) else (last,)))

    state = {key: value.numpy().astype(np.float64) for key, value in module.state_dict().items()}
    case = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    case |= {key.replace("n", "0"): np.zeros(expected[key].shape) for key in ("hn", "cn") if key in expected}
    result = network(facts, case | {"x": x.numpy().astype(np.float64)})
    if head:
        result["y"] = result["y"] @ state[f"{head}weight"].T + state[f"{head}bias"]
    worst = max(np.abs(expected[key].numpy() - value).max() / np.abs(value).max() for key, value in result.items())
    assert worst <= TOLERANCE, f"{name} differs from NumPy by {worst:.1e}"

    path = Path(sys.argv[1]) / f"pytorch-state_dict-{name}"
    save_file(module.state_dict(), f"{path}.safetensors")
    save_file(expected, f"{path}-expected.safetensors")
    print(f"{path.name}: largest disagreement with NumPy {worst:.1e}")


torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

write("gru", nn.GRU(I, H, num_layers=2, bidirectional=True), configuration("gru.resetAfter", "bidirectional", 2))
write(
    "lstm", Tagger(), configuration("lstm.standard", layers=2, projectionSize=3), prefix="rnn.", head="fc."
)
write("rnn", nn.RNN(I, H, nonlinearity="relu", bias=False), configuration("rnn.relu", biases="none"))
