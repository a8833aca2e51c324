"""PyTorch's line of `bench memory`: peak memory and time of a training step on long sequences. Prints "bytes seconds".

nn.GRU, nn.LSTM or nn.RNN and a linear layer on every step, mean squared error, backward and Adam, eager. What the first step
adds to the resident memory of a process that has done a tiny one; then the median of some more.
"""

import argparse
import os
import statistics
import sys
import time

from environment import library_path

# The loader reads the path once, at a process's start.
if os.environ.get("LD_LIBRARY_PATH", "") != library_path():
    os.environ["LD_LIBRARY_PATH"] = library_path()
    os.execv(sys.executable, [sys.executable, "-B", *sys.argv])

import torch

import worker

MODULES = {"gru.resetAfter": torch.nn.GRU, "lstm.standard": torch.nn.LSTM, "rnn.tanh": torch.nn.RNN}


class Network(torch.nn.Module):
    def __init__(self, cell, inputs, hidden, layers):
        super().__init__()
        self.layers = MODULES[cell](inputs, hidden, num_layers=layers)
        self.head = torch.nn.Linear(hidden, 1)

    def forward(self, x):
        return self.head(self.layers(x)[0])


def step(network, optimizer, x, y):
    optimizer.zero_grad(set_to_none=True)
    torch.nn.functional.mse_loss(network(x), y).backward()
    optimizer.step()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("steps", "batch", "inputs", "hidden", "layers", "threads"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--cell", choices=MODULES, required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_num_interop_threads(1)

    network = Network(options.cell, options.inputs, options.hidden, options.layers)
    x, y = (torch.rand(options.steps, options.batch, n) for n in (options.inputs, 1))
    tiny = Network(options.cell, 4, 4, options.layers)
    step(tiny, torch.optim.Adam(tiny.parameters()), torch.rand(2, 2, 4), torch.rand(2, 2, 1))

    base = worker.settle_memory()
    optimizer = torch.optim.Adam(network.parameters())
    step(network, optimizer, x, y)
    peak = worker.peak_beyond(base)

    samples = []
    # A step of many seconds is its own average.
    while sum(samples) < 10 and len(samples) < 3 or sum(samples) < 1 and len(samples) < 15:
        start = time.perf_counter()
        step(network, optimizer, x, y)
        samples.append(time.perf_counter() - start)
    print(peak, statistics.median(samples))


if __name__ == "__main__":
    main()
