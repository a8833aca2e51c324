"""Any network in NumPy, written for reading: backpropagation through time, what the forms beside the plain GRU are checked
against.

    forward     for each layer and direction, step by step: (state before, kept) -> state after
    backward    the layers from the last to the first, the steps in the opposite order, gradients added up

Shape letters: T steps, B sequences, I inputs, H hidden, P the state h (H, or the projection's width). Parameters have
PyTorch's names, layout and gate orders. Behind a sequence's end its state stays, and what it puts out is zero.
"""

import numpy as np


def sigmoid(a):
    return 0.5 + 0.5 * np.tanh(0.5 * a)


# MARK: Cells
#
# forward(w, gx, h, c) -> (h, c, kept), gx = x weight_ih' + bias_ih; c is None where the cell has none.
# backward(w, dw, kept, dh, dc) -> (dgx, dh, dc) of the step before; adds to dw.


class LSTM:
    """c' = f c + i g, h' = (o tanh c') weight_hr'."""

    @staticmethod
    def forward(w, gx, h, c):
        i, f, g, o = np.split(gx + h @ w["weight_hh"].T + w["bias_hh"], 4, axis=1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        next_c = f * c + i * g
        wide = o * np.tanh(next_c)
        next_h = wide @ w["weight_hr"].T if "weight_hr" in w else wide
        return next_h, next_c, (h, c, next_c, wide, i, f, g, o)

    @staticmethod
    def backward(w, dw, kept, dh, dc):
        h, c, next_c, wide, i, f, g, o = kept
        if "weight_hr" in w:
            dw["weight_hr"] += dh.T @ wide
            dh = dh @ w["weight_hr"]
        tanh_c = np.tanh(next_c)
        dc = dc + dh * o * (1 - tanh_c**2)
        da = np.concatenate(
            [dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g**2), dh * tanh_c * o * (1 - o)], axis=1)
        dw["weight_hh"] += da.T @ h
        dw["bias_hh"] += da.sum(axis=0)
        return da, da @ w["weight_hh"], dc * f


class RNN:
    """h' = tanh(gx + h weight_hh')."""

    @staticmethod
    def forward(w, gx, h, c):
        next_h = np.tanh(gx + h @ w["weight_hh"].T + w["bias_hh"])
        return next_h, None, (h, next_h)

    @staticmethod
    def backward(w, dw, kept, dh, dc):
        h, next_h = kept
        da = dh * (1 - next_h**2)
        dw["weight_hh"] += da.T @ h
        dw["bias_hh"] += da.sum(axis=0)
        return da, da @ w["weight_hh"], None


class GRU:
    """h' = n + z (h - n), n = tanh(gx_n + r (h U_n + b_n)): the reset gate after the product."""

    @staticmethod
    def forward(w, gx, h, c):
        gx_r, gx_z, gx_n = np.split(gx, 3, axis=1)
        gh_r, gh_z, q = np.split(h @ w["weight_hh"].T + w["bias_hh"], 3, axis=1)
        r, z = sigmoid(gx_r + gh_r), sigmoid(gx_z + gh_z)
        n = np.tanh(gx_n + r * q)
        return n + z * (h - n), None, (h, r, z, n, q)

    @staticmethod
    def backward(w, dw, kept, dh, dc):
        h, r, z, n, q = kept
        dn = dh * (1 - z) * (1 - n**2)
        dr, dz = dn * q * r * (1 - r), dh * (h - n) * z * (1 - z)
        dgh = np.concatenate([dr, dz, dn * r], axis=1)
        dw["weight_hh"] += dgh.T @ h
        dw["bias_hh"] += dgh.sum(axis=0)
        return np.concatenate([dr, dz, dn], axis=1), dh * z + dgh @ w["weight_hh"], None


class GRUResetBefore:
    """h' = n + z (h - n), n = tanh(gx_n + (r h) U_n): the reset gate before the product, one bias."""

    @staticmethod
    def forward(w, gx, h, c):
        H = h.shape[1]
        r, z = np.split(sigmoid(gx[:, :2 * H] + h @ w["weight_hh"][:2 * H].T), 2, axis=1)
        n = np.tanh(gx[:, 2 * H:] + (r * h) @ w["weight_hh"][2 * H:].T)
        return n + z * (h - n), None, (h, r, z, n)

    @staticmethod
    def backward(w, dw, kept, dh, dc):
        h, r, z, n = kept
        H = h.shape[1]
        dn = dh * (1 - z) * (1 - n**2)
        dreset = dn @ w["weight_hh"][2 * H:]
        drz = np.concatenate([dreset * h * r * (1 - r), dh * (h - n) * z * (1 - z)], axis=1)
        dw["weight_hh"][:2 * H] += drz.T @ h
        dw["weight_hh"][2 * H:] += dn.T @ (r * h)
        return np.concatenate([drz, dn], axis=1), dh * z + dreset * r + drz @ w["weight_hh"][:2 * H], None


CELLS = {"lstm.standard": LSTM, "rnn.tanh": RNN, "gru.resetAfter": GRU, "gru.resetBefore": GRUResetBefore}


# MARK: Layers


class Scan:
    """One direction of a layer."""

    def __init__(self, spec, w, is_reversed):
        self.spec, self.w, self.cell = spec, w, CELLS[spec.cell]
        self.order = range(spec.steps)[::-1 if is_reversed else 1]
        self.mask = spec.mask()[:, :, None]

    def zeros(self):
        """Of h, or its gradient, and of c where the cell has one."""
        B, dtype = self.spec.batch, self.spec.dtype
        has_c = self.spec.family == "lstm"
        return np.zeros((B, self.spec.state), dtype), np.zeros((B, self.spec.hidden), dtype) if has_c else None

    def forward(self, x):
        self.x = x
        gx = x @ self.w["weight_ih"].T + self.w["bias_ih"]
        y, self.kept = np.zeros((*x.shape[:2], self.spec.state), x.dtype), {}
        h, c = self.zeros()
        for t in self.order:
            next_h, next_c, self.kept[t] = self.cell.forward(self.w, gx[t], h, c)
            here = self.mask[t]
            y[t] = np.where(here, next_h, 0)
            h, c = np.where(here, next_h, h), None if c is None else np.where(here, next_c, c)
        return y

    def backward(self, dy):
        """The gradients of the parameters and of x."""
        w, x = self.w, self.x
        dw = {name: np.zeros_like(value) for name, value in w.items()}
        dgx = np.zeros((*x.shape[:2], len(w["weight_ih"])), x.dtype)
        dh, dc = self.zeros()
        for t in reversed(self.order):
            here = self.mask[t]
            # Behind its end a sequence has nothing to give, and what it is given passes through.
            step_dh, step_dc = np.where(here, dh + dy[t], 0), None if dc is None else np.where(here, dc, 0)
            dgx[t], before_dh, before_dc = self.cell.backward(w, dw, self.kept[t], step_dh, step_dc)
            dh, dc = np.where(here, before_dh, dh), None if dc is None else np.where(here, before_dc, dc)
        rows = dgx.reshape(-1, dgx.shape[-1])
        dw["weight_ih"] += rows.T @ x.reshape(len(rows), -1)
        dw["bias_ih"] += rows.sum(axis=0)
        return dw, dgx @ w["weight_ih"]


class Network:
    def __init__(self, spec):
        self.spec = spec
        self.layers = [
            [Scan(spec, w, is_reversed=bool(direction)) for direction, w in enumerate(spec.scans(layer))]
            for layer in range(spec.layers)]

    def forward(self):
        y = self.spec.x()
        for scans in self.layers:
            y = np.concatenate([scan.forward(y) for scan in scans], axis=2)
        return y

    def backward(self, dy):
        gradients = {}
        for layer, scans in reversed(list(enumerate(self.layers))):
            parts = np.split(dy, len(scans), axis=2)
            dy = 0
            for scan, end, part in zip(scans, self.spec.suffixes(layer), parts):
                dw, dx = scan.backward(part)
                gradients |= {f"d{name}{end}": value for name, value in dw.items()}
                dy = dy + dx
        return gradients | {"dx": dy}
