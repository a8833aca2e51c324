"""Golden fixtures of Keras's recurrent layers in float64 on TensorFlow, in stacks, ragged batches by a mask.

What Keras does with a mask whose steps are left-aligned is what a packed sequence does: a masked step leaves the state
as it was, so that a layer which goes backwards comes to a sequence's own last step with its initial state. Two things are
put right here: a layer that goes backwards puts out its steps in the order it took them, and one that is not
Bidirectional repeats the last output on the padding, where the files have zeros.
"""

from functools import partial

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from equations import SUFFIXES, family, layer_parameters, running_steps
from fixture import CONSTANTS, configuration, random_network, reordered, write_network

LAYERS = {
    "gru.resetBefore": ("GRU(reset_after=False)", partial(layers.GRU, reset_after=False)),
    "gru.resetAfter": ("GRU(reset_after=True)", partial(layers.GRU, reset_after=True)),
    "lstm.standard": ("LSTM", layers.LSTM),
    "rnn.tanh": ("SimpleRNN", layers.SimpleRNN),
    "rnn.relu": ("SimpleRNN(activation='relu')", partial(layers.SimpleRNN, activation="relu")),
}
MERGE_MODES = {"bidirectional": "concat", "bidirectionalSum": "sum"}
# Gate orders, PyTorch's and Keras's.
ORDERS = {"gru": ("rzn", "zrn"), "lstm": ("ifgo", "ifgo"), "rnn": ("h", "h")}


def to_keras(facts, w):
    """One direction's parameters as Keras's list of weights: matrices transposed, two biases as two rows."""
    torch_order, keras_order = ORDERS[family(facts)]
    values = [w["weight_ih"].T, w["weight_hh"].T]
    if facts["biases"] != "none":
        values.append(np.stack([w["bias_ih"], w["bias_hh"]]) if facts["biases"] == "both" else w["bias_ih"])
    return [reordered(value, torch_order, keras_order) for value in values]


def from_keras(facts, values):
    torch_order, keras_order = ORDERS[family(facts)]
    kernel, recurrent, *biases = [reordered(value, keras_order, torch_order) for value in values]
    if facts["biases"] == "both":
        biases = biases[0]
    return dict(zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), (kernel.T, recurrent.T, *biases)))


def stack_of(facts, tensors):
    """The layers, with their weights."""
    _, make = LAYERS[facts["cell"]]
    inputs, result = facts["inputSize"], []
    for number in range(facts["layers"]):
        layer = make(
            facts["hiddenSize"],
            use_bias=facts["biases"] != "none",
            go_backwards=facts["direction"] == "backward",
            return_sequences=True,
            return_state=True,
            dtype="float64",
        )
        if facts["direction"] in MERGE_MODES:
            layer = layers.Bidirectional(layer, merge_mode=MERGE_MODES[facts["direction"]], dtype="float64")
        layer.build((None, None, inputs))
        weights = []
        for suffix in SUFFIXES[facts["direction"]]:
            weights += to_keras(facts, layer_parameters(facts, tensors, number, suffix))
        layer.set_weights(weights)
        inputs = facts["hiddenSize"] * (2 if facts["direction"] == "bidirectional" else 1)
        result.append(layer)
    return result


def run(facts, tensors):
    """Adds the outputs and the gradients of sum(y dy) + sum(hn dhn) + sum(cn dcn)."""
    stack = stack_of(facts, tensors)
    suffixes = SUFFIXES[facts["direction"]]
    running = running_steps(tensors)
    mask = tf.constant(running.T) if "lengths" in tensors else None
    inputs = {name: tf.constant(tensors[name]) for name in ("x", "h0", "c0") if name in tensors}
    weights = [[weight.value for weight in layer.trainable_weights] for layer in stack]
    initial = [inputs[name] for name in ("h0", "c0") if name in inputs]
    with tf.GradientTape() as tape:
        tape.watch([inputs, weights])
        y, last = tf.transpose(inputs["x"], (1, 0, 2)), []
        for layer in stack:
            rows = range(len(last) // len(initial), len(last) // len(initial) + len(suffixes))
            y, *states = layer(y, mask=mask, initial_state=[state[row] for row in rows for state in initial])
            last += states
            if facts["direction"] == "backward":
                y = tf.reverse(y, [1])
        outputs = {"y": tf.transpose(y, (1, 0, 2)) * running[..., None]}
        outputs |= {name: tf.stack(last[i :: len(initial)]) for i, name in zip(range(len(initial)), ("hn", "cn"))}
        objective = sum(tf.reduce_sum(value * tensors[f"d{name}"]) for name, value in outputs.items())
    input_gradients, weight_gradients = tape.gradient(objective, [inputs, weights])
    gradients = {name: value.numpy() for name, value in input_gradients.items()}
    for number, values in enumerate(weight_gradients):
        for suffix, part in zip(suffixes, np.split(np.arange(len(values)), len(suffixes))):
            converted = from_keras(facts, [values[i].numpy() for i in part])
            gradients |= {f"{name}_l{number}{suffix}": value for name, value in converted.items()}
    assert gradients.keys() == tensors.keys() - set(CONSTANTS)
    results = {name: value.numpy() for name, value in outputs.items()}
    return tensors | results | {f"grad.{name}": value for name, value in gradients.items()}


def write(cell, depth, direction, batch, biased=True):
    biases = ("both" if cell == "gru.resetAfter" else "input") if biased else "none"
    facts = configuration(cell, direction, depth, biases)
    name = f"keras-{cell}-L{depth}-{direction}-{batch}" + ("" if biased else "-unbiased")
    source = f"keras {keras.__version__} layers.{LAYERS[cell][0]}, tensorflow {tf.__version__}"
    write_network(name, source, facts, run(facts, random_network(name, facts, batch)))


keras.config.set_floatx("float64")
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)

for cell in LAYERS:
    for direction in SUFFIXES:
        write(cell, 1, direction, "equal")
        write(cell, 2, direction, "ragged")
for cell in ("gru.resetBefore", "gru.resetAfter", "lstm.standard"):
    write(cell, 1, "bidirectional", "ragged", biased=False)
