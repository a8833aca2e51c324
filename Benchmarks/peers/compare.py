"""Runs Sluice and its peers in turns, after checking that all compute the same. README.md says what is measured."""

import argparse
import collections
import contextlib
import dataclasses
import datetime
import json
import math
import os
import pathlib
import platform
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

import tables
from environment import DROPPED_PREFIXES, environment
from worker import Spec

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

SHAPES = [(1, 1, 64, 64), (1, 100, 128, 128), (1, 50, 512, 512), (32, 50, 64, 128), (32, 100, 256, 256),
          (64, 50, 512, 512), (128, 35, 1024, 1024), (100, 5, 2, 16)]
QUICK_SHAPES = [(1, 1, 64, 64), (1, 100, 128, 128), (32, 50, 64, 128), (100, 5, 2, 16)]
STREAM_SHAPE, STREAM_CHECK_STEPS = (1, 1, 64, 64), 10
JOB_SHAPE, JOB_ITERATIONS, QUICK_JOB_ITERATIONS = (100, 5, 2, 16), 5000, 500
MEMORY_SHAPE, QUICK_MEMORY_SHAPE = (64, 50, 512, 512), (32, 50, 64, 128)
MODES = ["forward", "training", "networks", "stream", "job", "memory"]


@dataclasses.dataclass(frozen=True)
class Network:
    """What is computed: by default one forward layer of the GRU with the reset gate after the product."""

    cell: str = "gru.resetAfter"
    layers: int = 1
    direction: str = "forward"
    projection: int | None = None
    lengths: tuple | None = None
    name: str = "GRU"


PLAIN = Network()


def lengths_between(shortest, longest, count):
    """Spread evenly, in an order that is always the same."""
    return tuple(int(length) for length in np.random.default_rng(1).permutation(np.linspace(shortest, longest, count).round()))


LSTM = "lstm.standard"
BOTH_RESETS = ("gru.resetAfter", LSTM, "rnn.tanh", "gru.resetBefore")
NETWORKS = [
    (Network(LSTM, name="LSTM"), (32, 100, 256, 256)),
    (Network(LSTM, name="LSTM"), (64, 50, 512, 512)),
    (Network(LSTM, projection=128, name="LSTM, projection to 128"), (32, 100, 256, 256)),
    (Network("rnn.tanh", name="RNN, tanh"), (32, 100, 256, 256)),
    (Network("gru.resetBefore", name="GRU, reset before"), (32, 50, 128, 128)),
    (Network(direction="bidirectional", name="GRU, bidirectional"), (32, 50, 128, 128)),
    (Network(LSTM, layers=3, name="LSTM, 3 layers"), (32, 50, 128, 128)),
    (Network(LSTM, layers=2, direction="bidirectional", name="LSTM, 2 layers, bidirectional"), (16, 50, 128, 128)),
    (Network(LSTM, lengths=lengths_between(10, 100, 32), name="LSTM, 10 to 100 steps"), (32, 100, 256, 256)),
]
# The same networks in sizes that take no time.
QUICK_NETWORKS = [
    (dataclasses.replace(network, projection=network.projection and 16, lengths=network.lengths and lengths_between(3, 20, 8),
                         name=network.name.replace("128", "16").replace("10 to 100", "3 to 20")), (8, 20, 32, 32))
    for network, shape in NETWORKS if shape != (64, 50, 512, 512)
]

# Largest difference over largest value, of each result, from NumPy's in Double. The losses of the job's first 100 updates
# pass through Adam, which divides by gradients near zero, so rounding errors grow there.
TOLERANCES = {"double": 1e-10, "float": 1e-4}
JOB_TOLERANCE = 1e-7

MEASUREMENT_SECONDS = 0.03
LEAST_ROUNDS = 5
NETWORK_ROUNDS, LEAST_NETWORK_ROUNDS, NETWORK_BUDGET = 5, 3, 6  # at most: there are many of them
OTHERS_LIMIT = tables.OTHERS_LIMIT


@dataclasses.dataclass(frozen=True)
class System:
    name: str
    script: str | None  # None: Sluice
    modes: tuple = ("forward", "training", "stream", "job")
    scalars: tuple = ("double", "float")
    networks: tuple = ("gru.resetAfter", LSTM, "rnn.tanh")  # the cells of other networks than the plain GRU
    projects: bool = False

    def can(self, cell):
        return cell.mode in self.modes and cell.scalar in self.scalars and (
            cell.network == PLAIN or cell.network.cell in self.networks and (self.projects or not cell.network.projection))


SYSTEMS = {
    "sluice": System("Sluice", None, ("forward", "training", "stream", "job", "memory"), networks=BOTH_RESETS, projects=True),
    "torch": System("PyTorch", "torch_worker.py", ("forward", "training", "stream", "job", "memory"), projects=True),
    "jax": System("JAX", "jax_worker.py", networks=BOTH_RESETS),
    "keras": System("Keras", "keras_worker.py", networks=BOTH_RESETS),
    "onnx": System("ONNX Runtime", "onnx_worker.py", ("forward", "stream"), ("float",), networks=BOTH_RESETS),
    "openvino": System("OpenVINO", "openvino_worker.py", ("forward", "stream"), ("float",), networks=BOTH_RESETS),
    "numpy": System("NumPy", "numpy_worker.py", networks=()),
}


# MARK: Workers


class Failure(Exception):
    pass


class Worker:
    """A worker process. It may use as many cores as it has threads: the last ones of this process's.

    It runs while it answers and stands still otherwise: threads of most libraries spin for a while after their work, on
    the cores of whoever has its turn next.
    """

    def __init__(self, system, threads, sluice, log):
        self.system, self.threads = system, threads
        self.log = log
        command = [sluice, "peer-worker"] if system.script is None else [sys.executable, "-u", str(HERE / system.script)]
        cores = sorted(os.sched_getaffinity(0))[-threads:] if hasattr(os, "sched_setaffinity") else None
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(log, "a"), env=environment(threads),
            preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None, cwd=HERE)
        self.hello = self.ask("hello")

    def ask(self, op, timeout=900, **request):
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.stdin.write(json.dumps({"op": op} | request).encode() + b"\n")
            self.process.stdin.flush()
            if not select.select([self.process.stdout], [], [], timeout)[0]:
                raise Failure(f"no answer to {op} in {timeout} s")
            line = self.process.stdout.readline()
        except OSError as error:
            raise Failure(f"{op}: {error}") from None
        self.process.send_signal(signal.SIGSTOP)
        if not line:
            raise Failure(f"the worker ended during {op} with {self.process.wait()}; its last words are in {self.log}")
        answer = json.loads(line)
        if not answer["ok"]:
            raise Failure(answer["error"])
        return answer

    def stop(self):
        self.process.send_signal(signal.SIGCONT)
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Workers:
    """One process for each system, all with the same number of threads, started when first needed."""

    def __init__(self, threads, sluice, folder):
        self.threads, self.sluice, self.folder = threads, sluice, folder
        self.processes = {}

    def __getitem__(self, key):
        if key not in self.processes:
            self.processes[key] = Worker(SYSTEMS[key], self.threads, self.sluice, self.folder / f"{key}.log")
        return self.processes[key]

    def drop(self, key):
        if key in self.processes:
            worker = self.processes.pop(key)
            worker.process.kill()
            worker.stop()

    def stop(self):
        for worker in self.processes.values():
            worker.stop()
        self.processes.clear()


# MARK: Inputs and the reference


class Inputs:
    """Writes each cell's input files, and computes the reference, once."""

    def __init__(self, folder, sluice):
        self.folder, self.sluice = folder, sluice

    def spec(self, cell):
        kind = cell.mode if cell.mode in ("job", "stream") else cell.network.name.replace(" ", "-")
        folder = self.folder / f"{kind}-{'-'.join(map(str, cell.shape))}"
        spec = cell.spec(str(folder))
        if not folder.exists():
            folder.mkdir()
            write_job(folder, cell.shape) if cell.mode == "job" else write_network(folder, spec)
        return dataclasses.asdict(spec)

    def reference(self, cell):
        cell = dataclasses.replace(cell, scalar="double", threads=len(os.sched_getaffinity(0)))
        spec = self.spec(cell)
        prefix = pathlib.Path(spec["folder"]) / f"reference-{cell.mode}"
        index = pathlib.Path(f"{prefix}.json")
        if not index.exists():
            numpy = Worker(SYSTEMS["numpy"], cell.threads, self.sluice, self.folder / "reference.log")
            try:
                numpy.ask("prepare", **spec)
                index.write_text(json.dumps(numpy.ask("check", out=str(prefix))["dtype"]))
            finally:
                numpy.stop()
        return read_results(prefix, json.loads(index.read_text()))


def read_results(prefix, dtypes):
    return {name: np.fromfile(f"{prefix}.{name}.bin", dtype) for name, dtype in dtypes.items()}


def write(folder, **arrays):
    """NAME.SCALAR.bin, in both scalars the same numbers: rounded to Float."""
    for name, array in arrays.items():
        rounded = np.asarray(array).astype("<f4")
        rounded.tofile(folder / f"{name}.float.bin")
        rounded.astype("<f8").tofile(folder / f"{name}.double.bin")


def write_network(folder, spec):
    random = np.random.default_rng(1)
    bound = spec.hidden ** -0.5
    parameters = {name: random.uniform(-bound, bound, shape) for name, shape in spec.parameter_shapes().items()}
    rows = lambda columns: random.normal(size=(spec.steps, spec.batch, columns)) * spec.mask()[:, :, None]
    write(folder, **parameters, x=rows(spec.inputs), dy=rows(spec.outputs))


def write_job(folder, shape):
    """The addition task: bits of two numbers, least significant first; the bits of their sum."""
    batch, steps, inputs, hidden = shape
    random = np.random.default_rng(1)

    def examples():
        a, b = random.integers(0, 2 ** (steps - 1) - 1, (2, batch))
        bits = lambda number: number >> np.arange(steps)[:, None] & 1
        return np.stack([bits(a), bits(b)], axis=2), bits(a + b)[:, :, None]

    def truncated(*size):
        values = random.normal(size=size)
        while (beyond := abs(values) > 2).any():
            values[beyond] = random.normal(size=beyond.sum())
        return 0.01 * values
    (x, y), (test_x, test_y) = examples(), examples()
    write(folder, **{
        "x": x, "y": y, "test_x": test_x, "test_y": test_y, "weight_ih_l0": truncated(3 * hidden, inputs),
        "weight_hh_l0": truncated(3 * hidden, hidden), "bias_ih_l0": truncated(3 * hidden),
        "head.weight": truncated(1, hidden), "head.bias": truncated(1)})


def difference(results, reference):
    """The largest difference of a result, each in units of its own largest value, and that result's name."""
    worst = (0.0, "")
    for name, expected in reference.items():
        if name not in results or results[name].size != expected.size or not np.isfinite(results[name]).all():
            return float("inf"), name
        scale = abs(expected).max() or 1.0  # with one step, dweight_hh is zero
        worst = max(worst, (float(abs(results[name].astype("f8") - expected).max() / scale), name))
    return worst


# MARK: Measuring


class Others:
    """How busy processes other than ours keep the machine, in cores, since this was made."""

    def __init__(self, processes):
        self.processes = processes
        self.start = time.monotonic(), self.seconds()

    def seconds(self):
        """Of all processes, less those of ours."""
        ticks = os.sysconf("SC_CLK_TCK")
        with open("/proc/stat") as file:
            fields = [int(word) for word in file.readline().split()[1:]]
        busy = sum(fields[:8]) - fields[3] - fields[4]  # all but idle and waiting for a disk
        for pid in self.processes:
            with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as file:
                busy -= sum(int(word) for word in file.read().rsplit(")", 1)[1].split()[11:13])
        return busy / ticks

    @property
    def cores(self):
        now, seconds = time.monotonic(), self.seconds()
        return round(max(0, (seconds - self.start[1]) / (now - self.start[0])), 2)


@dataclasses.dataclass(frozen=True)
class Cell:
    mode: str
    scalar: str
    shape: tuple
    threads: int
    network: Network = PLAIN

    @property
    def name(self):
        words = [self.mode, self.scalar] + [self.network.name] * (self.network != PLAIN)
        return f"{' '.join(words)} {','.join(map(str, self.shape))}, {self.threads} thread{'s' * (self.threads > 1)}"

    def spec(self, folder):
        batch, steps, inputs, hidden = self.shape
        network = {key: value for key, value in dataclasses.asdict(self.network).items() if key != "name"}
        return Spec(
            "training" if self.mode == "memory" else self.mode, self.scalar, batch,
            STREAM_CHECK_STEPS if self.mode == "stream" else steps, inputs, hidden, self.threads, folder, **network)

    @property
    def flops(self):
        """Of the products: two for each weight and each step that a sequence has; three times that in training."""
        shapes = self.spec("").parameter_shapes()
        weights = sum(math.prod(shape) for name, shape in shapes.items() if name.startswith("weight"))
        rows = sum(self.network.lengths or [self.shape[0] * self.shape[1]])
        return 2 * rows * weights * {"forward": 1, "stream": 1, "training": 3}[self.mode]

    def entry(self):
        """In the results; `network` only where it is another than the plain GRU."""
        entry = dataclasses.asdict(self)
        if self.network == PLAIN:
            del entry["network"]
        return entry


class Run:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.inputs = Inputs(folder, options.sluice)
        self.workers = None
        self.failures = []
        self.report = {"machine": machine(), "systems": {}, "options": {"rounds": options.rounds}, "cells": [], "memory": []}

    def measure(self, cell):
        keys = [key for key in self.options.systems if SYSTEMS[key].can(cell)]
        spec, reference = self.inputs.spec(cell), self.inputs.reference(cell)
        results = {key: {} for key in keys}
        for key in keys:
            self.attempt(cell, key, results[key], lambda: self.check(cell, key, spec, reference, results[key]))
        alive = [key for key in keys if "error" not in results[key]]

        for key in list(alive):
            if not self.attempt(cell, key, results[key], lambda: self.calibrate(cell, key, results[key])):
                alive.remove(key)
        rounds, least, budget = self.options.rounds, LEAST_ROUNDS, self.options.budget
        if cell.network != PLAIN:
            rounds, least, budget = min(rounds, NETWORK_ROUNDS), LEAST_NETWORK_ROUNDS, min(budget, NETWORK_BUDGET)
        longest = sum(results[key]["estimate"] for key in alive)
        rounds = max(min(rounds, least), min(rounds, int(budget / max(longest, 1e-9))))
        others = Others([os.getpid(), *(self.workers[key].process.pid for key in alive)])
        for _ in range(rounds):
            for key in list(alive):
                if not self.attempt(cell, key, results[key], lambda: self.time(key, results[key])):
                    alive.remove(key)
        self.finish(cell, results, others.cores)

    def attempt(self, cell, key, result, action):
        """Whether it went well; if not, the failure is noted and its process is dropped."""
        try:
            action()
            return True
        except Failure as failure:
            result["error"] = str(failure)
            self.failures.append(f"{cell.name}: {SYSTEMS[key].name}: {failure}")
            self.workers.drop(key)
            return False

    def check(self, cell, key, spec, reference, result):
        worker = self.workers[key]
        self.report["systems"][SYSTEMS[key].name] = {k: v for k, v in worker.hello.items() if k in ("version", "kernels")}
        start = time.monotonic()
        result["way"] = worker.ask("prepare", **spec)["way"]
        result["prepare_seconds"] = round(time.monotonic() - start, 2)
        prefix = self.folder / key
        found = read_results(prefix, worker.ask("check", out=str(prefix))["dtype"])
        for file in self.folder.glob(f"{key}.*.bin"):
            file.unlink()
        value, name = difference(found, reference)
        result["difference"], result["difference_of"] = value, name
        tolerance = JOB_TOLERANCE if cell.mode == "job" else TOLERANCES[cell.scalar]
        if not value <= tolerance:
            raise Failure(f"computes something else: {name} differs by {value:.2g} of its largest value, more than {tolerance}")

    def calibrate(self, cell, key, result):
        """Repetitions of one measurement, and how long it takes."""
        ask = lambda count: self.workers[key].ask("run", count=count)["seconds"]
        if cell.mode == "job":
            result["count"] = self.options.iterations
            result["estimate"] = ask(self.options.iterations)
            return
        seconds = min(ask(1), ask(1))
        if seconds < MEASUREMENT_SECONDS:
            count = int(MEASUREMENT_SECONDS / max(seconds, 1e-7)) + 1
            seconds = ask(count) / count
        result["count"] = max(1, int(-(-MEASUREMENT_SECONDS // seconds)))
        result["estimate"] = result["count"] * seconds

    def time(self, key, result):
        seconds = self.workers[key].ask("run", count=result["count"])["seconds"]
        result.setdefault("seconds", []).append(seconds)

    def finish(self, cell, results, others):
        """Seconds become those of one repetition; medians, ratios to Sluice round by round."""
        per_call = cell.mode != "job"
        for result in results.values():
            if "seconds" in result:
                if "error" in result:
                    del result["seconds"]
                    continue
                if per_call:
                    result["seconds"] = [value / result["count"] for value in result["seconds"]]
                result["median"] = statistics.median(result["seconds"])
                if per_call:
                    result["gflops"] = cell.flops / result["median"] / 1e9
            result.pop("estimate", None)
        own = results.get("sluice", {}).get("seconds")
        for result in results.values():
            if own and "seconds" in result:
                result["ratio"] = statistics.median(b / a for a, b in zip(own, result["seconds"]))
        entry = cell.entry() | {"others_cores": others, "systems": {SYSTEMS[key].name: result for key, result in results.items()}}
        if cell.mode == "job":
            entry["iterations"] = self.options.iterations
        self.report["cells"].append(entry)
        self.save()
        print(f"{cell.name}: " + ", ".join(
            f"{SYSTEMS[key].name} " + (tables.value_of(entry, SYSTEMS[key].name) or "failed") for key in results)
            + (f"  [other processes kept {others} cores busy]" if others > OTHERS_LIMIT else ""), flush=True)

    def measure_memory(self, scalar):
        shape = self.options.memory_shape
        for key in self.options.systems:
            cell, result = Cell("memory", scalar, shape, 1), {}
            if not SYSTEMS[key].can(cell):
                continue
            self.workers = Workers(1, self.options.sluice, self.folder)  # a fresh process

            def ask():
                worker = self.workers[key]
                worker.ask("prepare", **self.inputs.spec(cell))
                result["bytes"] = worker.ask("memory")["bytes"]
            self.attempt(cell, key, result, ask)
            self.workers.stop()
            self.report["memory"].append({"system": SYSTEMS[key].name, "scalar": scalar, "shape": shape} | result)
            print(f"memory {scalar}: {SYSTEMS[key].name} {result.get('bytes', 0) / 2**20:.0f} MiB", flush=True)
        self.save()

    def run(self):
        options = self.options
        for threads in options.threads:
            self.workers = Workers(threads, options.sluice, self.folder)
            try:
                for mode in options.modes:
                    for cell in cells(mode, options, threads):
                        self.measure(cell)
            finally:
                self.workers.stop()
        if "memory" in options.modes:
            for scalar in options.scalars:
                self.measure_memory(scalar)
        self.save()

    def save(self):
        self.report["failures"] = self.failures
        if self.options.output:
            output = pathlib.Path(self.options.output)
            output.mkdir(parents=True, exist_ok=True)
            (output / "peers.json").write_text(json.dumps(self.report, indent=1) + "\n")
            (output / "peers.md").write_text(tables.document(self.report))


def cells(mode, options, threads):
    match mode:
        case "forward" | "training":
            return [Cell(mode, scalar, shape, threads) for scalar in options.scalars for shape in options.shapes]
        case "networks":
            return [Cell(mode, scalar, shape, threads, network) for network, shape in options.networks
                    for mode in ("training", "forward") for scalar in options.scalars]
        case "stream":
            return [Cell(mode, "float", STREAM_SHAPE, threads)] if "float" in options.scalars else []
        case "job":
            return [Cell(mode, "double", JOB_SHAPE, threads)] if "double" in options.scalars else []
        case "memory":
            return []


# MARK: Machine


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def machine():
    processor = platform.processor() or platform.machine()
    with contextlib.suppress(OSError, StopIteration), open("/proc/cpuinfo") as file:
        processor = next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    system = platform.platform()
    with contextlib.suppress(OSError):
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    compiler = output_of("swift", "--version") or ""
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": output_of("git", "describe", "--always", "--dirty", "--exclude", "*"),
        "processor": processor,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": system,
        "swift": next((line.strip() for line in compiler.splitlines() if "Swift version" in line), None),
        "python": platform.python_version(),
        "environment": "variables that choose kernels, threads or precision are unset: " + " ".join(
            prefix + "*" for prefix in DROPPED_PREFIXES),
    }


# MARK: Command line


def arguments():
    parser = argparse.ArgumentParser(prog="Benchmarks/peers/run", description=__doc__)
    words = lambda known: lambda text: [word if word in known else parser.error(
        f"'{word}' is none of {', '.join(known)}") for word in text.split(",")]
    parser.add_argument("--quick", action="store_true", help="small shapes, few rounds, nothing saved: to see that it works")
    parser.add_argument("--shapes", nargs="+", metavar="B,T,I,H", help="only these shapes of the layer")
    parser.add_argument("--peers", type=words(list(SYSTEMS)), help="of " + ",".join(SYSTEMS) + "; Sluice always takes part")
    parser.add_argument("--threads", type=lambda text: [int(word) for word in text.split(",")], default=[1, 2])
    parser.add_argument("--scalars", type=words(["double", "float"]), default=["double", "float"])
    parser.add_argument("--modes", type=words(MODES), default=MODES, help="of " + ",".join(MODES))
    parser.add_argument("--rounds", type=int, help="turns of each system (7)")
    parser.add_argument("--budget", type=float, help="seconds of measuring in one cell, if 5 turns fit in it (60)")
    parser.add_argument("--output", help="folder for peers.json and peers.md (Benchmarks/results; with --quick none)")
    parser.add_argument("--sluice", default=str(ROOT / ".build/release/bench"), help="the bench program, a release build")
    options = parser.parse_args()

    if options.shapes:
        options.shapes = [tuple(int(number) for number in shape.split(",")) for shape in options.shapes]
        if any(len(shape) != 4 or min(shape) < 1 for shape in options.shapes):
            parser.error("a shape is four numbers, as in 32,100,256,256")
    else:
        options.shapes = QUICK_SHAPES if options.quick else SHAPES
    options.networks = QUICK_NETWORKS if options.quick else NETWORKS
    options.systems = [key for key in SYSTEMS if key == "sluice" or options.peers is None or key in options.peers]
    options.rounds = options.rounds or (3 if options.quick else 7)
    options.budget = options.budget or (5 if options.quick else 60)
    options.iterations = QUICK_JOB_ITERATIONS if options.quick else JOB_ITERATIONS
    options.memory_shape = QUICK_MEMORY_SHAPE if options.quick else MEMORY_SHAPE
    if not options.output and not options.quick:
        options.output = str(ROOT / "Benchmarks/results")
    cores = len(os.sched_getaffinity(0))
    if max(options.threads) > cores or min(options.threads) < 1:
        parser.error(f"--threads {max(options.threads)}: this process may use {cores} cores")
    if not os.access(options.sluice, os.X_OK):
        parser.error(f"{options.sluice} is missing; Benchmarks/peers/run builds it")
    return options


def main():
    options = arguments()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-peers-"))
    run = Run(options, folder)
    start = time.monotonic()
    try:  # without Sluice there is nothing to compare
        Worker(SYSTEMS["sluice"], 1, options.sluice, folder / "sluice.log").stop()
    except Failure as failure:
        sys.exit(f"peers: Sluice: {failure}\n{(folder / 'sluice.log').read_text()}")
    try:
        run.run()
        print("\n" + tables.document(run.report))
        print(f"{time.monotonic() - start:.0f} s", file=sys.stderr)
    finally:
        if not run.failures:
            shutil.rmtree(folder)
    for failure in run.failures:
        print(f"peers: {failure}", file=sys.stderr)
    if run.failures:
        print(f"peers: what the workers said is in {folder}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
