"""PyTorch's column of `bench ragged`: the seconds of a training step on batches whose lengths are new in each of them.

nn.GRU on a packed sequence and a linear layer on its every step, mean squared error, backward and Adam, eager. Batches are
packed beforehand, twenty at a time. Prints the median over the last tenth of the twenties. With one thread seconds are the
process's own on the processor, so that others on the machine do not count; with more, the clock's.
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
from torch.nn.utils import rnn


def make_batch(options):
    lengths = torch.randint(options.shortest, options.longest + 1, (options.batch,))
    x = rnn.pack_sequence([torch.rand(int(length), options.inputs) for length in lengths], enforce_sorted=False)
    return x, torch.rand(x.data.shape[0], 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("hidden", "batch", "inputs", "shortest", "longest", "steps", "threads"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_num_interop_threads(1)
    torch.manual_seed(1)

    gru, head = torch.nn.GRU(options.inputs, options.hidden), torch.nn.Linear(options.hidden, 1)
    optimizer = torch.optim.Adam([*gru.parameters(), *head.parameters()], lr=1e-5)

    def step(x, y):
        optimizer.zero_grad(set_to_none=True)
        torch.nn.functional.mse_loss(head(gru(x)[0].data), y).backward()
        optimizer.step()

    now = time.process_time if options.threads == 1 else time.perf_counter
    size, turns, start = min(20, options.steps // 20), [], time.perf_counter()
    while len(turns) < options.steps // size and (len(turns) < 5 or time.perf_counter() - start < options.seconds):
        batches = [make_batch(options) for _ in range(size)]
        begin = now()
        for x, y in batches:
            step(x, y)
        turns.append((now() - begin) / size)
    print(statistics.median(turns[-max(len(turns) // 10, 3):]))


if __name__ == "__main__":
    main()
