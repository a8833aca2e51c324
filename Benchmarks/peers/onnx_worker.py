"""ONNX Runtime: its recurrent operators, inputs and outputs bound once. Float and forward only: it has no GRU in Double."""

import os

import numpy as np
import onnxruntime

import onnx_model
import worker

THREADS = int(os.environ["SLUICE_PEERS_THREADS"])


class System:
    def hello(self):
        return {"name": "ONNX Runtime", "version": onnxruntime.__version__, "kernels": "MLAS"}

    def prepare(self, spec):
        self.spec = spec
        steps = 1 if spec.mode == "stream" else spec.steps
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(
            onnx_model.network(spec, steps), options, providers=["CPUExecutionProvider"])
        self.x = spec.x()
        B, D, H = spec.batch, spec.directions, spec.hidden
        self.value = onnxruntime.OrtValue.ortvalue_from_numpy
        self.y = self.value(np.zeros((steps, D, B, H), spec.dtype))
        self.states = [self.value(np.zeros((D, B, H), spec.dtype)) for _ in range(2)]
        if spec.mode == "stream":
            self.bindings = [self.bind(self.x[:1], self.states[k], self.states[1 - k]) for k in range(2)]
        else:
            self.bindings = [self.bind(self.x, *self.states)]
        run, session = worker.repeat(self.step), self.session
        self.turn = 0
        run(3)
        return "IO binding"

    def bind(self, x, state, next_state):
        binding = self.session.io_binding()
        binding.bind_ortvalue_input("x", self.value(np.ascontiguousarray(x)))
        binding.bind_ortvalue_input("h", state)
        binding.bind_ortvalue_output("y", self.y)
        binding.bind_ortvalue_output("h_out", next_state)
        return binding

    turn = 0

    def step(self):
        self.session.run_with_iobinding(self.bindings[self.turn])
        if len(self.bindings) == 2:
            self.turn = 1 - self.turn

    def check(self):
        if self.spec.mode == "stream":
            h, states = np.zeros((1, self.spec.batch, self.spec.hidden), self.spec.dtype), []
            for x in self.x:
                y, h = self.session.run(None, {"x": x[None], "h": h})
                states.append(h[0])
            return {"y": np.stack(states)}
        self.step()
        return {"y": onnx_model.time_major(self.spec, self.y.numpy())}

    def run(self, count):
        return worker.repeat(self.step)(count)


if __name__ == "__main__":
    worker.serve(System())
