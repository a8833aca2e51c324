"""JAX: jit, lax.scan with the input product before it, 64-bit types allowed; the addition job as one compiled loop.

XLA takes as many threads as the process may use cores, which compare.py limits.
"""

import time

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp
import numpy as np
from jax import lax

import worker
from worker import BETA1, BETA2, EPSILON, LEARNING_RATE


def cell(parameters, h, gx):
    W, U, b, cn = parameters
    H = U.shape[0]
    hu = h @ U
    rz = jax.nn.sigmoid(gx[:, :2 * H] + hu[:, :2 * H])
    r, z = rz[:, :H], rz[:, H:]
    n = jnp.tanh(gx[:, 2 * H:] + r * (hu[:, 2 * H:] + cn))
    return n + z * (h - n)


def gru(parameters, x, unroll):
    W, U, b, cn = parameters
    T, B, I = x.shape
    gx = (x.reshape(T * B, I) @ W + b).reshape(T, B, -1)

    def step(h, g):
        h = cell(parameters, h, g)
        return h, h
    return lax.scan(step, jnp.zeros((B, U.shape[0]), x.dtype), gx, unroll=unroll)[1]


def loss(parameters, x, y):
    """The addition job's: Chung's GRU."""
    W, U, b, V, c = parameters
    H = U.shape[0]
    gates = x @ W + b
    h, states = jnp.zeros((x.shape[1], H), x.dtype), []
    for t in range(x.shape[0]):
        rz = jax.nn.sigmoid(gates[t, :, :2 * H] + h @ U[:, :2 * H])
        r, z = rz[:, :H], rz[:, H:]
        n = jnp.tanh(gates[t, :, 2 * H:] + (r * h) @ U[:, 2 * H:])
        h = h + z * (n - h)
        states.append(h)
    error = jnp.stack(states) @ V + c - y
    return 0.5 * (error * error).sum() / x.shape[1]


def train(parameters, x, y, test_x, test_y, iterations):
    def step(carry, t):
        parameters, mean, square = carry
        value, gradients = jax.value_and_grad(loss)(parameters, x, y)
        rate = LEARNING_RATE * jnp.sqrt(1 - BETA2 ** t) / (1 - BETA1 ** t)
        mean = [BETA1 * m + (1 - BETA1) * g for m, g in zip(mean, gradients)]
        square = [BETA2 * v + (1 - BETA2) * g * g for v, g in zip(square, gradients)]
        parameters = [p - rate * m / (jnp.sqrt(v) + EPSILON) for p, m, v in zip(parameters, mean, square)]
        return (parameters, mean, square), jnp.stack([value, loss(parameters, test_x, test_y)])
    zeros = [jnp.zeros_like(p) for p in parameters]
    return lax.scan(step, (parameters, zeros, zeros), jnp.arange(1, iterations + 1).astype(x.dtype))[1]


class System:
    def hello(self):
        return {"name": "JAX", "version": jax.__version__, "kernels": "XLA, " + jax.devices()[0].device_kind}

    def prepare(self, spec):
        self.spec = spec
        jax.clear_caches()
        if spec.mode == "job":
            data = worker.JobData(spec)
            self.arguments = jax.device_put((data.parameters, data.x, data.y, data.test_x, data.test_y))
            self.train = jax.jit(train, static_argnums=5)
            return "all iterations in one compiled loop"
        H = spec.hidden
        b, b_hh = spec.b_ih(), spec.b_hh()
        b[:2 * H] += b_hh[:2 * H]
        self.parameters = jax.device_put(
            (np.ascontiguousarray(spec.w_ih().T), np.ascontiguousarray(spec.w_hh().T), b, b_hh[2 * H:]))
        self.x = jax.device_put(spec.x())
        if spec.mode == "stream":
            return self.prepare_stream()
        if spec.mode == "training":
            self.dy = jax.device_put(spec.dy())
        ways = {f"unroll {k}": (lambda k=k: self.timed_pass(k)) for k in (1, 4) if k <= max(spec.steps // 2, 1)}
        way, self.timed = worker.fastest(ways)
        self.function = self.timed_pass(int(way.split()[1]), raw=True)
        return "jit, lax.scan, " + way

    def timed_pass(self, unroll, raw=False):
        if self.spec.mode == "training":
            def step(parameters, x, dy):
                y, vjp = jax.vjp(lambda p, x: gru(p, x, unroll), parameters, x)
                return y, vjp(dy)
            arguments = self.parameters, self.x, self.dy
        else:
            def step(parameters, x):
                return gru(parameters, x, unroll)
            arguments = self.parameters, self.x
        function = jax.jit(step)
        if raw:
            return lambda: function(*arguments)
        return worker.repeat(lambda: jax.block_until_ready(function(*arguments)))

    def prepare_stream(self):
        def advance(parameters, x, h):
            W, U, b, cn = parameters
            return cell(parameters, h, x @ W + b)
        self.advance = jax.jit(advance, donate_argnums=2)
        x = self.x[0]
        parameters, advance = self.parameters, self.advance

        def timed(count):
            h = jnp.zeros((self.spec.batch, self.spec.hidden), x.dtype)
            start = time.perf_counter()
            for _ in range(count):
                h = advance(parameters, x, h)
                h.block_until_ready()
            return time.perf_counter() - start
        self.timed = timed
        timed(3)
        return "jit of one step, state donated"

    def check(self):
        mode, H = self.spec.mode, self.spec.hidden
        if mode == "job":
            return {"losses": np.asarray(self.train(*self.arguments, worker.JOB_CHECK_ITERATIONS))}
        if mode == "training":
            y, ((dW, dU, db, dcn), dx) = jax.tree.map(np.asarray, self.function())
            return {"y": y, "dw_ih": dW.T, "dw_hh": dU.T, "db_ih": db, "db_hh": np.concatenate([db[:2 * H], dcn]), "dx": dx}
        if mode == "stream":
            h, states = jnp.zeros((self.spec.batch, H), self.x.dtype), []
            for x in self.x:
                h = self.advance(self.parameters, x, h)
                states.append(np.array(h))
            return {"y": np.stack(states)}
        return {"y": np.asarray(self.function())}

    def run(self, count):
        if self.spec.mode != "job":
            return self.timed(count)
        if getattr(self, "compiled", (None,))[0] != count:
            self.compiled = count, self.train.lower(*self.arguments, count).compile()
        start = time.perf_counter()
        self.compiled[1](*self.arguments).block_until_ready()
        return time.perf_counter() - start


if __name__ == "__main__":
    worker.serve(System())
