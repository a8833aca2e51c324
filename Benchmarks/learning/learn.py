"""Runs the learning benchmarks, Sluice and PyTorch in turn, one thread each. Benchmarks/learning/run calls it.

Each run's curve is saved as soon as it ends, in FOLDER/learning-TASK.json, in the place of an earlier one of the same system
and recipe; the table and the chart are written anew from all that the file has.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

import curves
import table
from curves import CHOSEN_BITS

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "peers"))
from environment import environment  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# Each task's runs: names and the options of `learning` that differ from its defaults.
ADDING = {name: ["--architecture", name] for name in ("gru", "lstm", "rnn")}
ADDITION_BITS = [CHOSEN_BITS, 8, 16, 64]
PEER_TIME = 2  # PyTorch may take so many times as long as Sluice
ADDITION_LIMIT = 60  # or so many seconds, where Sluice takes a tenth of one


def run(command, log):
    """The lines of JSON that a program writes, also copied to a log as they come."""
    print("learning:", " ".join(map(str, command)), file=sys.stderr)
    lines = []
    core = {max(os.sched_getaffinity(0))}
    with open(log, "w") as copy, subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=environment(1),
            preexec_fn=lambda: os.sched_setaffinity(0, core)) as process:
        for text in process.stdout:
            copy.write(text)
            copy.flush()
            lines.append(json.loads(text))
    if process.returncode:
        sys.exit(f"learning: {command[0]} failed with {process.returncode}")
    return lines


def split(lines):
    """Runs, each from its heading to its result."""
    runs = []
    for line in lines:
        if "recipe" in line:
            runs.append({"heading": line, "points": []})
        elif "trainLoss" in line:
            runs[-1]["points"].append(line)
        else:
            runs[-1]["result"] = line
    return runs


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def machine():
    with open("/proc/cpuinfo") as file:
        processor = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown processor")
    return {"date": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "processor": processor, "cores": len(os.sched_getaffinity(0)),
            "commit": output_of("git", "describe", "--always", "--dirty", "--exclude", "*"),
            "load": round(os.getloadavg()[0], 1)}


class Document:
    """A task's runs so far."""

    def __init__(self, folder, task):
        self.task, self.path = task, folder / f"learning-{task}.json"
        self.runs = json.loads(self.path.read_text())["runs"] if self.path.exists() else []

    @staticmethod
    def key(run):
        heading = run["heading"]
        return heading["system"].split()[0], heading["recipe"]["architecture"], heading["recipe"]["seed"], str(heading["sizes"])

    def add(self, runs, where, command):
        for one in runs:
            one |= {"machine": where, "command": command}
            self.runs = [kept for kept in self.runs if self.key(kept) != self.key(one)] + [one]
        document = {"task": self.task, "runs": self.runs}
        self.path.write_text(json.dumps(document, indent=None).replace('{"heading"', '\n{"heading"') + "\n")
        self.path.with_suffix(".md").write_text(table.write(document))
        self.path.with_suffix(".svg").write_text(curves.draw(document))


class Benchmark:
    def __init__(self, options):
        self.options = options
        self.folder = options.output
        self.logs = self.folder / "runs" if options.keep_logs else pathlib.Path(options.scratch)
        for folder in (self.folder, self.logs):
            folder.mkdir(parents=True, exist_ok=True)

    def learn(self, name, task, arguments):
        """Sluice's run, saved, and PyTorch's of the same recipe."""
        document = Document(self.folder, task)
        log = self.logs / f"{name}.jsonl"
        if "sluice" in self.options.systems:
            where = machine()
            runs = split(run([self.options.learning, task, *arguments], log))
            document.add(runs, where, " ".join(["learning", task, *arguments]))
        return document

    def peer(self, name, document, matches):
        if "torch" not in self.options.systems:
            return
        for one in [one for one in document.runs if one["heading"]["system"] == "Sluice" and matches(one["heading"])]:
            source = self.logs / f"{name}-source.jsonl"
            source.write_text("\n".join(json.dumps(line) for line in (one["heading"], *one["points"])))
            limit = PEER_TIME * one["result"]["seconds"] if document.task == "adding" else ADDITION_LIMIT
            where = machine()
            lines = run([sys.executable, "-u", str(HERE / "torch_learner.py"), str(source), "--limit", f"{limit:.1f}"],
                        self.logs / f"{name}-torch.jsonl")
            document.add(split(lines), where, "torch_learner.py")

    def adding(self):
        quick = ["--steps", "50", "--updates", "400"] if self.options.quick else []
        for name in self.options.networks:
            document = self.learn(f"adding-{name}", "adding", ADDING[name] + quick)
            self.peer(f"adding-{name}", document, lambda heading: heading["recipe"]["architecture"] == name)

    def addition(self):
        seeds = "2" if self.options.quick else "10"
        for bits in ADDITION_BITS:
            document = self.learn(f"addition-{bits}", "addition", ["--bits", str(bits), "--seeds", seeds])
        self.peer("addition", document, lambda heading: heading["sizes"]["bits"] == CHOSEN_BITS)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", default=["addition", "adding"], help="addition, adding; both if not said")
    parser.add_argument("--networks", default="gru,lstm,rnn", type=lambda text: text.split(","), help="of the adding problem")
    parser.add_argument("--systems", default="sluice,torch", type=lambda text: text.split(","))
    parser.add_argument("--quick", action="store_true", help="seconds instead of an hour; give another --output")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "Benchmarks/results")
    parser.add_argument("--keep-logs", action="store_true", help="lines as they come in OUTPUT/runs (ignored by git)")
    parser.add_argument("--learning", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--scratch", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quick and options.output == ROOT / "Benchmarks/results":
        parser.error("--quick would overwrite the results of whole runs; name an --output")
    for task in options.tasks:
        getattr(Benchmark(options), task)()


if __name__ == "__main__":
    main()
