"""Keras on TensorFlow: its recurrent layers in a tf.function, with and without XLA, the faster kept; ragged batches with a
mask; the addition job as one graph.
"""

import os
import time

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

import keras
import numpy as np
import tensorflow as tf

import worker
from worker import BETA1, BETA2, EPSILON, LEARNING_RATE

THREADS = int(os.environ["SLUICE_PEERS_THREADS"])
tf.config.threading.set_intra_op_parallelism_threads(THREADS)
tf.config.threading.set_inter_op_parallelism_threads(THREADS)


def loss(parameters, x, y):
    """The addition job's: Chung's GRU."""
    W, U, b, V, c = parameters
    H = U.shape[0]
    T, B, I = x.shape
    gates = tf.reshape(tf.reshape(x, [T * B, I]) @ W + b, [T, B, 3 * H])
    h, states = tf.zeros([B, H], x.dtype), []
    for t in range(T):
        rz = tf.sigmoid(gates[t, :, :2 * H] + h @ U[:, :2 * H])
        r, z = rz[:, :H], rz[:, H:]
        n = tf.tanh(gates[t, :, 2 * H:] + (r * h) @ U[:, 2 * H:])
        h = h + z * (n - h)
        states.append(h)
    error = tf.reshape(tf.reshape(tf.stack(states), [T * B, H]) @ V + c, [T, B, 1]) - y
    return 0.5 * tf.reduce_sum(error * error) / B


def train(parameters, x, y, test_x, test_y, iterations):
    count = len(parameters)

    def body(i, losses, *carry):
        parameters, mean, square = carry[:count], carry[count:2 * count], carry[2 * count:]
        with tf.GradientTape() as tape:
            tape.watch(parameters)
            value = loss(parameters, x, y)
        gradients = tape.gradient(value, parameters)
        t = tf.cast(i + 1, x.dtype)
        rate = LEARNING_RATE * tf.sqrt(1 - tf.pow(tf.constant(BETA2, x.dtype), t)) / (1 - tf.pow(tf.constant(BETA1, x.dtype), t))
        mean = [BETA1 * m + (1 - BETA1) * g for m, g in zip(mean, gradients)]
        square = [BETA2 * v + (1 - BETA2) * g * g for v, g in zip(square, gradients)]
        parameters = [p - rate * m / (tf.sqrt(v) + EPSILON) for p, m, v in zip(parameters, mean, square)]
        losses = losses.write(i, tf.stack([value, loss(parameters, test_x, test_y)]))
        return (i + 1, losses, *parameters, *mean, *square)

    losses = tf.TensorArray(x.dtype, size=iterations, element_shape=[2])
    zeros = [tf.zeros_like(p) for p in parameters]
    result = tf.while_loop(
        lambda i, *_: i < iterations, body, (tf.constant(0), losses, *parameters, *zeros, *zeros),
        maximum_iterations=iterations)
    return result[1].stack()


class System:
    def hello(self):
        return {"name": "Keras", "version": f"{keras.__version__} on TensorFlow {tf.__version__}", "kernels": "oneDNN, Eigen, XLA"}

    def prepare(self, spec):
        self.spec = spec
        keras.backend.clear_session()
        if spec.mode == "job":
            data = worker.JobData(spec)
            constant = tf.constant
            self.arguments = ([constant(p) for p in data.parameters],
                              *map(constant, (data.x, data.y, data.test_x, data.test_y)))
            self.compiled = {}
            way, _ = worker.fastest({
                name: (lambda xla=xla: lambda count: self.train(100, xla)[0])
                for name, xla in (("one graph", False), ("one graph, XLA", True))})
            self.xla = way.endswith("XLA")
            return way
        self.x = tf.constant(np.ascontiguousarray(spec.x().transpose(1, 0, 2)))
        self.mask = tf.constant(np.ascontiguousarray(spec.mask().T)) if spec.lengths else None
        self.dy = tf.constant(np.ascontiguousarray(spec.dy().transpose(1, 0, 2))) if spec.mode == "training" else None
        functions = {}

        def make(unroll, xla):
            function = self.function(unroll, xla)
            functions[unroll, xla] = function
            return self.timed_run(function)
        ways = {}
        for unroll in (False, True) if 1 < spec.steps <= 10 and spec.mode != "stream" else (False,):
            for xla in (False, True):
                name = "tf.function" + (", unroll" if unroll else "") + (", XLA" if xla else "")
                ways[name] = lambda unroll=unroll, xla=xla: make(unroll, xla)
        way, self.timed = worker.fastest(ways)
        self.chosen = functions["unroll" in way, "XLA" in way]
        return way

    def layer(self, number, unroll):
        spec = self.spec
        kind = {"gru": keras.layers.GRU, "lstm": keras.layers.LSTM, "rnn": keras.layers.SimpleRNN}[spec.family]
        options = {"reset_after": spec.cell == "gru.resetAfter"} if spec.family == "gru" else {}
        layer = kind(spec.hidden, return_sequences=True, unroll=unroll, dtype=self.x.dtype.name, **options)
        if spec.directions == 2:
            layer = keras.layers.Bidirectional(layer, dtype=self.x.dtype.name)
        layer.build((spec.batch, self.x.shape[1], spec.inputs_of(number)))
        layer.set_weights([array for w in spec.scans(number) for array in self.to_keras(w)])
        return layer

    def to_keras(self, w):
        """A scan's kernel, recurrent kernel and bias: gates z, r, h of a GRU; one bias but with the reset gate after."""
        gates = self.gates
        kernels = [gates(w["weight_ih"].T, 1), gates(w["weight_hh"].T, 1)]
        if self.spec.cell == "gru.resetAfter":
            return [*kernels, np.stack([gates(w["bias_ih"], 0), gates(w["bias_hh"], 0)])]
        return [*kernels, gates(w["bias_ih"] + w.get("bias_hh", 0), 0)]

    def from_keras(self, gradients):
        """The gradients of all layers' `to_keras`, as those of PyTorch's parameters."""
        gates, result = self.gates, {}
        for end in [end for layer in range(self.spec.layers) for end in self.spec.suffixes(layer)]:
            dW, dU, db, *gradients = gradients
            biases = db if self.spec.cell == "gru.resetAfter" else [db, db]
            values = {"weight_ih": gates(dW.T, 0), "weight_hh": gates(dU.T, 0),
                      "bias_ih": gates(biases[0], 0), "bias_hh": gates(biases[1], 0)}
            result |= {f"d{name}{end}": value for name, value in values.items()}
        return result

    def gates(self, array, axis):
        """A GRU's gates r, z, n to z, r, h, or back; of other cells they stand as in PyTorch."""
        if self.spec.family != "gru":
            return array
        r, z, n = np.split(array, 3, axis=axis)
        return np.concatenate([z, r, n], axis=axis)

    def function(self, unroll, xla):
        spec, mask = self.spec, self.mask
        if spec.mode == "stream":
            layer = self.layer(0, False)
            return tf.function(lambda x, h: layer.cell(x, [h])[0], jit_compile=xla)
        layers = [self.layer(number, unroll) for number in range(spec.layers)]

        def network(x, training):
            for layer in layers:
                x = layer(x, mask=mask, training=training)
            return x
        if spec.mode == "forward":
            return tf.function(lambda x: network(x, False), jit_compile=xla)
        variables = [v.value for layer in layers for v in layer.trainable_variables]

        def step(x, dy):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = network(x, True)
            return (y, *tape.gradient(y, [*variables, x], output_gradients=dy))
        return tf.function(step, jit_compile=xla)

    def timed_run(self, function):
        if self.spec.mode == "forward":
            return worker.repeat(lambda: function(self.x))
        if self.spec.mode == "training":
            return worker.repeat(lambda: function(self.x, self.dy))
        x, state = self.x[:, 0], [tf.zeros([self.spec.batch, self.spec.hidden], self.x.dtype)]

        def step():
            state[0] = function(x, state[0])
        return worker.repeat(step)

    def check(self):
        mode, H = self.spec.mode, self.spec.hidden
        if mode == "job":
            return {"losses": self.train(worker.JOB_CHECK_ITERATIONS, self.xla)[1]}
        if mode == "forward":
            return {"y": self.time_major(self.chosen(self.x))}
        if mode == "stream":
            h, states = tf.zeros([self.spec.batch, H], self.x.dtype), []
            for t in range(self.x.shape[1]):
                h = self.chosen(self.x[:, t], h)
                states.append(h.numpy())
            return {"y": np.stack(states)}
        y, *gradients, dx = self.chosen(self.x, self.dy)
        return {"y": self.time_major(y), "dx": self.time_major(dx)} | self.from_keras([g.numpy() for g in gradients])

    def time_major(self, tensor):
        """[T, B, n], zero behind the ends, where Keras repeats the last output."""
        return tensor.numpy().transpose(1, 0, 2) * self.spec.mask()[:, :, None]

    def train(self, iterations, xla):
        key = iterations, xla
        if key not in self.compiled:
            self.compiled[key] = tf.function(lambda *arguments: train(*arguments, iterations), jit_compile=xla)
            self.compiled[key](*self.arguments).numpy()
        start = time.perf_counter()
        losses = self.compiled[key](*self.arguments).numpy()
        return time.perf_counter() - start, losses

    def run(self, count):
        return self.train(count, self.xla)[0] if self.spec.mode == "job" else self.timed(count)


if __name__ == "__main__":
    worker.serve(System())
