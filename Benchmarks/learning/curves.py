"""Draws the learning curves of a task; learn.py calls it.

    python3 curves.py LEARNING.json CHART.svg
"""

import json
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "scaling"))
from svg import Panel, document, legend, text  # noqa: E402

WIDTH, HEIGHT, LEFT, TOP, PANEL, COLUMN = 1060, 500, 84, 132, (420, 280), 520
NAMES = {"gru": "GRU", "lstm": "LSTM", "rnn": "RNN, tanh"}
COLOURS = {"gru": "shape0", "lstm": "shape1", "rnn": "shape2"}
CHOSEN_BITS = 32  # of the addition's curves


def is_sluice(run):
    return run["heading"]["system"] == "Sluice"


def curve(run, x):
    """Test loss; of a run that came to nothing finite, as far as it went."""
    return [(point[x], point["testLoss"]) for point in run["points"]
            if isinstance(point["testLoss"], float) and point["testLoss"] > 0]


def panel(column, runs, x, title, subtitle, name, style):
    found = [(curve(run, x), style(run)) for run in runs]
    found = [(points, css) for points, css in found if points]
    xs = [point[0] for points, _ in found for point in points]
    ys = [point[1] for points, _ in found for point in points]
    plot = Panel(LEFT + column * COLUMN, TOP, *PANEL, (min(xs), max(xs)), (min(ys), max(ys)))
    parts = plot.frame(title, subtitle, name, lambda value: f"{value:g}")
    for points, css in found:
        parts += plot.curve(points, css, dots=False)
    return parts


def adding(runs):
    heading = runs[0]["heading"]
    steps, recipe = heading["sizes"]["steps"], heading["recipe"]
    style = lambda run: COLOURS[run["heading"]["recipe"]["architecture"]] + ("" if is_sluice(run) else " dashed")
    names = list(dict.fromkeys(run["heading"]["recipe"]["architecture"] for run in runs))
    return (
        f"The adding problem over {steps} steps",
        f"networks of about 70,000 parameters, fresh batches of {recipe['batch']}, Float",
        panel(0, [run for run in runs if is_sluice(run)], "updates", "Test error against updates",
              "mean squared error of 1,024 sequences; Sluice", "updates", style)
        + panel(1, runs, "cpuSeconds", "Test error against time",
                "the same tests against the processor's time in training", "CPU seconds, one thread", style),
        [(COLOURS[name], NAMES[name]) for name in names])


def addition(runs):
    runs = [run for run in runs if run["heading"]["sizes"]["bits"] == CHOSEN_BITS]
    sizes, recipe = runs[0]["heading"]["sizes"], runs[0]["heading"]["recipe"]
    style = lambda run: "shape0" if is_sluice(run) else "shape1 dashed"
    seeds = len({run["heading"]["recipe"]["seed"] for run in runs})
    return (
        f"Binary addition: {sizes['testBits']} bits, learnt from {CHOSEN_BITS}",
        f"GRU of {recipe['hidden']} hidden units, fresh batches of {recipe['batch']} sums, Float, {seeds} seeds",
        panel(0, [run for run in runs if is_sluice(run)], "updates", "Test loss against updates",
              f"cross-entropy of 1,000 pairs of {sizes['testBits']} bits; Sluice", "updates", style)
        + panel(1, runs, "cpuSeconds", "Test loss against time",
                "the same tests against the processor's time in training", "CPU seconds, one thread", style),
        [])


def draw(report):
    runs = report["runs"]
    title, subject, parts, entries = {"adding": adding, "addition": addition}[report["task"]](runs)
    machine = runs[0]["machine"]
    peers = sorted({run["heading"]["system"] for run in runs if not is_sluice(run)})
    if peers:
        solid, dashed = ("neutral", "neutral dashed") if entries else ("shape0", "shape1 dashed")
        entries = entries + [(solid, "Sluice")] + [(dashed, name) for name in peers]
    for index, entry in enumerate(entries):
        parts += legend(LEFT + index * 150, HEIGHT - 22, [entry])
    return document(WIDTH, HEIGHT, title, [
        text(28, 42, title, "title"),
        text(28, 66, f"{subject}. {machine['processor']}, commit {machine['commit']}, {machine['date'][:10]}. "
             "Both axes logarithmic.", "note"), *parts])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    data, target = map(pathlib.Path, sys.argv[1:])
    target.write_text(draw(json.loads(data.read_text())))
