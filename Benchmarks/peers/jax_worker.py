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


# Cells: (parameters, state, x W + b) -> state, whose first entry is h. Parameters: W [I, GH], U [H, GH], b [GH], and the
# GRU's bias cn of the candidate's recurrent product.


def gru(parameters, state, gx):
    W, U, b, cn = parameters
    (h,), H = state, U.shape[0]
    hu = h @ U
    rz = jax.nn.sigmoid(gx[:, :2 * H] + hu[:, :2 * H])
    r, z = rz[:, :H], rz[:, H:]
    n = jnp.tanh(gx[:, 2 * H:] + r * (hu[:, 2 * H:] + cn))
    return (n + z * (h - n),)


def gru_reset_before(parameters, state, gx):
    W, U, b = parameters
    (h,), H = state, U.shape[0]
    rz = jax.nn.sigmoid(gx[:, :2 * H] + h @ U[:, :2 * H])
    r, z = rz[:, :H], rz[:, H:]
    n = jnp.tanh(gx[:, 2 * H:] + (r * h) @ U[:, 2 * H:])
    return (n + z * (h - n),)


def lstm(parameters, state, gx):
    W, U, b = parameters
    h, c = state
    i, f, g, o = jnp.split(gx + h @ U, 4, axis=1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def rnn(parameters, state, gx):
    W, U, b = parameters
    return (jnp.tanh(gx + state[0] @ U),)


CELLS = {"gru.resetAfter": gru, "gru.resetBefore": gru_reset_before, "lstm.standard": lstm, "rnn.tanh": rnn}


def scan(cell, states, parameters, x, mask, reverse, unroll):
    """One direction of a layer. Where the mask [T, B, 1] is false, a state stays and the output is zero; None: all true."""
    W, U, b = parameters[:3]
    T, B, I = x.shape
    gx = (x.reshape(T * B, I) @ W + b).reshape(T, B, -1)

    def step(state, inputs):
        gx, here = inputs
        after = cell(parameters, state, gx)
        if here is None:
            return after, after[0]
        after = tuple(jnp.where(here, new, old) for new, old in zip(after, state))
        return after, jnp.where(here, after[0], 0)
    zeros = (jnp.zeros((B, U.shape[0]), x.dtype),) * states
    return lax.scan(step, zeros, (gx, mask), reverse=reverse, unroll=unroll)[1]


def network(spec, layers, x, mask, unroll):
    cell, states = CELLS[spec.cell], 2 if spec.family == "lstm" else 1
    for directions in layers:
        outputs = [scan(cell, states, w, x, mask, bool(number), unroll) for number, w in enumerate(directions)]
        x = outputs[0] if len(outputs) == 1 else jnp.concatenate(outputs, axis=2)
    return x


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
        self.parameters = jax.device_put([[self.packed(w) for w in spec.scans(layer)] for layer in range(spec.layers)])
        self.x = jax.device_put(spec.x())
        self.mask = jax.device_put(spec.mask()[:, :, None]) if spec.lengths else None
        if spec.mode == "stream":
            return self.prepare_stream()
        if spec.mode == "training":
            self.dy = jax.device_put(spec.dy())
        unrolls = [k for k in (1, 4) if k <= max(spec.steps // 2, 1)]
        functions = {f"unroll {k}": self.function_of(k) for k in unrolls}
        way, self.timed = worker.fastest({
            name: (lambda f=f: worker.repeat(lambda: jax.block_until_ready(f()))) for name, f in functions.items()})
        self.function = functions[way]
        return "jit, lax.scan, " + way

    def packed(self, w):
        """A scan's parameters as the cells want them."""
        bias, extra = w["bias_ih"], ()
        if self.spec.cell == "gru.resetAfter":
            rz, cn = np.split(w["bias_hh"], [2 * self.spec.hidden])
            bias, extra = bias + np.concatenate([rz, np.zeros_like(cn)]), (cn,)
        elif self.spec.has_recurrent_bias:
            bias = bias + w["bias_hh"]
        return (np.ascontiguousarray(w["weight_ih"].T), np.ascontiguousarray(w["weight_hh"].T), bias, *extra)

    def gradients(self, layers):
        """The gradients of what `packed` makes, as those of PyTorch's parameters."""
        result = {}
        for layer, directions in enumerate(layers):
            for end, (dW, dU, db, *dcn) in zip(self.spec.suffixes(layer), directions):
                result |= {"dweight_ih" + end: dW.T, "dweight_hh" + end: dU.T, "dbias_ih" + end: db}
                if self.spec.has_recurrent_bias:
                    result["dbias_hh" + end] = np.concatenate([db[:2 * self.spec.hidden], *dcn]) if dcn else db
        return result

    def function_of(self, unroll):
        spec = self.spec
        forward = lambda parameters, x, mask: network(spec, parameters, x, mask, unroll)
        if spec.mode == "forward":
            function = jax.jit(forward)
            return lambda: function(self.parameters, self.x, self.mask)

        @jax.jit
        def step(parameters, x, mask, dy):
            y, vjp = jax.vjp(lambda p, x: forward(p, x, mask), parameters, x)
            return y, vjp(dy)
        return lambda: step(self.parameters, self.x, self.mask, self.dy)

    def prepare_stream(self):
        def advance(parameters, x, h):
            W, U, b, cn = parameters
            return gru(parameters, (h,), x @ W + b)[0]
        self.advance = jax.jit(advance, donate_argnums=2)
        x = self.x[0]
        parameters, advance = self.parameters[0][0], self.advance

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
        mode = self.spec.mode
        if mode == "job":
            return {"losses": np.asarray(self.train(*self.arguments, worker.JOB_CHECK_ITERATIONS))}
        if mode == "training":
            y, (layers, dx) = jax.tree.map(np.asarray, self.function())
            return {"y": y, "dx": dx} | self.gradients(layers)
        if mode == "stream":
            h, states = jnp.zeros((self.spec.batch, self.spec.hidden), self.x.dtype), []
            for x in self.x:
                h = self.advance(self.parameters[0][0], x, h)
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
