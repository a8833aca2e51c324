"""Draws scaling.svg from scaling.json; Benchmarks/scaling/run calls it.

    python3 chart.py DATA.json CHART.svg
    python3 chart.py --merge FOLDER DATA.json     FOLDER: the documents of `bench layer --json`, one for each sweep
"""

import json
import pathlib
import sys

from svg import Panel, document, legend, text

SWEEPS = ["steps", "batch", "hidden", "threads"]
LETTERS = {"steps": "T", "batch": "B", "hidden": "H"}
NAMES = {"steps": "steps  T", "batch": "sequences  B", "hidden": "hidden units  H"}
KINDS = [("training", "float"), ("training", "double"), ("forward", "float"), ("forward", "double")]
WIDTH, HEIGHT = 1250, 710
LEFT, TOP, PANEL, COLUMN, ROW = 70, 130, (226, 208), 304, 304


def merge(folder):
    """One document: the machine, and the rows of each sweep."""
    documents = {name: json.loads((folder / f"{name}.json").read_text()) for name in SWEEPS}
    machine = documents["threads"]["machine"]
    return {"machine": machine, "sweeps": {name: documents[name]["rows"] for name in SWEEPS}}


def fixed(rows, varied):
    """What stays the same in a sweep, as in 'B 1, I 32, H 32'."""
    shape = rows[0]["shape"]
    if varied == "hidden":
        return f"B {shape['batch']}, T {shape['steps']}, I = H"
    sizes = {"batch": shape["batch"], "steps": shape["steps"], "inputs": shape["inputs"], "hidden": shape["hidden"]}
    letters = {"batch": "B", "steps": "T", "inputs": "I", "hidden": "H"}
    return ", ".join(f"{letters[name]} {value}" for name, value in sizes.items() if name != varied)


def sweep_panels(rows, varied, column, speeds):
    """Time of a pass above, speed below, over the same axis; `speeds`: the range of all."""
    curves = {kind: [] for kind in KINDS}
    for row in rows:
        curves[row["pass"], row["scalar"]].append((row["shape"][varied], row["timing"]["median"], row["gflops"]))
    sizes = [point[0] for points in curves.values() for point in points]
    x = LEFT + column * COLUMN
    parts = []
    for index, (values, unit, title) in enumerate([
        ([p[1] for points in curves.values() for p in points], seconds, f"Time of a pass against {LETTERS[varied]}"),
        (speeds, plain, f"GFLOP/s against {LETTERS[varied]}"),
    ]):
        panel = Panel(x, TOP + index * ROW, *PANEL, (min(sizes), max(sizes)), (min(values), max(values)),
                      powers=10 if varied == "steps" else 2)
        parts += panel.frame(title, fixed(rows, varied), NAMES[varied], unit)
        for kind in KINDS:
            parts += panel.curve([(p[0], p[1 + index]) for p in curves[kind]], style(kind))
    return parts


def threads_panel(rows):
    """How many times faster than on one thread, a curve for each shape; solid: training, dashed: forward."""
    times = {}
    for row in rows:
        shape = row["shape"]
        name = ",".join(str(shape[key]) for key in ("batch", "steps", "inputs", "hidden"))
        times.setdefault((row["pass"], name), {})[row["threads"]] = row["timing"]["median"]
    most = max(row["threads"] for row in rows)
    speeds = {key: [(n, found[1] / found[n]) for n in sorted(found)] for key, found in times.items()}
    names = list(dict.fromkeys(name for _, name in speeds))
    low = min(speed for points in speeds.values() for _, speed in points)
    panel = Panel(LEFT + 3 * COLUMN, TOP, *PANEL, (1, max(most, 2)), (min(low, 1), max(most, 2)), powers=2)
    parts = panel.frame("Speed-up against threads", "Double; B,T,I,H below", "threads", plain)
    parts += panel.curve([(1, 1), (max(most, 2), max(most, 2))], "ideal", dots=False)
    for (kind, name), points in speeds.items():
        parts += panel.curve(points, f"shape{names.index(name)} {'dashed' if kind == 'forward' else ''}")
    x, y = LEFT + 3 * COLUMN, TOP + PANEL[1] + 64
    parts += legend(x, y, [(f"shape{index}", name) for index, name in enumerate(names)] + [("ideal", "as many times as threads")])
    return parts


def style(kind):
    return f"{kind[1]} {'dashed' if kind[0] == 'forward' else ''}"


def seconds(value):
    for size, unit in ((1, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")):
        if value >= 0.9999 * size:
            return f"{value / size:g} {unit.replace('us', 'µs')}"
    return f"{value:g} s"


def plain(value):
    return f"{value:g}"


def draw(report):
    machine = report["machine"]
    parts = [
        text(28, 42, "What a GRU layer costs", "title"),
        text(28, 66, f"Sluice, {machine['processor']}, {machine['cores']} cores, {machine.get('openBLAS') or 'no OpenBLAS'}, "
             f"commit {machine.get('commit') or 'unknown'}, {machine['date'][:10]}. One thread, but for the speed-up. "
             "Both axes logarithmic.", "note"),
    ]
    speeds = [row["gflops"] for varied in LETTERS for row in report["sweeps"][varied]]
    for column, varied in enumerate(("steps", "batch", "hidden")):
        parts += sweep_panels(report["sweeps"][varied], varied, column, speeds)
    parts += threads_panel(report["sweeps"]["threads"])
    x, y = LEFT + 3 * COLUMN, TOP + ROW + 124
    parts += [text(x, y - 22, "All panels", "heading")]
    parts += legend(x, y, [("neutral", "training step"), ("neutral dashed", "forward pass"), ("float", "Float"), ("double", "Double")])
    return document(WIDTH, HEIGHT, "What a GRU layer costs", parts)


def main(arguments):
    match arguments:
        case ["--merge", folder, target]:
            report = merge(pathlib.Path(folder))
            pathlib.Path(target).write_text(json.dumps(report, indent=1) + "\n")
        case [data, chart]:
            pathlib.Path(chart).write_text(draw(json.loads(pathlib.Path(data).read_text())))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
