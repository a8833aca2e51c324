"""NumPy by hand: backpropagation through time written out, every array kept from call to call.

Also the reference that every system is compared with, in Double: of the plain GRU this one, of other networks that of
numpy_network.py, which is written for reading and not measured.
"""

import time

import numpy as np
import threadpoolctl

import numpy_network
import worker
from worker import BETA1, BETA2, EPSILON, LEARNING_RATE


def sigmoid(a, out):
    np.multiply(a, 0.5, out=out)
    np.tanh(out, out=out)
    out *= 0.5
    out += 0.5


class GRU:
    """One layer, reset after. A row of the tape is q r z n, and becomes their gradients."""

    def __init__(self, spec):
        B, T, I, H = spec.shape
        self.w_ih, self.w_hh, self.b_ih, self.b_hh = spec.parameters().values()
        self.x = spec.x()
        dtype = spec.dtype
        self.y = np.empty((T, B, H), dtype)
        self.h0 = np.zeros((B, H), dtype)
        self.tape = np.empty((T, B, 4 * H), dtype)
        self.hu, self.scratch = np.empty((B, 3 * H), dtype), np.empty((B, H), dtype)
        self.U, self.Ub = np.empty((H, 3 * H), dtype), np.empty((3 * H, H), dtype)
        self.W = np.empty((I, 3 * H), dtype)
        self.spec = spec
        self.pack()

    def pack(self):
        """Once per update: the weights as [inputs, gates], U's gates in the order n r z of the tape."""
        H = self.spec.hidden
        np.copyto(self.W, self.w_ih.T)
        np.copyto(self.Ub[:H], self.w_hh[2 * H:])
        np.copyto(self.Ub[H:], self.w_hh[:2 * H])
        np.copyto(self.U, self.Ub.T)
        self.bias = self.b_ih.copy()
        self.bias[:2 * H] += self.b_hh[:2 * H]
        self.cn = self.b_hh[2 * H:].copy()

    def forward(self):
        B, T, I, H = self.spec.shape
        tape, y, hu, scratch, U = self.tape, self.y, self.hu, self.scratch, self.U
        rows = tape.reshape(T * B, 4 * H)
        np.matmul(self.x.reshape(T * B, I), self.W, out=rows[:, H:])
        rows[:, H:] += self.bias
        h = self.h0
        for t in range(T):
            step = tape[t]
            q, rz, n = step[:, :H], step[:, H:3 * H], step[:, 3 * H:]
            r, z = step[:, H:2 * H], step[:, 2 * H:3 * H]
            np.matmul(h, U, out=hu)
            rz += hu[:, H:]
            sigmoid(rz, rz)
            np.add(hu[:, :H], self.cn, out=q)
            np.multiply(r, q, out=scratch)
            n += scratch
            np.tanh(n, out=n)
            np.subtract(h, n, out=scratch)
            scratch *= z
            h = np.add(scratch, n, out=y[t])
        return y

    def backward(self, dy):
        B, T, I, H = self.spec.shape
        tape, y = self.tape, self.y
        dh, a, b = np.zeros((B, H), y.dtype), np.empty((B, H), y.dtype), np.empty((B, H), y.dtype)
        carried = np.empty((B, H), y.dtype)
        for t in reversed(range(T)):
            step = tape[t]
            q, r, z, n = (step[:, k * H:(k + 1) * H] for k in range(4))
            h = y[t - 1] if t else self.h0
            dh += dy[t]
            np.multiply(dh, z, out=carried)
            np.subtract(h, n, out=a)          # dz = dh (h - n) z (1 - z)
            a *= carried
            np.subtract(dh, carried, out=b)   # dn = dh (1 - z) (1 - n^2)
            np.subtract(1, z, out=z)
            z *= a
            np.multiply(n, n, out=a)
            np.subtract(1, a, out=a)
            np.multiply(a, b, out=n)
            np.multiply(n, r, out=b)          # dq = dn r, dr = dn q r (1 - r)
            np.subtract(1, r, out=r)
            r *= b
            r *= q
            np.copyto(q, b)
            np.matmul(step[:, :3 * H], self.Ub, out=dh)
            dh += carried
        rows = tape.reshape(T * B, 4 * H)
        dgx, dgh = rows[:, H:], rows[:, :3 * H]
        dw_ih = dgx.T @ self.x.reshape(T * B, I)
        dnrz = dgh[B:].T @ y[:-1].reshape((T - 1) * B, H) if T > 1 else np.zeros((3 * H, H), y.dtype)
        dw_hh = np.concatenate([dnrz[H:], dnrz[:H]])
        sums = rows.sum(axis=0)
        db_ih, db_hh = sums[H:], np.concatenate([sums[H:3 * H], sums[:H]])
        dx = (dgx @ self.w_ih).reshape(T, B, I)
        return {"dweight_ih_l0": dw_ih, "dweight_hh_l0": dw_hh, "dbias_ih_l0": db_ih, "dbias_hh_l0": db_hh, "dx": dx}

    def training_step(self, dy):
        self.pack()
        self.forward()
        return self.backward(dy)


class Job:
    """The addition job: Chung's GRU, a head, Adam in TensorFlow's form, the test loss after each update."""

    def __init__(self, data):
        self.data = data

    def forward(self, parameters, x):
        W, U, b, V, c = parameters
        H = U.shape[0]
        T, B, I = x.shape
        gates = (x.reshape(T * B, I) @ W + b).reshape(T, B, 3 * H)
        h = np.zeros((B, H), x.dtype)
        states = np.empty((T + 1, B, H), x.dtype)
        states[0] = h
        Urz, Un = U[:, :2 * H], U[:, 2 * H:]
        q = np.empty((T, B, H), x.dtype)
        for t in range(T):
            rz, n = gates[t, :, :2 * H], gates[t, :, 2 * H:]
            rz += h @ Urz
            sigmoid(rz, rz)
            np.multiply(rz[:, :H], h, out=q[t])
            n += q[t] @ Un
            np.tanh(n, out=n)
            h = np.add(h, rz[:, H:] * (n - h), out=states[t + 1])
        outputs = states[1:].reshape(T * B, H) @ V + c
        return gates, q, states, outputs.reshape(T, B, 1)

    def loss(self, parameters, x, y):
        error = self.forward(parameters, x)[3] - y
        return 0.5 * np.vdot(error, error) / x.shape[1]

    def loss_and_gradients(self, parameters, x, y):
        W, U, b, V, c = parameters
        H = U.shape[0]
        T, B, I = x.shape
        gates, q, states, outputs = self.forward(parameters, x)
        error = outputs - y
        loss = 0.5 * np.vdot(error, error) / B
        do = (error / B).reshape(T * B, 1)
        dV, dc = states[1:].reshape(T * B, H).T @ do, do.sum(axis=0)
        dy = (do @ V.T).reshape(T, B, H)
        dh = np.zeros((B, H), x.dtype)
        Urz, Un = U[:, :2 * H], U[:, 2 * H:]
        for t in reversed(range(T)):
            step, h = gates[t], states[t]
            r, z, n = step[:, :H], step[:, H:2 * H], step[:, 2 * H:]
            dh += dy[t]
            dn = dh * z
            dn *= 1 - n * n
            dz = dh * (n - h)
            dz *= z * (1 - z)
            dq = dn @ Un.T
            dh *= 1 - z
            dh += dq * r
            dr = dq * h
            dr *= r * (1 - r)
            step[:, :H], step[:, H:2 * H], step[:, 2 * H:] = dr, dz, dn
            dh += step[:, :2 * H] @ Urz.T
        rows = gates.reshape(T * B, 3 * H)
        dU = np.empty_like(U)
        dU[:, :2 * H] = states[:-1].reshape(T * B, H).T @ rows[:, :2 * H]
        dU[:, 2 * H:] = q.reshape(T * B, H).T @ rows[:, 2 * H:]
        return loss, [x.reshape(T * B, I).T @ rows, dU, rows.sum(axis=0), dV, dc]

    def train(self, iterations):
        """Losses [iterations, 2]. All parameters lie in one array, so that Adam is a few calls."""
        data = self.data
        flat = np.concatenate([p.ravel() for p in data.parameters])
        parameters, offset = [], 0
        for p in data.parameters:
            parameters.append(flat[offset:offset + p.size].reshape(p.shape))
            offset += p.size
        mean, square = np.zeros_like(flat), np.zeros_like(flat)
        losses = np.empty((iterations, 2))
        for t in range(1, iterations + 1):
            losses[t - 1, 0], gradients = self.loss_and_gradients(parameters, data.x, data.y)
            g = np.concatenate([d.ravel() for d in gradients])
            rate = LEARNING_RATE * (1 - BETA2 ** t) ** 0.5 / (1 - BETA1 ** t)
            mean += (1 - BETA1) * (g - mean)
            square += (1 - BETA2) * (g * g - square)
            flat -= rate * mean / (np.sqrt(square) + EPSILON)
            losses[t - 1, 1] = self.loss(parameters, data.test_x, data.test_y)
        return losses


class System:
    def hello(self):
        blas = [info for info in threadpoolctl.threadpool_info() if info["user_api"] == "blas"]
        kernels = ", ".join(f"{info['internal_api']} {info['version']} {info.get('architecture')}" for info in blas)
        return {"name": "NumPy", "version": np.__version__, "kernels": kernels}

    def prepare(self, spec):
        self.spec = spec
        if spec.mode == "job":
            self.job = Job(worker.JobData(spec))
            return "by hand"
        self.gru = GRU(spec) if spec.is_plain else numpy_network.Network(spec)
        self.dy = spec.dy() if spec.mode == "training" else None
        return "by hand"

    def check(self):
        if self.spec.mode == "job":
            return {"losses": self.job.train(worker.JOB_CHECK_ITERATIONS)}
        if self.spec.mode == "training":
            return {"y": self.gru.forward().copy()} | self.gru.backward(self.dy)
        if self.spec.mode == "stream":
            return {"y": self.stream(self.gru.x)}
        return {"y": self.gru.forward()}

    def stream(self, xs):
        """Step by step through xs [T, B, I], state carried."""
        gru, outputs = self.gru, []
        one = GRU(one_step(self.spec))
        for x in xs:
            one.x = x[None]
            one.h0 = one.forward()[0].copy()
            outputs.append(one.h0)
        return np.stack(outputs)

    def run(self, count):
        if self.spec.mode == "job":
            start = time.perf_counter()
            self.job.train(count)
            return time.perf_counter() - start
        gru = self.gru
        if self.spec.mode == "training":
            return worker.repeat(lambda: gru.training_step(self.dy))(count)
        if self.spec.mode == "stream":
            one = GRU(one_step(self.spec))
            one.x = self.spec.x()[:1]

            def step():
                np.copyto(one.h0, one.forward()[0])
            return worker.repeat(step)(count)
        return worker.repeat(gru.forward)(count)


def one_step(spec):
    class OneStep(worker.Spec):
        def x(self):
            return spec.x()[:1]
    return OneStep(**{**spec.__dict__, "steps": 1})


if __name__ == "__main__":
    worker.serve(System())
