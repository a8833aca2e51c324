"""The layer as an ONNX model: one GRU operator with linear_before_reset = 1. Inputs x, h; outputs y, h_out."""

import numpy as np
import onnx
from onnx import helper, numpy_helper


def reorder(array):
    """Gates r, z, n to ONNX's z, r, h."""
    r, z, n = np.split(array, 3)
    return np.concatenate([z, r, n])


def gru(spec, steps):
    B, _, I, H = spec.shape
    kind = onnx.TensorProto.FLOAT if spec.scalar == "float" else onnx.TensorProto.DOUBLE
    weights = {
        "W": reorder(spec.w_ih())[None], "R": reorder(spec.w_hh())[None],
        "B": np.concatenate([reorder(spec.b_ih()), reorder(spec.b_hh())])[None],
    }
    node = helper.make_node(
        "GRU", ["x", "W", "R", "B", "", "h"], ["y", "h_out"], hidden_size=H, linear_before_reset=1)
    graph = helper.make_graph(
        [node], "gru",
        [helper.make_tensor_value_info("x", kind, [steps, B, I]), helper.make_tensor_value_info("h", kind, [1, B, H])],
        [helper.make_tensor_value_info("y", kind, [steps, 1, B, H]),
         helper.make_tensor_value_info("h_out", kind, [1, B, H])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()
