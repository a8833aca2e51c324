"""The network as an ONNX model. Inputs x and the first layer's state h; outputs y [T, D, B, H] and the new state h_out."""

import numpy as np
import onnx
from onnx import helper, numpy_helper

# Gates in ONNX's order: GRU z, r, h, LSTM i, o, f, c.
ORDERS = {"gru": [1, 0, 2], "lstm": [0, 3, 1, 2], "rnn": [0]}


def network(spec, steps):
    B, I, H, D = spec.batch, spec.inputs, spec.hidden, spec.directions
    kind = onnx.TensorProto.FLOAT if spec.scalar == "float" else onnx.TensorProto.DOUBLE
    constants, nodes = {}, []
    if spec.lengths:
        constants["lengths"] = np.array(spec.lengths, np.int32)
    if spec.layers > 1:
        constants["rows"] = np.array([steps, B, D * H])

    def gates(array):
        parts = np.split(array, spec.gates)
        return np.concatenate([parts[k] for k in ORDERS[spec.family]])

    value = "x"
    for layer in range(spec.layers):
        if layer:  # [T, D, B, H] to [T, B, D H]
            nodes.append(helper.make_node("Transpose", [value], [f"turned{layer}"], perm=[0, 2, 1, 3]))
            nodes.append(helper.make_node("Reshape", [f"turned{layer}", "rows"], [f"x{layer}"]))
            value = f"x{layer}"
        scans = spec.scans(layer)
        constants |= {
            f"W{layer}": np.stack([gates(w["weight_ih"]) for w in scans]),
            f"R{layer}": np.stack([gates(w["weight_hh"]) for w in scans]),
            f"B{layer}": np.stack([np.concatenate([
                gates(w["bias_ih"]), gates(w.get("bias_hh", np.zeros_like(w["bias_ih"])))]) for w in scans])}
        options = {"linear_before_reset": int(spec.cell == "gru.resetAfter")} if spec.family == "gru" else {}
        output = "y" if layer == spec.layers - 1 else f"y{layer}"
        nodes.append(helper.make_node(
            spec.family.upper(),
            [value, f"W{layer}", f"R{layer}", f"B{layer}", "lengths" if spec.lengths else ""] + ["h"] * (not layer),
            [output] + ["h_out"] * (not layer), hidden_size=H, direction=spec.direction, **options))
        value = output
    tensor = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "network", [tensor("x", kind, [steps, B, I]), tensor("h", kind, [D, B, H])],
        [tensor("y", kind, [steps, D, B, H]), tensor("h_out", kind, [D, B, H])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def time_major(spec, y):
    """[T, B, D H]."""
    return y.transpose(0, 2, 1, 3).reshape(y.shape[0], spec.batch, spec.outputs)
