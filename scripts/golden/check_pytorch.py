"""Loads every network of a folder in PyTorch, as scripts/check-pytorch has Sluice write them, and compares the outputs."""

import json
import sys
from functools import partial
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

MODULES = {
    "gru.resetAfter": nn.GRU,
    "lstm.standard": nn.LSTM,
    "rnn.tanh": partial(nn.RNN, nonlinearity="tanh"),
    "rnn.relu": partial(nn.RNN, nonlinearity="relu"),
}
# Of float32: sums of some ten products, seven steps and three layers deep.
TOLERANCE = 1e-5

paths = sorted(Path(sys.argv[1]).glob("*.safetensors"))
assert paths, "there are no networks"
for path in paths:
    with safe_open(path, "pt") as file:
        facts = json.loads(file.metadata()["sluice.configuration"])
    module = MODULES[facts["cell"]](
        facts["inputSize"],
        facts["hiddenSize"],
        num_layers=facts["layers"],
        bias=facts["biases"] == "both",
        bidirectional=facts["direction"] == "bidirectional",
        **({"proj_size": facts["projectionSize"]} if "projectionSize" in facts else {}),
    )
    module.load_state_dict(load_file(path))
    expected = load_file(path.with_suffix(".expected"))
    with torch.no_grad():
        y, _ = module(expected["x"])
    error = ((y - expected["y"]).abs().max() / y.abs().max()).item()
    assert error <= TOLERANCE, f"{path.stem}: outputs differ by {error:.1e}"
    print(f"{path.stem}: outputs differ by {error:.1e}")
