"""PyTorch: nn.GRU, nn.LSTM and nn.RNN in eager mode, under inference_mode for forward; ragged batches packed, or padded
where that gives the same outputs, the faster kept; the addition job's whole step through torch.compile.
"""

import os
import time

import numpy as np
import torch
from torch.nn.utils import rnn

import worker
from worker import BETA1, BETA2, EPSILON, LEARNING_RATE

THREADS = int(os.environ["SLUICE_PEERS_THREADS"])
torch.set_num_threads(THREADS)
torch.set_num_interop_threads(1)


MODULES = {"gru.resetAfter": torch.nn.GRU, "lstm.standard": torch.nn.LSTM, "rnn.tanh": torch.nn.RNN}


def network(spec):
    dtype = torch.float64 if spec.scalar == "double" else torch.float32
    options = {"proj_size": spec.projection} if spec.projection else {}
    module = MODULES[spec.cell](
        spec.inputs, spec.hidden, num_layers=spec.layers, bidirectional=spec.directions == 2, dtype=dtype, **options)
    with torch.no_grad():
        for name, value in spec.parameters().items():
            getattr(module, name).copy_(torch.from_numpy(value))
    return module


class Batch:
    """Inputs and the gradient of the outputs as the module takes them: an array, or a packed sequence."""

    def __init__(self, spec, is_packed):
        self.spec, self.is_packed = spec, is_packed
        self.x = self.taken(spec.x())
        self.dy = self.taken(spec.dy()) if spec.mode == "training" else None
        if self.dy is not None:
            self.data(self.x).requires_grad_()

    def taken(self, array):
        tensor = torch.from_numpy(array)
        return rnn.pack_padded_sequence(tensor, self.spec.lengths, enforce_sorted=False) if self.is_packed else tensor

    def data(self, value):
        return value.data if self.is_packed else value

    def padded(self, data):
        """[T, B, n], zero behind the ends."""
        if self.is_packed:
            data = rnn.pad_packed_sequence(self.x._replace(data=data), total_length=self.spec.steps)[0]
        return data.detach().numpy() * self.spec.mask()[:, :, None]

    def outputs(self, module):
        return self.data(module(self.x)[0])

    def step(self, module):
        y = self.outputs(module)
        return (y, *torch.autograd.grad(y, [*module.parameters(), self.data(self.x)], self.data(self.dy)))


def addition_step(parameters, mean, square, updates, x, y, test_x, test_y):
    """One update in place; returns the loss before it and the test loss after it."""
    def loss(parameters, x, y):
        W, U, b, V, c = parameters
        H = U.shape[0]
        gates = x @ W + b
        h = torch.zeros(x.shape[1], H, dtype=x.dtype)
        states = []
        for t in range(x.shape[0]):
            rz = torch.sigmoid(gates[t, :, :2 * H] + h @ U[:, :2 * H])
            r, z = rz[:, :H], rz[:, H:]
            n = torch.tanh(gates[t, :, 2 * H:] + (r * h) @ U[:, 2 * H:])
            h = h + z * (n - h)
            states.append(h)
        error = torch.stack(states) @ V + c - y
        return 0.5 * (error * error).sum() / x.shape[1]

    gradients, train = torch.func.grad_and_value(loss)(parameters, x, y)
    updates += 1
    rate = LEARNING_RATE * torch.sqrt(1 - BETA2 ** updates) / (1 - BETA1 ** updates)
    for p, m, v, g in zip(parameters, mean, square, gradients):
        m.mul_(BETA1).add_(g, alpha=1 - BETA1)
        v.mul_(BETA2).addcmul_(g, g, value=1 - BETA2)
        p.sub_(rate * m / (torch.sqrt(v) + EPSILON))
    return train, loss(parameters, test_x, test_y)


class System:
    def hello(self):
        return {"name": "PyTorch", "version": torch.__version__.split("+")[0],
                "kernels": f"{torch.backends.cpu.get_cpu_capability()}, MKL, oneDNN"}

    def prepare(self, spec):
        self.spec = spec
        if spec.mode == "job":
            self.data = worker.JobData(spec)
            with torch.no_grad():
                self.step = torch.compile(addition_step, fullgraph=True)
                self.train(3)
            return "torch.compile of the whole step"
        self.module = network(spec)
        if spec.mode == "stream":
            self.x = torch.from_numpy(spec.x())
            way, (self.advance, self.timed) = self.prepare_stream()
            return way
        name = "nn." + type(self.module).__name__
        if spec.lengths is None:
            self.batch = Batch(spec, is_packed=False)
            self.timed = self.repeat(self.batch)  # not run here: memory is measured in a fresh process
        else:
            batches = {f"{name}, packed": Batch(spec, is_packed=True)}
            if spec.directions == 1:  # padding comes after all that counts
                batches[f"{name}, padded"] = Batch(spec, is_packed=False)
            name, self.timed = worker.fastest({way: (lambda b=b: self.repeat(b)) for way, b in batches.items()})
            self.batch = batches[name]
        return name + (", inference_mode" if spec.mode == "forward" else "")

    def repeat(self, batch):
        if self.spec.mode == "training":
            return worker.repeat(lambda: batch.step(self.module))
        return self.repeat_inference(lambda: batch.outputs(self.module))

    @staticmethod
    def repeat_inference(step):
        run = worker.repeat(step)

        def timed(count):
            with torch.inference_mode():
                return run(count)
        return timed

    def prepare_stream(self):
        """nn.GRU on one step, nn.GRUCell, and GRUCell through torch.compile: the fastest."""
        spec, gru = self.spec, self.module
        cell = torch.nn.GRUCell(spec.inputs, spec.hidden, dtype=self.x.dtype)
        with torch.no_grad():
            for p, q in zip(cell.parameters(), gru.parameters()):
                p.copy_(q)
        compiled = torch.compile(cell)
        ways = {
            "nn.GRU": lambda x, h: gru(x[None], h[None])[1][0],
            "nn.GRUCell": cell,
            "nn.GRUCell, torch.compile": compiled,
        }

        def timed(advance):
            x, state = self.x[0], [torch.zeros(spec.batch, spec.hidden, dtype=self.x.dtype)]

            def step():
                state[0] = advance(x, state[0])
            return self.repeat_inference(step)
        way, run = worker.fastest({name: (lambda f=f: timed(f)) for name, f in ways.items()})
        return way, (ways[way], run)

    def train(self, iterations):
        copy = lambda array: torch.from_numpy(array.copy())
        data = self.data
        parameters = [copy(p) for p in data.parameters]
        mean, square = [torch.zeros_like(p) for p in parameters], [torch.zeros_like(p) for p in parameters]
        updates = torch.zeros((), dtype=parameters[0].dtype)
        x, y, test_x, test_y = map(copy, (data.x, data.y, data.test_x, data.test_y))
        step, losses = self.step, []
        with torch.no_grad():
            start = time.perf_counter()
            for _ in range(iterations):
                losses.append(step(parameters, mean, square, updates, x, y, test_x, test_y))
            seconds = time.perf_counter() - start
        return seconds, np.array([[float(a), float(b)] for a, b in losses])

    def check(self):
        mode = self.spec.mode
        if mode == "job":
            return {"losses": self.train(worker.JOB_CHECK_ITERATIONS)[1]}
        if mode == "training":
            y, *gradients, dx = self.batch.step(self.module)
            names = [f"d{name}" for name, _ in self.module.named_parameters()]
            return {"y": self.batch.padded(y), "dx": self.batch.padded(dx)} | {
                name: gradient.numpy() for name, gradient in zip(names, gradients)}
        with torch.inference_mode():
            if mode == "stream":
                h, states = torch.zeros(self.spec.batch, self.spec.hidden, dtype=self.x.dtype), []
                for x in self.x:
                    h = self.advance(x, h)
                    states.append(h.numpy().copy())
                return {"y": np.stack(states)}
            return {"y": self.batch.padded(self.batch.outputs(self.module))}

    def run(self, count):
        return self.train(count)[0] if self.spec.mode == "job" else self.timed(count)

    def memory(self):
        """After a tiny step, which loads what every step needs."""
        dtype = self.batch.x.dtype
        tiny, x = torch.nn.GRU(4, 4, dtype=dtype), torch.zeros(2, 2, 4, dtype=dtype, requires_grad=True)
        torch.autograd.grad(tiny(x)[0], [*tiny.parameters(), x], torch.zeros(2, 2, 4, dtype=dtype))
        base = worker.settle_memory()
        kept = self.batch.step(self.module)
        return worker.peak_beyond(base)


if __name__ == "__main__":
    worker.serve(System())
