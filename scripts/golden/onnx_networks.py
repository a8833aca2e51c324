"""Golden fixtures of ONNX's operators GRU, LSTM and RNN: outputs only, from two engines.

onnxruntime-... are of ONNX Runtime in float32, on numbers that float32 holds: equal and ragged batches (sequence_lens), no
biases, every operator. onnx-... are of ONNX's own ReferenceEvaluator in float64. It takes no notice of sequence_lens,
and of activations in RNN it knows Tanh but not Relu, so ragged batches and rnn.relu are left to ONNX Runtime.
"""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from equations import SUFFIXES, family, layer_parameters
from fixture import TOLERANCE, configuration, random_network, reordered, write_network

# Float32 sums of a dozen terms of magnitude 1, over seven steps.
TOLERANCE_FLOAT32 = 1e-5
DIRECTIONS = {"forward": "forward", "backward": "reverse", "bidirectional": "bidirectional"}
# Gate orders, PyTorch's and ONNX's.
ORDERS = {"gru": ("rzn", "zrn"), "lstm": ("ifgo", "iofg"), "rnn": ("h", "h")}
CELLS = {
    "gru.resetBefore": ("GRU", {"linear_before_reset": 0}),
    "gru.resetAfter": ("GRU", {"linear_before_reset": 1}),
    "lstm.standard": ("LSTM", {}),
    "lstm.peephole": ("LSTM", {}),
    "rnn.tanh": ("RNN", {"activations": ["Tanh"]}),
    "rnn.relu": ("RNN", {"activations": ["Relu"]}),
}
INPUTS = ["X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"]


def stacked(facts, tensors, convert):
    """[D, ...]: what is made of each direction's parameters."""
    suffixes = SUFFIXES[facts["direction"]]
    return np.stack([convert(layer_parameters(facts, tensors, 0, suffix)) for suffix in suffixes])


def feed_of(facts, tensors, real):
    """The operator's inputs."""

    def gates(value):
        return reordered(value, *ORDERS[family(facts)], axis=0)

    feed = {
        "X": tensors["x"],
        "W": stacked(facts, tensors, lambda w: gates(w["weight_ih"])),
        "R": stacked(facts, tensors, lambda w: gates(w["weight_hh"])),
        "initial_h": tensors["h0"],
    }
    if facts["biases"] == "both":
        feed["B"] = stacked(facts, tensors, lambda w: np.concatenate([gates(w["bias_ih"]), gates(w["bias_hh"])]))
    if "c0" in tensors:
        feed["initial_c"] = tensors["c0"]
    if facts["cell"] == "lstm.peephole":
        feed["P"] = stacked(facts, tensors, lambda w: reordered(w["weight_ph"], "ifo", "iof"))
    feed = {name: value.astype(real) for name, value in feed.items()}
    if "lengths" in tensors:
        feed["sequence_lens"] = tensors["lengths"].astype(np.int32)
    return feed


def model_of(facts, feed):
    """A graph of the one operator; what is not in the feed is left out."""
    operator, attributes = CELLS[facts["cell"]]
    outputs = ["Y", "Y_h", "Y_c"] if operator == "LSTM" else ["Y", "Y_h"]
    if "activations" in attributes:
        attributes = {"activations": attributes["activations"] * len(feed["W"])}
    node = helper.make_node(
        operator,
        [name if name in feed else "" for name in INPUTS if operator == "LSTM" or name not in ("initial_c", "P")],
        outputs,
        hidden_size=facts["hiddenSize"],
        direction=DIRECTIONS[facts["direction"]],
        **attributes,
    )
    real = helper.np_dtype_to_tensor_dtype(feed["X"].dtype)
    types = {name: TensorProto.INT32 if name == "sequence_lens" else real for name in feed}
    graph = helper.make_graph(
        [node],
        "network",
        [helper.make_tensor_value_info(name, types[name], value.shape) for name, value in feed.items()],
        [helper.make_tensor_value_info(name, real, [None] * (4 if name == "Y" else 3)) for name in outputs],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def run_onnxruntime(model, feed):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, feed)


def run_reference(model, feed):
    return ReferenceEvaluator(model).run(None, feed)


# By the beginning of the files' names: source, how it runs, its numbers, how near it must be.
ENGINES = {
    "onnxruntime": (f"onnxruntime {onnxruntime.__version__}", run_onnxruntime, np.float32, TOLERANCE_FLOAT32),
    "onnx": (f"onnx {onnx.__version__} ReferenceEvaluator", run_reference, np.float64, TOLERANCE),
}


def write(engine, cell, direction, batch, biases="both"):
    facts = configuration(cell, direction, biases=biases)
    name = f"{engine}-{cell}-{direction}-{batch}" + ("-unbiased" if biases == "none" else "")
    version, run, real, tolerance = ENGINES[engine]
    case = random_network(name, facts, batch, real)
    case = {name: value for name, value in case.items() if name not in ("dy", "dhn", "dcn")}
    feed = feed_of(facts, case, real)
    y, *last = (value.astype(np.float64) for value in run(model_of(facts, feed), feed))
    # ONNX's Y is [T, D, B, H].
    case["y"] = np.concatenate(list(y.swapaxes(0, 1)), axis=-1)
    case |= dict(zip(("hn", "cn"), last))
    operator, attributes = CELLS[cell]
    options = [f"{key}={value}" for key, value in attributes.items()] + ["P"] * (cell == "lstm.peephole")
    write_network(name, f"{version} {operator}({', '.join(options)})", facts, case, tolerance)


for cell in CELLS:
    for direction in DIRECTIONS:
        for batch in ("equal", "ragged"):
            write("onnxruntime", cell, direction, batch)
        if cell != "rnn.relu":
            write("onnx", cell, direction, "equal")
for cell in ("gru.resetBefore", "gru.resetAfter", "lstm.standard", "rnn.tanh"):
    write("onnxruntime", cell, "bidirectional", "ragged", "none")
