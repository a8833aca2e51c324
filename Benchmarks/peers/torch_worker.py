"""PyTorch: nn.GRU in eager mode under inference_mode; the addition job's whole step through torch.compile."""

import os
import time

import numpy as np
import torch

import worker
from worker import BETA1, BETA2, EPSILON, LEARNING_RATE

THREADS = int(os.environ["SLUICE_PEERS_THREADS"])
torch.set_num_threads(THREADS)
torch.set_num_interop_threads(1)


def layer(spec):
    dtype = torch.float64 if spec.scalar == "double" else torch.float32
    gru = torch.nn.GRU(spec.inputs, spec.hidden, dtype=dtype)
    with torch.no_grad():
        for name, value in zip(("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"),
                               (spec.w_ih(), spec.w_hh(), spec.b_ih(), spec.b_hh())):
            getattr(gru, name).copy_(torch.from_numpy(value))
    return gru


def training_step(gru, x, dy):
    y, _ = gru(x)
    return (y, *torch.autograd.grad(y, [*gru.parameters(), x], dy))


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
        self.gru, self.x = layer(spec), torch.from_numpy(spec.x())
        if spec.mode == "training":
            self.dy = torch.from_numpy(spec.dy())
            self.x.requires_grad_()
            self.timed = worker.repeat(lambda: training_step(self.gru, self.x, self.dy))
            return "nn.GRU"
        if spec.mode == "stream":
            way, (self.advance, self.timed) = self.prepare_stream()
            return way
        self.timed = self.repeat_inference(lambda: self.gru(self.x))
        return "nn.GRU, inference_mode"

    @staticmethod
    def repeat_inference(step):
        run = worker.repeat(step)

        def timed(count):
            with torch.inference_mode():
                return run(count)
        return timed

    def prepare_stream(self):
        """nn.GRU on one step, nn.GRUCell, and GRUCell through torch.compile: the fastest."""
        spec, gru = self.spec, self.gru
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
            names = ("y", "dw_ih", "dw_hh", "db_ih", "db_hh", "dx")
            return {name: t.detach().numpy() for name, t in zip(names, training_step(self.gru, self.x, self.dy))}
        with torch.inference_mode():
            if mode == "stream":
                h, states = torch.zeros(self.spec.batch, self.spec.hidden, dtype=self.x.dtype), []
                for x in self.x:
                    h = self.advance(x, h)
                    states.append(h.numpy().copy())
                return {"y": np.stack(states)}
            return {"y": self.gru(self.x)[0].numpy()}

    def run(self, count):
        return self.train(count)[0] if self.spec.mode == "job" else self.timed(count)

    def memory(self):
        """After a tiny step, which loads what every step needs."""
        dtype = self.x.dtype
        tiny = torch.nn.GRU(4, 4, dtype=dtype)
        training_step(tiny, torch.zeros(2, 2, 4, dtype=dtype, requires_grad=True), torch.zeros(2, 2, 4, dtype=dtype))
        base = worker.settle_memory()
        kept = training_step(self.gru, self.x, self.dy)
        return worker.peak_beyond(base)


if __name__ == "__main__":
    worker.serve(System())
