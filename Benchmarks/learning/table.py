"""The table of a task's runs; learn.py calls it.

    python3 table.py LEARNING.json        prints Markdown
"""

import json
import pathlib
import sys

from curves import CHOSEN_BITS

NAMES = {"gru": "GRU", "lstm": "LSTM", "rnn": "RNN, tanh"}
PAPER = {"gru": "5.3e-5", "lstm": "0.164", "rnn": "0.177"}  # Bai et al. 2018, table 1
GOAL = 1e-4


def rows(*lines):
    head, *rest = lines
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in (head, ["---"] * len(head), *rest))


def significant(value):
    if not isinstance(value, (int, float)):
        return str(value)
    return f"{value:.2g}" if value < 0.01 or value >= 1e4 else f"{value:.3g}"


def error(value):
    return f"{value:.1e}".replace("e-0", "e-") if isinstance(value, float) and value < 0.01 else significant(value)


def first(run, is_there):
    """The first point from which on all are there: (updates, CPU seconds) as text."""
    found = None
    for point in run["points"]:
        if not is_there(point):
            found = None
        elif found is None:
            found = point
    return (f"{found['updates']:,}", significant(found["cpuSeconds"])) if found else ("-", "-")


def adding(runs):
    lines = [["network", "parameters", "system", "updates", "test MSE", f"{GOAL:g} from update", "from CPU s on",
              "CPU s in all", "wall s", "load", "commit", "Bai et al."]]
    for run in runs:
        heading, result = run["heading"], run["result"]
        name = heading["recipe"]["architecture"]
        lines.append([
            NAMES[name], f"{heading['parameters']:,}", heading["system"], f"{result['updates']:,}",
            error(result["testLoss"]), *first(run, lambda point: point["testLoss"] <= GOAL),
            significant(result["cpuSeconds"]), significant(result["seconds"]), run["machine"]["load"],
            run["machine"]["commit"], PAPER[name]])
    heading = runs[0]["heading"]
    recipe, sizes = heading["recipe"], heading["sizes"]
    return f"""# The adding problem, T = {sizes['steps']}

Remember the two marked ones of {sizes['steps']} numbers and add them. Mean squared error of {sizes['testSequences']:,} sequences that training never sees; the
answer 1 has 0.167. Published: Bai et al. 2018 (arXiv 1803.01271, table 1).

{rows(*lines)}

Recipe: fresh batches of {recipe['batch']} sequences; Adam at {recipe['learningRate']:g}, reached in {recipe['warmUp']} updates and then lowered to 0 along half a cosine; gradients clipped
to a norm of {recipe['clip']:g}; Glorot-uniform input weights, orthogonal recurrent weights, gates that remember for 1 to {recipe['memory']} steps at first (Tallec and
Ollivier 2018); Float; seed {recipe['seed']}. PyTorch: the same recipe, `nn.GRU`, `nn.LSTM`, `nn.RNN`, eager, fused Adam, random numbers of its own, stopped at twice
Sluice's seconds.
"""


def addition(runs):
    sluice = [run for run in runs if run["heading"]["system"] == "Sluice"]
    pairs = sluice[0]["result"]["pairs"]
    bits = sorted({run["heading"]["sizes"]["bits"] for run in sluice})
    sweep = [["bits of the training", "seeds", "of these, all exact", "fewest exact", "mean CPU s a seed"]]
    for size in bits:
        found = [run["result"] for run in sluice if run["heading"]["sizes"]["bits"] == size]
        sweep.append([size, len(found), sum(one["exact"] == pairs for one in found), f"{min(one['exact'] for one in found):,}",
                      significant(sum(one["cpuSeconds"] for one in found) / len(found))])
    chosen = [run for run in runs if run["heading"]["sizes"]["bits"] == CHOSEN_BITS]
    lines = [["system", "seed", f"exact of {pairs:,}", f"of {pairs:,} with the longest carries", "all of the curve's exact from update", "from CPU s on", "updates", "CPU s",
              "wall s", "load"]]
    for run in sorted(chosen, key=lambda run: (run["heading"]["system"] != "Sluice", run["heading"]["recipe"]["seed"])):
        result = run["result"]
        lines.append([
            run["heading"]["system"], run["heading"]["recipe"]["seed"], f"{result['exact']:,}",
            f"{result['exactLongCarries']:,}", *first(run, lambda point: point["exact"] == pairs), f"{result['updates']:,}", significant(result["cpuSeconds"]),
            significant(result["seconds"]), run["machine"]["load"]])
    recipe, sizes = runs[0]["heading"]["recipe"], runs[0]["heading"]["sizes"]
    return f"""# Binary addition to {sizes['testBits']} bits

Two numbers of {sizes['testBits']} bits, uniform, the lowest bit first; the sum has {sizes['testBits'] + 1} bits, and counts as exact if all are right. The {pairs:,} pairs at the end are not those
of the curve. The longest carries, in sums of just 2^{sizes['testBits']}, run over all bits; hardly one of a training's numbers has such. What the training's numbers must be for every seed to add exactly:

{rows(*sweep)}

Seed by seed, learnt from numbers of {CHOSEN_BITS} bits:

{rows(*lines)}

Recipe: GRU (reset after) of {recipe['hidden']} hidden units, {runs[0]['heading']['parameters']:,} parameters; cross-entropy of each bit; {recipe['updates']} updates on fresh batches of {recipe['batch']} sums; Adam at
{recipe['learningRate']:g}, reached in {recipe['warmUp']} updates and then lowered to 0 along half a cosine; gradients clipped to a norm of {recipe['clip']:g}; Glorot-uniform input weights,
orthogonal recurrent weights, zero biases; Float. PyTorch: the same recipe, `nn.GRU`, eager, fused Adam, random numbers of its own.
"""


def write(report):
    machine = report["runs"][0]["machine"]
    made = (f"\n{machine['processor']}, {machine['cores']} cores, one thread each, commit {machine['commit']}, {machine['date']}. Written by\n"
            f"`Benchmarks/learning/run {report['task']}`, whose [README](../learning/README.md) says how. Testing is not in the seconds. Seconds of the\n"
            "processor are of the one process; where the load (of the machine, at the run's start) is not near 0, others\n"
            "worked beside it, and those on the wall say nothing.\n")
    return {"adding": adding, "addition": addition}[report["task"]](report["runs"]) + made


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(write(json.loads(pathlib.Path(sys.argv[1]).read_text())), end="")
