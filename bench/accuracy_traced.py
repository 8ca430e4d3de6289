#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a tracer does to the energies of layers, against a truth it has not touched.

Two steps. bench_layers MEASURES on this machine, for every network, what its
layers take when nobody traces them and what markers and callbacks say of them;
the tables go into a folder and are used again. bench_traced SIMULATES the board
below such a run, and `joulemap map` tells the energies of the layers, which are
compared with those of the untraced network. Standard library only.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import accuracy
import accuracy_report

ROOT = pathlib.Path(__file__).resolve().parent.parent
NETWORKS = {"lenet": str(ROOT / "tests/data/models/lenet.onnx"),
            "mobilenet_v2": "mobilenet_v2", "squeezenet1_1": "squeezenet1_1",
            "resnet18": "resnet18"}
WAYS = ["exact", "markers", "callbacks"]
WITHIN = 1.96  # standard deviations of a 95 % interval


def measure(network, options):
    """The table of a network, from bench_layers where it is not there yet."""
    path = options.tables / network
    if path.exists() and not options.again:
        return path
    print("measuring {}".format(network), file=sys.stderr)
    options.tables.mkdir(parents=True, exist_ok=True)
    command = [str(options.build / "bench" / "bench_layers"), "--seconds",
               str(options.seconds), *options.bench_options.split(), NETWORKS[network]]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    path.write_text(text, encoding="utf-8")
    return path


def read_times(path):
    """{layer: (true, by markers, by callbacks, error of the first)} in us."""
    times = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        words = re.split(r"\s+", line.strip(), maxsplit=9)
        if words[0] != "#" and len(words) == 10:
            times[words[9]] = (float(words[1]), float(words[3]), float(words[6]),
                               float(words[2]))
    return times


def compare(rows, truth, unknown):
    """One record per layer whose true time is known."""
    return [{"true_mj": true["energy_mj"],
             "mj": accuracy.number(rows[name]["energy_mj"]),
             "sd_mj": accuracy.number(rows[name]["energy_sd_mj"]),
             "resolved": rows[name]["resolved"] == "yes"}
            for name, true in truth["layers"].items()
            if name in rows and name not in unknown]


def run_task(task, options):
    network, way, seed = task
    record = {"network": network, "way": way, "seed": seed, "layers": []}
    with tempfile.TemporaryDirectory(prefix="joulemap-traced-", dir=options.tmp) as name:
        folder = pathlib.Path(name)
        made = subprocess.run(
            [str(options.build / "bench" / "bench_traced"),
             str(options.tables / network), way, str(seed), str(options.cycles), name],
            check=True, stdout=subprocess.PIPE, text=True)
        record["unknown"] = made.stdout.splitlines()
        truth = json.loads((folder / "truth.json").read_text())
        status, _, _, errors = accuracy.run_program(
            [str(options.joulemap), "map", str(folder / "network"),
             "--result-dir", str(folder / "out"), "--format", "csv"],
            folder / "map.csv", options.timeout)
        rows = accuracy.read_layers(folder / "map.csv")
        if status not in (0, 4) or not rows:
            record["error"] = (errors.strip().splitlines() or ["no table"])[-1]
            return record
        record["layers"] = compare(rows, truth, record["unknown"])
        if not record["layers"]:
            record["error"] = "no layer of the table is one of the truth"
    return record


def errors_of(layers):
    return [abs(l["mj"] / l["true_mj"] - 1) for l in layers]


def row_of(network, way, records, times):
    records = [r for r in records if r["network"] == network and r["way"] == way]
    layers = [l for r in records for l in r["layers"]]
    unknown = records[0]["unknown"] if records else []
    known = [t for name, t in times.items() if name not in unknown]
    column = WAYS.index(way)
    time_errors = [abs(t[column] / t[0] - 1) for t in known]
    energy_errors = errors_of(layers)
    resolved = errors_of(l for l in layers if l["resolved"])
    covered = [abs(l["mj"] - l["true_mj"]) <= WITHIN * l["sd_mj"] for l in layers]
    percent, quantile = accuracy_report.percent, accuracy_report.quantile
    return [network, "{} of {}".format(len(known), len(times)), way,
            percent(quantile([t[3] / t[0] for t in known], 0.5)),
            percent(quantile(time_errors, 0.5)), percent(quantile(time_errors, 0.9)),
            "**" + percent(quantile(energy_errors, 0.5)) + "**",
            percent(quantile(energy_errors, 0.9)),
            percent(accuracy_report.energy_error(layers)),
            percent(accuracy_report.share_of(covered), 0),
            percent(accuracy_report.share_of(l["resolved"] for l in layers), 0),
            percent(quantile(resolved, 0.5))]


HEAD = ["network", "layers", "traced by", "truth known to", "time: median", "90 %", "**energy: median**",
        "90 %", "all", "coverage", "resolved", "their median"]


def table(records, tables):
    lines = ["| " + " | ".join(HEAD) + " |", "|---|---|---" + "|--:" * (len(HEAD) - 3) + "|"]
    for network, path in tables.items():
        times = read_times(path)
        for way in WAYS:
            lines.append("| " + " | ".join(row_of(network, way, records, times)) + " |")
    return "\n".join(lines)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--build", type=pathlib.Path, default=ROOT / "build", help="where the programs are")
    add("--networks", default=",".join(NETWORKS), help="names separated by commas")
    add("--tables", type=pathlib.Path, help="folder of tables (default: BUILD/layers)")
    add("--again", action="store_true", help="measure also what there is a table of")
    add("--seconds", type=float, default=120, help="of measuring, for a network")
    add("--bench-options", default="", help="more options of bench_layers, for a machine "
        "that is not quiet: '--cpu --quantile 10 --behind 3'")
    add("--joulemap", type=pathlib.Path, help="the program (default: BUILD/joulemap)")
    add("--seeds", type=int, default=3, help="boards 1..N of each")
    add("--cycles", type=int, default=30000, help="of each run")
    add("--jobs", type=int, default=os.cpu_count(), help="runs at a time")
    add("--timeout", type=float, default=300, help="seconds for one program")
    add("--tmp", default=None, help="folder for the runs, 300 MB each")
    add("--markdown", type=pathlib.Path, help="page with markers, such as docs/accuracy.md")
    options = parser.parse_args()
    options.tables = options.tables or options.build / "layers"
    options.joulemap = options.joulemap or options.build / "joulemap"
    return options


def main():
    options = parse_arguments()
    tables = {name: measure(name, options) for name in options.networks.split(",")}
    tasks = [(name, way, seed) for name in tables for way in WAYS
             for seed in range(1, options.seeds + 1)]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        records = list(pool.map(lambda task: run_task(task, options), tasks))
    text = table(records, tables)
    print(text)
    if options.markdown:
        accuracy_report.write_markdown(options.markdown, text, "traced")
    failed = [r for r in records if "error" in r]
    for record in failed:
        print("{network} {way} {seed}: {error}".format(**record), file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
