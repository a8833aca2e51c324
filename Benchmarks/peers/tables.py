"""The tables of a run: peers.md from peers.json, and the summary of the project's README.

    python tables.py RESULTS.json                prints the document
    python tables.py RESULTS.json --into FILE    puts the summary between the lines of FILE that hold only
                                                 <!-- peers:begin --> and <!-- peers:end -->
"""

import json
import math
import pathlib
import sys

TITLES = {"training": "Training (forward and backward)", "forward": "Forward", "double": "Double", "float": "Float"}
ORDER = ["Sluice", "PyTorch", "JAX", "Keras", "ONNX Runtime", "OpenVINO", "NumPy"]
# Cells during which other processes kept more cores busy than this are marked: systems whose threads spin at a barrier
# suffer from it most.
OTHERS_LIMIT = 0.2
BEGIN, END = "<!-- peers:begin -->", "<!-- peers:end -->"


def number(value):
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def value_of(cell, system):
    """What a table says of a system in a cell: GF/s, microseconds of a streaming step, seconds of the job."""
    result = cell["systems"].get(system, {})
    if "median" not in result:
        return None
    match cell["mode"]:
        case "stream":
            return f"{result['median'] * 1e6:.1f} us"
        case "job":
            return f"{result['median']:.2f} s"
        case _:
            return number(result["gflops"])


def ratio_of(cell):
    """How many times faster Sluice is than the fastest peer: the median of the rounds' ratios."""
    peers = [r for name, r in cell["systems"].items() if name != "Sluice" and "ratio" in r]
    return min(peers, key=lambda r: r["median"])["ratio"] if peers else None


def best_peer(cell):
    peers = {name: r["median"] for name, r in cell["systems"].items() if name != "Sluice" and "median" in r}
    return min(peers, key=peers.get) if peers else None


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def joined(values):
    return " / ".join(value or "-" for value in values)


def systems_of(cells):
    present = {name for cell in cells for name in cell["systems"]}
    return [name for name in ORDER if name in present]


def shape_name(shape):
    return ",".join(map(str, shape))


def select(report, mode, scalar):
    """Of the plain GRU: shape -> threads -> cell, in the order measured."""
    return grouped(report, mode, scalar, lambda cell: None if "network" in cell else tuple(cell["shape"]))


def select_networks(report, mode, scalar):
    """Of the other networks: name and shape -> threads -> cell."""
    return grouped(report, mode, scalar, lambda cell: "network" in cell and (cell["network"]["name"], shape_name(cell["shape"])))


def grouped(report, mode, scalar, key):
    """Key -> threads -> cell; cells without a key are left out."""
    found = {}
    for cell in report["cells"]:
        if (cell["mode"], cell["scalar"]) == (mode, scalar) and key(cell):
            found.setdefault(key(cell), {})[cell["threads"]] = cell
    return found


def threads_of(report):
    return sorted({cell["threads"] for cell in report["cells"]})


def thread_words(threads):
    return " / ".join(map(str, threads)) + (" thread" if threads == [1] else " threads")


def speeds(report, heads, lines):
    """GF/s of every system: cells by number of threads, for each line its first columns."""
    threads = threads_of(report)
    systems = systems_of([cell for by_threads in lines.values() for cell in by_threads.values()])
    rows = []
    for names, by_threads in lines.items():
        cells = [by_threads.get(count) for count in threads]
        row = [*names]
        row += [joined(cell and value_of(cell, name) for cell in cells) for name in systems]
        row.append(joined(cell and (ratio := ratio_of(cell)) and f"{ratio:.2f} {best_peer(cell)}" for cell in cells))
        rows.append(row)
    return table([*heads, *systems, "Sluice / best peer"], rows)


def layer_section(report, mode, scalar):
    shapes = select(report, mode, scalar)
    if not shapes:
        return ""
    title = f"## {TITLES[mode]}, {TITLES[scalar]}\n\nGF/s at {thread_words(threads_of(report))}.\n\n"
    return title + speeds(report, ["B,T,I,H"], {(shape_name(shape),): found for shape, found in shapes.items()}) + "\n"


def networks_section(report):
    text = ""
    for mode in ("training", "forward"):
        for scalar in ("double", "float"):
            if lines := select_networks(report, mode, scalar):
                text += f"### {TITLES[mode]}, {TITLES[scalar]}\n\n" + speeds(report, ["", "B,T,I,H"], lines) + "\n"
    if not text:
        return ""
    ways = {}
    for cell in report["cells"]:
        for name, result in cell["systems"].items():
            if "network" in cell and "way" in result:
                ways.setdefault(name, {}).setdefault(result["way"], []).append(cell)
    rows = [[name, way_counts(ways[name])] for name in ORDER if name in ways]
    return (f"## Other networks\n\nGF/s at {thread_words(threads_of(report))}, of the steps that the sequences have: where "
            "lengths differ and the figure is that of equal ones, the cost follows the sum of the lengths.\n\n"
            + text + table(["", "how (cells)"], rows) + "\n")


def way_counts(ways):
    """Of the ways a system was run, how often each was the fastest."""
    return "; ".join(f"{way} ({len(cells)})" for way, cells in sorted(ways.items(), key=lambda item: -len(item[1])))


def single_section(report, mode, scalar, title):
    shapes = select(report, mode, scalar)
    if not shapes:
        return ""
    threads = threads_of(report)
    (by_threads,) = shapes.values()
    cells = [by_threads[count] for count in threads if count in by_threads]
    rows = []
    for name in systems_of(cells):
        ratio = ["ratio" in (r := cell["systems"].get(name, {})) and f"{r['ratio']:.2f}" for cell in cells]
        ways = sorted({cell["systems"][name].get("way") or "" for cell in cells if name in cell["systems"]})
        rows.append([name, *[value_of(cell, name) or "-" for cell in cells], joined(ratio), "; ".join(ways)])
    heads = [f"{cell['threads']} thread{'s' * (cell['threads'] > 1)}" for cell in cells]
    return f"## {title(cells[0])}\n\n" + table(["", *heads, "times Sluice's", "how"], rows) + "\n"


def memory_section(report):
    if not report["memory"]:
        return ""
    scalars = list(dict.fromkeys(entry["scalar"] for entry in report["memory"]))
    by_system = {}
    for entry in report["memory"]:
        text = f"{entry['bytes'] / 2**20:.0f} MiB" if "bytes" in entry else "-"
        by_system.setdefault(entry["system"], {})[entry["scalar"]] = text
    rows = [[name, *[found.get(scalar, "-") for scalar in scalars]] for name, found in by_system.items()]
    shape = shape_name(report["memory"][0]["shape"])
    return (f"## Memory of one training step, {shape}\n\nPeak beyond inputs, parameters and the output's gradient, in a "
            "fresh process, 1 thread.\n\n" + table(["", *[TITLES[s] for s in scalars]], rows) + "\n")


def ways_section(report):
    """The systems, and which of its ways each one took most often."""
    ways = {}
    for cell in report["cells"]:
        if cell["mode"] in ("forward", "training") and "network" not in cell:
            for name, result in cell["systems"].items():
                if "way" in result:
                    ways.setdefault(name, {}).setdefault(result["way"], []).append(cell)
    rows = []
    for name in ORDER:
        if (found := report["systems"].get(name)) is None:
            continue
        rows.append([name, found.get("version") or "", found.get("kernels") or "", way_counts(ways.get(name, {}))])
    return "## Systems\n\n" + table(["", "version", "kernels", "how the layer was run (cells)"], rows) + "\n"


def document(report):
    machine = report["machine"]
    lines = [
        "# Sluice and its peers",
        "",
        f"Measured {machine['date']} at commit {machine['commit']} on {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_gib']} GiB, {machine['system']}; {machine['swift']}; Python {machine['python']}.",
        f"Written by `Benchmarks/peers/run`, whose [README](../peers/README.md) says how. Environment {machine['environment']}.",
        "",
    ]
    disturbed = [cell for cell in report["cells"] if cell.get("others_cores", 0) > OTHERS_LIMIT]
    if disturbed:
        lines += [f"**Other processes kept more than {OTHERS_LIMIT} cores busy during {len(disturbed)} of "
                  f"{len(report['cells'])} cells**: " + "; ".join(
                      f"{cell['mode']} {cell['scalar']} {cell.get('network', {}).get('name', '')} {shape_name(cell['shape'])}, "
                      f"{cell['threads']}".replace("  ", " ") for cell in disturbed) + ".", ""]
    if report.get("failures"):
        lines += ["**Failures:**", ""] + [f"- {failure}" for failure in report["failures"]] + [""]
    text = "\n".join(lines) + "\n"
    for mode in ("training", "forward"):
        for scalar in ("double", "float"):
            text += layer_section(report, mode, scalar)
    text += networks_section(report)
    text += single_section(report, "stream", "float", lambda cell: f"One streaming step, {shape_name(cell['shape'])}, Float")
    text += single_section(
        report, "job", "double",
        lambda cell: f"The addition job: {cell['iterations']} iterations with a test loss after each, Double")
    return (text + memory_section(report) + ways_section(report)).rstrip() + "\n"


def summary(report):
    """One table: Sluice's GF/s and, in brackets, how many times the fastest peer's that is."""
    threads = threads_of(report)
    kinds = [(m, s) for m in ("training", "forward") for s in ("double", "float") if select(report, m, s)]
    shapes = list(dict.fromkeys(shape for m, s in kinds for shape in select(report, m, s)))
    rows = []
    for shape in shapes:
        row = [shape_name(shape)]
        for mode, scalar in kinds:
            cells = [select(report, mode, scalar).get(shape, {}).get(count) for count in threads]
            row.append(joined(
                cell and f"{value_of(cell, 'Sluice') or '-'} ({ratio_of(cell) or math.nan:.1f}x)" for cell in cells))
        rows.append(row)
    machine = report["machine"]
    return (f"GF/s at {thread_words(threads)}; in brackets, times the fastest peer. {machine['processor']}, commit "
            f"{machine['commit']}.\n\n" + table(["B,T,I,H", *[f"{TITLES[m].split(' (')[0]} {TITLES[s]}" for m, s in kinds]], rows))


def main(path, *options):
    report = json.loads(pathlib.Path(path).read_text())
    if not options:
        print(document(report), end="")
        return
    if len(options) != 2 or options[0] != "--into":
        sys.exit(__doc__)
    file = pathlib.Path(options[1])
    lines = file.read_text().splitlines()
    if lines.count(BEGIN) != 1 or lines.count(END) != 1 or lines.index(BEGIN) > lines.index(END):
        sys.exit(f"tables: {file} needs one line {BEGIN} and after it one line {END}")
    begin, end = lines.index(BEGIN), lines.index(END)
    file.write_text("\n".join([*lines[:begin + 1], "", summary(report).rstrip(), "", *lines[end:]]) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
