"""What every worker shares: the line protocol, the input files, and choosing between ways to do the same.

A worker is a process that computes for one system with one number of threads. It reads one JSON object a line and
answers each with one. Between requests it blocks, so that the workers can take turns:

    {"op": "hello"}                                  -> name, version and kernels of the system
    {"op": "prepare", "mode": ..., "folder": ...}    reads the inputs and compiles (Spec below)
    {"op": "check", "out": PREFIX}                   -> computes once and writes every result to PREFIX.NAME.bin
    {"op": "run", "count": n}                        -> seconds for n repetitions
    {"op": "memory"}                                 -> bytes of memory that one training step needs beyond what it is given

Every answer has "ok"; with false, "error" says why.
"""

import dataclasses
import gc
import json
import os
import sys
import time
import traceback

import numpy as np


GATES = {"gru": 3, "lstm": 4, "rnn": 1}


@dataclasses.dataclass
class Spec:
    """One cell: what is computed. B sequences of T steps, I inputs, H hidden units.

    Arrays are [T, B, ...]. In a ragged batch, what lies behind a sequence's end is zero, in the files and in results.
    """

    mode: str  # forward, training, stream or job
    scalar: str  # double or float
    batch: int
    steps: int
    inputs: int
    hidden: int
    threads: int
    folder: str  # of the input files NAME.double.bin and NAME.float.bin: numbers without a header
    # The network, if it is another than one forward layer of the GRU with the reset gate after the product.
    cell: str = "gru.resetAfter"
    layers: int = 1
    direction: str = "forward"  # or bidirectional
    projection: int | None = None  # P
    lengths: list | None = None  # of the sequences, up to T; None: all have T steps

    def read(self, name, *shape):
        return np.fromfile(os.path.join(self.folder, f"{name}.{self.scalar}.bin"), self.dtype).reshape(shape)

    @property
    def dtype(self):
        return np.dtype("<f8" if self.scalar == "double" else "<f4")

    @property
    def shape(self):
        return self.batch, self.steps, self.inputs, self.hidden

    @property
    def is_plain(self):
        return (self.cell, self.layers, self.direction, self.lengths) == ("gru.resetAfter", 1, "forward", None)

    @property
    def family(self):
        return self.cell.split(".")[0]

    @property
    def gates(self):
        return GATES[self.family]

    @property
    def has_recurrent_bias(self):
        """Where it is not the same as the other bias, and where PyTorch has it although it is."""
        return self.cell != "gru.resetBefore"

    @property
    def directions(self):
        return 2 if self.direction == "bidirectional" else 1

    @property
    def state(self):
        return self.projection or self.hidden

    @property
    def outputs(self):
        return self.directions * self.state

    def inputs_of(self, layer):
        return self.outputs if layer else self.inputs

    def suffixes(self, layer):
        """The ends of the names of a layer's parameters, one for each direction."""
        return [f"_l{layer}", f"_l{layer}_reverse"][:self.directions]

    # Parameters have PyTorch's names, layout and gate orders: GRU r, z, n, LSTM i, f, g, o.
    def parameter_shapes(self):
        shapes, rows = {}, self.gates * self.hidden
        for layer in range(self.layers):
            for end in self.suffixes(layer):
                shapes |= {"weight_ih" + end: (rows, self.inputs_of(layer)), "weight_hh" + end: (rows, self.state),
                           "bias_ih" + end: (rows,)}
                if self.has_recurrent_bias:
                    shapes["bias_hh" + end] = (rows,)
                if self.projection:
                    shapes["weight_hr" + end] = (self.projection, self.hidden)
        return shapes

    def parameters(self):
        return {name: self.read(name, *shape) for name, shape in self.parameter_shapes().items()}

    def scans(self, layer):
        """The parameters of each direction of a layer, by name without end: weight_ih, ..."""
        kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
        shapes = self.parameter_shapes()
        return [{kind: self.read(kind + end, *shapes[kind + end]) for kind in kinds if kind + end in shapes}
                for end in self.suffixes(layer)]

    def x(self):
        return self.read("x", self.steps, self.batch, self.inputs)

    def dy(self):
        return self.read("dy", self.steps, self.batch, self.outputs)

    def mask(self):
        """[T, B], whether a sequence has that step."""
        return np.arange(self.steps)[:, None] < np.array(self.lengths or [self.steps] * self.batch)


JOB_CHECK_ITERATIONS = 100


class JobData:
    """The addition job: the data and the first parameters, the same for all. Gates r, z, n; weights as [inputs, gates]."""

    def __init__(self, spec):
        batch, steps, inputs, hidden = spec.shape
        self.x, self.test_x = spec.read("x", steps, batch, inputs), spec.read("test_x", steps, batch, inputs)
        self.y, self.test_y = spec.read("y", steps, batch, 1), spec.read("test_y", steps, batch, 1)
        self.parameters = [
            np.ascontiguousarray(spec.read("weight_ih_l0", 3 * hidden, inputs).T),
            np.ascontiguousarray(spec.read("weight_hh_l0", 3 * hidden, hidden).T),
            spec.read("bias_ih_l0", 3 * hidden),
            np.ascontiguousarray(spec.read("head.weight", 1, hidden).T), spec.read("head.bias", 1)]


LEARNING_RATE, BETA1, BETA2, EPSILON = 0.001, 0.9, 0.999, 1e-8


def repeat(step):
    """A run of n calls, for `run`; `finish` of the last result waits for it."""
    def run(count):
        start = time.perf_counter()
        for _ in range(count):
            step()
        return time.perf_counter() - start
    return run


def fastest(ways):
    """The fastest of several ways to do the same: name -> function that makes run(count). Returns its name and its run.

    A way that the system refuses is left out, if another one works.
    """
    if len(ways) == 1:
        (name, make), = ways.items()
        run = make()
        run(1)
        return name, run
    best, refused = None, None
    for name, make in ways.items():
        try:
            run = make()
            run(1)
            seconds = run(1)
            if seconds < 0.5:
                count = min(200, int(0.05 / max(seconds, 1e-6)) + 1)
                seconds = min(run(count) / count for _ in range(3))
        except Exception as error:  # whatever a system's compiler may raise
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
            refused = error
            continue
        if best is None or seconds < best[0]:
            best = seconds, name, run
    if best is None:
        raise refused
    return best[1:]


# Memory


def status_bytes(key):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(key + ":"))


def settle_memory():
    """Gives freed memory back, so that a later need of it is seen; then starts a new peak. Returns the memory in use."""
    import ctypes
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    return status_bytes("VmRSS")


def peak_beyond(base):
    return status_bytes("VmHWM") - base


# Protocol


def serve(system):
    """Answers requests until the input ends. `system` has hello(), prepare(spec), check(), run(count) and maybe memory()."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not mix with the answers

    def answer(request):
        match request.pop("op"):
            case "hello":
                return system.hello()
            case "prepare":
                fields = {field.name for field in dataclasses.fields(Spec)}
                spec = Spec(**{key: value for key, value in request.items() if key in fields})
                return {"way": system.prepare(spec)}
            case "check":
                results = {name: np.ascontiguousarray(array) for name, array in system.check().items()}
                for name, array in results.items():
                    array.tofile(f"{request['out']}.{name}.bin")
                return {"dtype": {name: array.dtype.str for name, array in results.items()}}
            case "run":
                return {"seconds": system.run(request["count"])}
            case "memory":
                return {"bytes": system.memory()}

    for line in sys.stdin:
        try:
            reply = {"ok": True} | answer(json.loads(line))
        except Exception as error:
            traceback.print_exc()
            reply = {"ok": False, "error": f"{type(error).__name__}: {error}"[:500]}
        answers.write(json.dumps(reply) + "\n")
        answers.flush()
