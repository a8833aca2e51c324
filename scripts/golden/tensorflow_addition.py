"""Golden fixtures of the original system, a TensorFlow 1 graph: variant chung2014, binary addition, Adam.

The graph is built as the original builds it: nine weight variables, tf.scan over the steps, a linear output layer,
tf.compat.v1.train.AdamOptimizer.
"""

import numpy as np
import tensorflow.compat.v1 as tf

from equations import gru
from fixture import Fixture, case_name, gradient, random_case, write_gru

tf.disable_v2_behavior()
# Reads of a resource variable are copies, so no read can see a later update of the same run.
tf.enable_resource_variables()

VERSION = f"tensorflow {tf.__version__}"
SEED = 1040
HIDDEN, BITS, EXAMPLES, ITERATIONS = 16, 5, 100, 10
# The name in the file and the letter of the original.
LETTERS = {"weight_ih_l0": "W", "weight_hh_l0": "U", "bias_ih_l0": "b"}
# One thread: sums are taken in the same order each time.
CONFIG = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)


def gru_graph(x, h0, w):
    """The original's GRU over `x [T, B, I]` from `h0 [B, H]`. Returns `y [T, B, H]`."""

    def step(h, x_t):
        r = tf.sigmoid(tf.matmul(x_t, w["W_r"]) + tf.matmul(h, w["U_r"]) + w["b_r"])
        z = tf.sigmoid(tf.matmul(x_t, w["W_z"]) + tf.matmul(h, w["U_z"]) + w["b_z"])
        n = tf.tanh(tf.matmul(x_t, w["W_n"]) + tf.matmul(r * h, w["U_n"]) + w["b_n"])
        return (1 - z) * h + z * n

    return tf.scan(step, x, initializer=h0)


def to_torch(values):
    """The original's arrays by PyTorch's names: gates r, z, n stacked and matrices transposed."""
    result = {
        name: np.concatenate([values[f"{letter}_{gate}"] for gate in "rzn"], axis=-1).T
        for name, letter in LETTERS.items()
    }
    if "V" in values:
        result |= {"head.weight": values["V"].T, "head.bias": values["c"]}
    return result


def prefixed(prefix, tensors):
    return {f"{prefix}.{name}": value for name, value in tensors.items()}


# The large random case.


def write_random_case():
    shape = (6, 4, 2, 7)
    case = random_case(shape, std=0.5)
    with tf.Graph().as_default(), tf.Session(config=CONFIG) as session:
        x, h0 = (tf.placeholder(tf.float64, case[name].shape) for name in ("x", "h0"))
        w = {
            f"{letter}_{gate}": tf.Variable(value.T)
            for name, letter in LETTERS.items()
            for gate, value in zip("rzn", np.split(case[name], 3))
        }
        y = gru_graph(x, h0, w)
        hn = y[-1]
        objective = tf.reduce_sum(y * case["dy"]) + tf.reduce_sum(hn * case["dhn"])
        leaves = {"x": x, "h0": h0} | w
        gradients = dict(zip(leaves, tf.gradients(objective, list(leaves.values()))))
        session.run(tf.global_variables_initializer())
        results, gradients = session.run([{"y": y, "hn": hn}, gradients], {x: case["x"], h0: case["h0"]})
    gradients |= to_torch(gradients)
    results |= {f"grad.{name}": gradients[name] for name in ["x", "h0", *LETTERS]}
    write_gru(f"tensorflow-chung2014-{case_name(shape)}", f"{VERSION} tf.scan", "chung2014", case | results)


# The learning task.


def examples(random):
    """Sums a + b, least significant bit first: `x [B, T, 2]`, `y [B, T, 1]`."""
    a, b = random.integers(0, 2 ** (BITS - 1) - 1, size=(2, EXAMPLES))  # upper end excluded
    bits = (np.stack([a, b, a + b], axis=-1)[:, None] >> np.arange(BITS)[:, None] & 1).astype(np.float64)
    return bits[..., :2], bits[..., 2:]


def train(adam, data):
    """Trains from seeded weights. Returns them, the first outputs and gradients, the losses and the final weights."""
    with tf.Graph().as_default(), tf.Session(config=CONFIG) as session:
        tf.set_random_seed(SEED)

        def weight(*shape):
            return tf.Variable(tf.truncated_normal(shape, stddev=0.01, dtype=tf.float64, seed=len(w)))

        w = {}
        for gate in "rzn":
            w[f"W_{gate}"] = weight(2, HIDDEN)
            w[f"U_{gate}"] = weight(HIDDEN, HIDDEN)
            w[f"b_{gate}"] = weight(HIDDEN)
        w["V"], w["c"] = weight(HIDDEN, 1), weight(1)

        x = tf.placeholder(tf.float64, [None, None, 2])
        target = tf.placeholder(tf.float64, [None, None, 1])
        batch = tf.shape(x)[0]
        states = gru_graph(tf.transpose(x, [1, 0, 2]), tf.zeros([batch, HIDDEN], tf.float64), w)
        output = tf.tensordot(tf.transpose(states, [1, 0, 2]), w["V"], 1) + w["c"]
        loss = tf.reduce_sum(0.5 * (output - target) ** 2) / tf.cast(batch, tf.float64)

        optimizer = adam()
        gradients = optimizer.compute_gradients(loss, list(w.values()))
        # The original fetches the train op and the loss in one run. The updates wait for the loss, so what is
        # fetched is always the loss before the update.
        with tf.control_dependencies([loss]):
            train_op = optimizer.apply_gradients(gradients)
        gradients = {name: value for name, (value, _) in zip(w, gradients)}

        session.run(tf.global_variables_initializer())
        train_feed, test_feed = ({x: data[f"x_{part}"], target: data[f"y_{part}"]} for part in ("train", "test"))
        initial, output0, gradients = session.run([w, output, gradients], train_feed)
        result = to_torch(initial) | {"output0": output0} | prefixed("grad", to_torch(gradients))
        train_loss, test_loss = [], []
        for _ in range(ITERATIONS):
            before = session.run(loss, train_feed)
            train_loss.append(session.run([train_op, loss], train_feed)[1])
            test_loss.append(session.run(loss, test_feed))
            assert train_loss[-1] == before != session.run(loss, train_feed)
        result |= {"train_loss": np.array(train_loss), "test_loss": np.array(test_loss)}
        return result | prefixed("final", to_torch(session.run(w)))


def adam_float32():
    """The original's. TensorFlow makes float32 constants of the numbers (and keeps b1^t and b2^t as float32 variables),
    and widens them for each update of the float64 weights."""
    return tf.train.AdamOptimizer(0.001)


def adam_float64():
    """The same optimiser with its constants given as float64 tensors."""
    return tf.train.AdamOptimizer(*(tf.constant(value, tf.float64) for value in (0.001, 0.9, 0.999, 1e-8)))


def output_of(tensors, x):
    y = gru("chung2014", tensors | {"x": x, "h0": np.zeros((x.shape[1], HIDDEN))})["y"]
    return y @ tensors["head.weight"].T + tensors["head.bias"]


def loss_of(tensors, part):
    error = output_of(tensors, tensors[f"x_{part}"]) - tensors[f"y_{part}"]
    return np.sum(0.5 * error**2) / EXAMPLES


def check_training(fixture, prefix, real):
    """Repeats the training in NumPy with Adam's constants rounded to `real`, and checks all that the peer reported."""
    names = [*LETTERS, "head.weight", "head.bias"]
    tensors = dict(fixture.tensors)
    rate, b1, b2, epsilon = (real(value) for value in (0.001, 0.9, 0.999, 1e-8))
    b1_power, b2_power = b1, b2  # multiplied up in `real`, as TensorFlow does
    m, v = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    train_loss, test_loss = [], []
    fixture.check("output0", output_of(tensors, tensors["x_train"]))
    for iteration in range(ITERATIONS):
        train_loss.append(loss_of(tensors, "train"))
        gradients = {name: gradient(lambda t: loss_of(t, "train"), tensors, name) for name in names}
        step = float(rate) * np.sqrt(1 - float(b2_power)) / (1 - float(b1_power))
        for name, g in gradients.items():
            if iteration == 0:
                fixture.check(f"grad.{name}", g)
            m[name] = float(b1) * m[name] + (1 - float(b1)) * g
            v[name] = float(b2) * v[name] + (1 - float(b2)) * g**2
            tensors[name] = tensors[name] - step * m[name] / (np.sqrt(v[name]) + float(epsilon))
        b1_power, b2_power = b1_power * b1, b2_power * b2
        test_loss.append(loss_of(tensors, "test"))
    fixture.check(f"{prefix}train_loss", train_loss)
    fixture.check(f"{prefix}test_loss", test_loss)
    for name in names:
        fixture.check(f"{prefix}final.{name}", tensors[name])


def write_addition():
    random = np.random.default_rng(SEED)
    data = {}
    for part in ("train", "test"):
        data[f"x_{part}"], data[f"y_{part}"] = examples(random)
    original, exact = train(adam_float32, data), train(adam_float64, data)
    for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "head.weight", "head.bias"):
        assert np.array_equal(original[name], exact[name]), "the two runs start from different weights"
    curves = {name: exact[name] for name in exact if name.endswith("_loss") or name.startswith("final.")}
    tensors = data | original | prefixed("adam64", curves)
    for name in ("x_train", "y_train", "x_test", "y_test", "output0"):
        tensors[name] = tensors[name].swapaxes(0, 1)  # the original has [B, T, ...], the files [T, B, ...]
    fixture = Fixture(
        "tensorflow-chung2014-addition",
        f"{VERSION} tf.scan, tf.compat.v1.train.AdamOptimizer",
        {"variant": "chung2014"},
        tensors,
    )
    check_training(fixture, "", np.float32)
    check_training(fixture, "adam64.", np.float64)
    fixture.write()


write_random_case()
write_addition()
