"""PyTorch on the tasks of `learning`: the same recipe, distribution of data, tests and lines of JSON.

    python torch_learner.py RUN.jsonl [--limit SECONDS]

RUN.jsonl is what Sluice wrote: its first line says what to train. Where training takes longer than the limit, the run ends.
Random numbers are NumPy's and PyTorch's own, so data and first parameters are others from the same distributions.
"""

import argparse
import json
import math
import time

import numpy as np
import torch
from torch import nn

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}
ADDING_TEST_BATCH = 64
TEST_SEED, FINAL_SEED = 1_000_001, 1_000_002  # of no training


class Network(nn.Module):
    """A recurrent layer and a dense layer on its last step or on all."""

    def __init__(self, recipe, reads_last_step):
        super().__init__()
        hidden = recipe["hidden"]
        self.reads_last_step = reads_last_step
        self.layer = CELLS[recipe["architecture"]](2, hidden)
        self.head = nn.Linear(hidden, 1)
        with torch.no_grad():
            nn.init.xavier_uniform_(self.layer.weight_ih_l0)
            nn.init.orthogonal_(self.layer.weight_hh_l0)
            nn.init.xavier_uniform_(self.head.weight)
            for bias in (self.layer.bias_ih_l0, self.layer.bias_hh_l0, self.head.bias):
                bias.zero_()
            if recipe["architecture"] != "rnn":  # gates r z n, i f g o: the one that keeps the state is the second
                logs = torch.log(1 + torch.rand(hidden) * (recipe["memory"] - 1))
                self.layer.bias_ih_l0[hidden:2 * hidden] = logs
                if recipe["architecture"] == "lstm":
                    self.layer.bias_ih_l0[:hidden] = -logs

    def forward(self, x):
        states = self.layer(x)[0]
        return self.head(states[-1] if self.reads_last_step else states)


def rate_factor(recipe):
    """Linear from a tenth, then half a cosine to 0; by the updates done."""
    rising, total = recipe["warmUp"], recipe["updates"]

    def factor(updates):
        if updates < rising:
            return 0.1 + 0.9 * updates / rising
        return (1 + math.cos(math.pi * (updates - rising) / max(total - rising, 1))) / 2
    return factor


class Adding:
    """x [T, B, 2], y [B, 1]"""
    loss = staticmethod(nn.functional.mse_loss)
    reads_last_step = True

    def __init__(self, sizes):
        self.steps, self.test_count = sizes["steps"], sizes["testSequences"]

    def draw(self, random, count):
        T = self.steps
        x = np.zeros((T, count, 2), np.float32)
        x[:, :, 0] = random.random((T, count), dtype=np.float32)
        places = random.integers(0, T // 2, count), random.integers(T // 2, T, count)
        columns = np.arange(count)
        for place in places:
            x[place, columns, 1] = 1
        y = sum(x[place, columns, 0] for place in places)[:, None]
        return torch.from_numpy(x), torch.from_numpy(y)

    def test_set(self):
        random = np.random.default_rng(TEST_SEED)
        return [self.draw(random, ADDING_TEST_BATCH) for _ in range(self.test_count // ADDING_TEST_BATCH)]

    def test(self, network, batches):
        return {"testLoss": float(np.mean([self.loss(network(x), y).item() for x, y in batches]))}

    def final(self, network):
        return {}


class Addition:
    """x [T, B, 2], y [T, B, 1], the lowest bit first"""
    loss = staticmethod(nn.functional.binary_cross_entropy_with_logits)
    reads_last_step = False

    def __init__(self, sizes):
        self.bits, self.test_bits, self.pairs = sizes["bits"], sizes["testBits"], sizes["testPairs"]

    def draw(self, random, count, bits=None):
        return self.sums(random.integers(0, 2, (bits or self.bits, count, 2)))

    @staticmethod
    def sums(pairs):
        """A batch of pairs of numbers, [bits, B, 2]."""
        bits, count, _ = pairs.shape
        x = np.zeros((bits + 1, count, 2), np.float32)
        x[:bits] = pairs
        y = np.empty((bits + 1, count, 1), np.float32)
        carry = np.zeros(count, np.float32)
        for t in range(bits + 1):
            total = x[t].sum(axis=1) + carry
            y[t, :, 0] = total % 2
            carry = np.floor(total / 2)
        return torch.from_numpy(x), torch.from_numpy(y)

    def test_set(self):
        return self.draw(np.random.default_rng(TEST_SEED), self.pairs, self.test_bits)

    def test(self, network, batch):
        x, y = batch
        logits = network(x)
        exact = ((logits > 0) == (y > 0.5)).all(dim=0).sum().item()
        return {"testLoss": self.loss(logits, y).item(), "exact": exact}

    def final(self, network):
        pairs = np.random.default_rng(FINAL_SEED).integers(0, 2, (self.test_bits, self.pairs, 2))
        exact = self.test(network, self.sums(pairs))["exact"]
        pairs[0] = 1
        pairs[1:, :, 1] = 1 - pairs[1:, :, 0]  # sums of just 2^bits
        return {"exact": exact, "pairs": self.pairs, "exactLongCarries": self.test(network, self.sums(pairs))["exact"]}


def train(heading, places, limit):
    """Yields the lines of a run; `places`: the updates after which to test."""
    recipe = heading["recipe"]
    task = {"adding": Adding, "addition": Addition}[heading["task"]](heading["sizes"])
    torch.manual_seed(recipe["seed"])
    random = np.random.default_rng(recipe["seed"])
    network = Network(recipe, task.reads_last_step)
    optimizer = torch.optim.Adam(network.parameters(), lr=recipe["learningRate"], fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate_factor(recipe))
    tests = task.test_set()
    yield {key: heading[key] for key in ("task", "recipe", "sizes", "threads")} | {
        "system": f"PyTorch {torch.__version__.split('+')[0]}",
        "parameters": sum(p.numel() for p in network.parameters())}
    seconds = cpu_seconds = updates = 0
    scores = {}
    for place in places:
        losses = []
        start, cpu_start = time.perf_counter(), time.process_time()
        for _ in range(place - updates):
            x, y = task.draw(random, recipe["batch"])
            loss = task.loss(network(x), y)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), recipe["clip"])
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        seconds, cpu_seconds = seconds + time.perf_counter() - start, cpu_seconds + time.process_time() - cpu_start
        updates = place
        with torch.inference_mode():
            scores = task.test(network, tests)
        now = {"updates": updates, "seconds": seconds, "cpuSeconds": cpu_seconds}
        yield now | {"trainLoss": float(np.mean(losses))} | scores
        if seconds > limit:
            break
    with torch.inference_mode():
        yield now | {"testLoss": scores["testLoss"], "isResult": True} | task.final(network)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=argparse.FileType())
    parser.add_argument("--limit", type=float, default=math.inf)
    options = parser.parse_args()
    heading, *lines = map(json.loads, options.run)
    torch.set_num_threads(heading["threads"])
    torch.set_num_interop_threads(1)
    for line in train(heading, [line["updates"] for line in lines if "trainLoss" in line], options.limit):
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
