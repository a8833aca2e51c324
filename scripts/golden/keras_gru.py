"""Golden fixtures of keras.layers.GRU(reset_after=False) in float64 on TensorFlow: variant resetBefore."""

import keras
import tensorflow as tf

from fixture import CASES, case_name, random_case, reordered, write_gru

SOURCE = f"keras {keras.__version__} layers.GRU(reset_after=False), tensorflow {tf.__version__}"
# Keras's weights in the order of layer.weights, by the names they have in the file.
NAMES = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0"]


def to_keras(value):
    return reordered(value.T, "rzn", "zrn")  # PyTorch's [3H, I] is Keras's [I, 3H]


def from_keras(value):
    return reordered(value, "zrn", "rzn").T


def batch_first(value):
    return tf.constant(value.swapaxes(0, 1))


def run(case, has_state):
    """Adds y, hn and the gradients of sum(y dy) + sum(hn dhn) to the case."""
    layer = keras.layers.GRU(
        case["h0"].shape[1], reset_after=False, return_sequences=True, return_state=True, dtype="float64"
    )
    x, h0 = batch_first(case["x"]), tf.constant(case["h0"])
    layer.build(x.shape)
    layer.set_weights([to_keras(case[name]) for name in NAMES])
    leaves = {"x": x} | dict(zip(NAMES, (weight.value for weight in layer.trainable_weights)))
    if has_state:
        leaves["h0"] = h0
    with tf.GradientTape() as tape:
        tape.watch(list(leaves.values()))
        y, hn = layer(x, initial_state=h0) if has_state else layer(x)
        objective = tf.reduce_sum(y * batch_first(case["dy"])) + tf.reduce_sum(hn * case["dhn"])
    gradients = {name: value.numpy() for name, value in tape.gradient(objective, leaves).items()}
    gradients["x"] = gradients["x"].swapaxes(0, 1)
    gradients |= {name: from_keras(gradients[name]) for name in NAMES}
    results = {"y": y.numpy().swapaxes(0, 1), "hn": hn.numpy()}
    return case | results | {f"grad.{name}": value for name, value in gradients.items()}


keras.config.set_floatx("float64")
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)

for shape, has_state in CASES:
    tensors = run(random_case(shape, has_state=has_state), has_state)
    write_gru(f"keras-resetBefore-{case_name(shape, has_state)}", SOURCE, "resetBefore", tensors)
