"""OpenVINO: the same ONNX model, latency hint, held to Float (left alone it computes in bf16 on processors that have it)."""

import os

import numpy as np
import openvino
import openvino.properties as properties
import openvino.properties.hint as hint

import onnx_model
import worker

THREADS = int(os.environ["SLUICE_PEERS_THREADS"])


class System:
    def hello(self):
        core = openvino.Core()
        return {"name": "OpenVINO", "version": openvino.__version__.split("-")[0],
                "kernels": "CPU plugin, " + core.get_property("CPU", "FULL_DEVICE_NAME").strip()}

    def prepare(self, spec):
        self.spec = spec
        steps = 1 if spec.mode == "stream" else spec.steps
        core = openvino.Core()
        model = core.read_model(onnx_model.network(spec, steps))
        self.compiled = core.compile_model(model, "CPU", {
            hint.performance_mode: hint.PerformanceMode.LATENCY,
            hint.inference_precision: openvino.Type.f32,
            properties.inference_num_threads: THREADS,
        })
        self.x = spec.x()
        state = spec.directions, spec.batch, spec.hidden
        self.requests = []
        states = [openvino.Tensor(np.zeros(state, np.float32)) for _ in range(2)]
        for turn in range(2 if spec.mode == "stream" else 1):
            request = self.compiled.create_infer_request()
            request.set_tensor("x", openvino.Tensor(np.ascontiguousarray(self.x[:steps])))
            request.set_tensor("h", states[turn])
            request.set_tensor("h_out", states[1 - turn])
            self.requests.append(request)
        self.turn = 0
        self.run(3)
        return "latency hint, f32"

    def step(self):
        self.requests[self.turn].infer()
        if len(self.requests) == 2:
            self.turn = 1 - self.turn

    def check(self):
        request = self.compiled.create_infer_request()
        h = np.zeros((self.spec.directions, self.spec.batch, self.spec.hidden), np.float32)
        if self.spec.mode == "stream":
            states = []
            for x in self.x:
                h = request.infer({"x": x[None], "h": h})["h_out"].copy()
                states.append(h[0])
            return {"y": np.stack(states)}
        return {"y": onnx_model.time_major(self.spec, request.infer({"x": self.x, "h": h})["y"])}

    def run(self, count):
        return worker.repeat(self.step)(count)


if __name__ == "__main__":
    worker.serve(System())
