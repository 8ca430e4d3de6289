#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How close `joulemap map` comes to a truth that is known.

For every scenario, number of layers and seed: `joulemap simulate` into a
temporary folder, `joulemap map` with each method, and a comparison with
truth.json. Results go to a JSON-lines file as they come, so that a run that is
stopped, or repeated with --resume, loses nothing; the table of docs/accuracy.md
and the plot beside it are made from that file. Standard library only.
"""
import argparse
import concurrent.futures
import csv
import json
import math
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import accuracy_report

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMIT = "limit"  # the fit that is told what the board is like


# ---- One program --------------------------------------------------------------


def run_program(command, output, timeout_s):
    """Runs a command with stdout in a file; (exit status, seconds, MB, stderr).

    The status is None when it ran out of time and was killed.
    """
    begin = time.monotonic()
    with open(output, "wb") as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, stdout=out, stderr=err,
                                   start_new_session=True)
        timer = threading.Timer(timeout_s, os.killpg, (process.pid, signal.SIGKILL))
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        late = not timer.is_alive()
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        err.seek(0)
        text = err.read().decode(errors="replace")
    seconds = time.monotonic() - begin
    late = late and process.returncode == -signal.SIGKILL
    return (None if late else process.returncode, seconds,
            usage.ru_maxrss / 1024, text)


# ---- Comparing ----------------------------------------------------------------


def number(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return math.nan


def read_layers(path, rail=None):
    """Rows of a layer table by layer name, perhaps of one rail; {} when there is none."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            return {row["layer_name"]: row for row in csv.DictReader(file)
                    if rail is None or row["rail"] == rail}
    except (OSError, KeyError):
        return {}


def compare(rows, truth):
    """One record per layer: true and found power and energy, interval, state."""
    layers = []
    for name, true in truth["layers"].items():
        row = rows.get(name, {})
        layers.append({
            "true_w": true["power_w"],
            "true_mj": true["energy_mj"],
            "w": number(row.get("power_w")),
            "mj": number(row.get("energy_mj")),
            "lo": number(row.get("power_lo_w")),
            "hi": number(row.get("power_hi_w")),
            "resolved": row.get("resolved", ""),
        })
    return layers


def closure(rows):
    """Sum of rows over the sensor's total, minus 1; NaN without such a row.

    A layer that is repeated in place counts as often as it ran per cycle.
    """
    whole = rows.get("(total)", {})
    total, cycles = number(whole.get("energy_mj")), number(whole.get("executions"))
    parts = [number(row.get("energy_mj")) * number(row.get("executions")) / cycles
             for name, row in rows.items() if name != "(total)"]
    parts = [value for value in parts if not math.isnan(value)]
    return sum(parts) / total - 1 if total and parts else math.nan


# ---- One task -----------------------------------------------------------------


def limit_options(truth, options):
    """What the true board looks like to the solver; None where it cannot say it."""
    known = truth["parameters"]
    if known["sensor"] != "window" or known["tau2_ms"] or known["damping"]:
        return None
    if known["rails"] > 1:  # each has a supply of its own
        return None
    if truth["stamp"] == "callback":  # the delay holds how late callbacks come
        return None
    scale = 1e3 if options.limit_unit == "ms" else 1
    return ["--method", "fit", "--given-response",
            "delay={:.9g},tau={:.9g},window={:.9g},round={:.9g}".format(
                truth["delay"] * scale, truth["tau"] * scale, truth["w"] * scale,
                truth["sensor"]["period_s"] * scale)]


def map_run(folder, method, arguments, truth, options):
    """Maps one run by one method; a dictionary that goes into the results."""
    target = folder / method
    output = folder / (method + ".csv")
    command = [options.joulemap, "map", str(folder / "network"), *arguments,
               "--result-dir", str(target), "--format", "csv"]
    status, seconds, megabytes, errors = run_program(command, output, options.timeout)
    rows = read_layers(target / "network" / "layer_energy.csv") or read_layers(output)
    result = {"seconds": round(seconds, 3), "mb": round(megabytes, 1),
              "status": status}
    if status is None:
        result["error"] = "took more than {:g} s".format(options.timeout)
    elif rows and status in (0, 4):
        result["layers"] = compare(rows, truth)
        result["closure"] = closure(rows)
        if method == "fit":
            result["rails"] = rails_of(target / "network", truth, result)
    else:
        result["error"] = (errors.strip().splitlines() or ["no table"])[-1]
    shutil.rmtree(target, ignore_errors=True)
    return result


def rails_of(folder, truth, fit):
    """One result per rail that the truth knows, from the table by rail."""
    rails = {}
    for name, true in truth.get("rails", {}).items():
        rows = read_layers(folder / "layer_energy_by_rail.csv", name)
        rails[name] = {"seconds": math.nan, "mb": math.nan, "status": fit["status"]}
        if rows:
            rails[name]["layers"] = compare(rows, true)
            rails[name]["closure"] = closure(rows)
        else:
            rails[name]["error"] = "no rows"
    return rails


def methods_of(truth, options):
    for method in options.methods:
        arguments = (limit_options(truth, options) if method == LIMIT
                     else ["--method", method])
        if arguments:
            yield method, arguments


def run_task(task, options):
    scenario, layers, seed = task
    record = {"scenario": scenario, "layers": layers, "seed": seed, "methods": {}}
    command = [options.joulemap, "simulate", "--scenario", scenario,
               "--layers", str(layers), "--seed", str(seed)]
    if options.cycles:
        command += ["--cycles", str(options.cycles)]
    with tempfile.TemporaryDirectory(prefix="joulemap-accuracy-",
                                     dir=options.tmp) as name:
        folder = pathlib.Path(name)
        status, _, _, errors = run_program(command + [name], folder / "simulate.out",
                                           options.timeout)
        if status != 0:
            record["error"] = (errors.strip().splitlines() or ["?"])[-1]
            return record
        truth = json.loads((folder / "truth.json").read_text())
        record["cycles"] = truth["parameters"]["cycles"]
        for method, arguments in methods_of(truth, options):
            record["methods"][method] = map_run(folder, method, arguments, truth,
                                                options)
    return record


# ---- All of them ----------------------------------------------------------------


def key_of(record):
    return record["scenario"], record["layers"], record["seed"]


def read_results(path):
    """Records of a results file; a line cut off by a stop is left out."""
    records = {}
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return records
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        records[key_of(record)] = record
    return records


def describe(record):
    parts = ["{scenario} {layers} layers seed {seed}:".format(**record)]
    if "error" in record:
        return parts[0] + " " + record["error"]
    for method, result in record["methods"].items():
        if "error" in result:
            parts.append("{}: {}".format(method, result["error"]))
        else:
            summary = accuracy_report.summarise([result])
            parts.append("{} {} in {:.1f} s".format(
                method, accuracy_report.percent(summary["median"]), result["seconds"]))
    return " ".join(parts)


def run_all(tasks, options, records):
    """Runs what is not in `records` yet, until done, out of time or stopped."""
    deadline = time.monotonic() + options.budget if options.budget else math.inf
    todo = [task for task in tasks if task not in records]
    options.results.parent.mkdir(parents=True, exist_ok=True)
    with open(options.results, "a", encoding="utf-8") as file, \
            concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        waiting = {}
        try:
            while todo or waiting:
                while todo and len(waiting) < options.jobs \
                        and time.monotonic() < deadline:
                    task = todo.pop(0)
                    waiting[pool.submit(run_task, task, options)] = task
                if not waiting:
                    print("out of time, {} left".format(len(todo)), file=sys.stderr)
                    break
                done, _ = concurrent.futures.wait(
                    waiting, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in done:
                    del waiting[future]
                    record = future.result()
                    records[key_of(record)] = record
                    file.write(json.dumps(record) + "\n")
                    file.flush()
                    print("{:4d}/{} {}".format(len(records), len(tasks),
                                               describe(record)), file=sys.stderr)
        except KeyboardInterrupt:
            print("stopped; what is done is in {}".format(options.results),
                  file=sys.stderr)
            for future in waiting:
                future.cancel()


def all_scenarios(joulemap):
    text = subprocess.run([joulemap, "simulate", "--list"], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    return [line.split()[0] for line in text.splitlines()]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--joulemap", default=str(ROOT / "build" / "joulemap"), help="the program")
    add("--scenarios", default="all", help="names separated by commas, or all")
    add("--layers", default="26,53", help="numbers separated by commas")
    add("--seeds", type=int, default=3, help="seeds 1..N of each")
    add("--cycles", type=int, default=0, help="cycles instead of the scenario's")
    add("--methods", default="fit,window,limit", help="of map; limit: told the truth")
    add("--limit-unit", choices=("ms", "s"), default="ms",
        help="unit of --given-response")
    add("--jobs", type=int, default=os.cpu_count(), help="runs at a time")
    add("--timeout", type=float, default=300, help="seconds for one program")
    add("--budget", type=float, default=0, help="seconds after which none is begun")
    add("--tmp", default=None, help="folder for the runs, 200 MB each")
    add("--results", type=pathlib.Path, default=ROOT / "build" / "accuracy.jsonl")
    add("--resume", action="store_true", help="keep what the results file has")
    add("--report-only", action="store_true", help="run nothing, only report")
    add("--markdown", type=pathlib.Path, help="page with markers, such as docs/accuracy.md")
    add("--svg", type=pathlib.Path, help="plot, such as docs/accuracy.svg")
    options = parser.parse_args()
    options.methods = options.methods.split(",")
    return options


def main():
    options = parse_arguments()
    if not (options.resume or options.report_only):
        options.results.unlink(missing_ok=True)
    records = read_results(options.results)
    if not options.report_only:
        names = (all_scenarios(options.joulemap) if options.scenarios == "all"
                 else options.scenarios.split(","))
        tasks = [(name, int(layers), seed)
                 for seed in range(1, options.seeds + 1)
                 for layers in options.layers.split(",") for name in names]
        run_all(tasks, options, records)
    table = accuracy_report.table(records.values())
    print(table)
    if options.svg:
        options.svg.write_text(accuracy_report.plot(records.values()))
        table += "\n\n![Errors of a layer's power]({})".format(options.svg.name)
    if options.markdown:
        accuracy_report.write_markdown(options.markdown, table)
    failed = [r for r in records.values() if "error" in r]
    return 1 if failed or not records else 0


if __name__ == "__main__":
    sys.exit(main())
