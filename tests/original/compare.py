#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`joulemap map --method window` against the rules of the original scripts.

Random runs that the scripts accept go through the command and through the rules as
docs/formats.md has them ("The window method"), written here once more in plain
Python: its datetime, timedelta and repr are what the scripts used. Tables must agree
byte for byte, and no run may be refused. Standard library only.
"""
import argparse
import concurrent.futures
import csv
import datetime
import io
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

FORM = "%Y%m%d-%H:%M:%S.%f"
COLUMNS = ["cycle", "layer_name", "layer_type",
           "layer_power_including_idle_power_micro_watt",
           "layer_power_excluding_idle_power_micro_watt", "layer_run_time"]
TABLE = "power_runtime_mapping_layerwise.csv"


# ---- The rules -------------------------------------------------------------------


def mean(values):
    total = 0
    for value in values:  # sum() adds more exactly since Python 3.12
        total += value
    return total / len(values)


def executions(lists):
    """(cycle, layer, stamp, milliseconds): the n-th entries, in the order of the file."""
    for cycle in range(max((len(pairs) for pairs in lists.values()), default=0)):
        for name, pairs in lists.items():
            if cycle < len(pairs):
                yield (cycle, name, datetime.datetime.strptime(pairs[cycle][1], FORM),
                       pairs[cycle][0])


def later_rules(samples, lists, idle):
    rows, at = [], 0
    for cycle, name, end, ms in executions(lists):
        begin = end - datetime.timedelta(milliseconds=ms)
        own = []
        while at < len(samples) and samples[at][0] < begin:
            at += 1
        while at < len(samples) and samples[at][0] <= end:
            own.append(samples[at][1])
            at += 1
        power = mean(own) if own else None
        rows.append((cycle, name, power, power - idle if power else None, ms))
        if at == len(samples):
            break
    return rows


def first_rules(samples, lists, idle):
    laid_out, previous = [], (None, None)
    for number, (cycle, name, begin, ms) in enumerate(executions(lists)):
        if previous[0] == cycle and begin < previous[1]:
            begin = previous[1]
        end = begin + datetime.timedelta(milliseconds=ms)
        previous = (cycle, end)
        laid_out.append((begin, number, cycle, name, end, ms))
    rows, at = [], 0
    for _, _, cycle, name, end, ms in sorted(laid_out):
        own = []
        while at < len(samples) and samples[at][0] <= end:
            own.append(samples[at][1])
            at += 1
        at = max(at - 1, 0)
        power = mean(own) if own else 0.0
        rows.append((cycle, name, power, power - idle, ms))
    return rows


RULES = {"later": later_rules, "first": first_rules}


def table(rows, types):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for cycle, name, power, above, ms in rows:
        writer.writerow([cycle + 1, name, types.get(name, "Unknown"),
                         "" if power is None else repr(power),
                         "" if above is None else repr(above), repr(ms)])
    return text.getvalue()


# ---- Random runs -----------------------------------------------------------------


NAMES = ["[CONVOLUTION]-[conv%d] + [RELU]-[relu%d]", "Reformatting CopyNode %d, %d",
         "{ForeignNode[\"a%d\"...b%d]}", "PWN(sigmoid %d) \u00b5 %d", "two\nlines %d %d"]


class Run:
    """One run: power log, lists of executions, types, idle power."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lists, self.lines = {}, []
        self.types = {}
        self.idle = self.random.choice([0.0, 4234600.0, self.random.uniform(1e5, 9e6)])
        self.at = datetime.datetime(2024, 11, 21, 5, 20, 4, self.random.randrange(10**6))
        if self.random.random() < 0.1:
            self.at = self.at.replace(hour=23, minute=59, second=59)
        self.begin = self.at
        self.make_layers()
        self.make_log()

    def duration(self):
        kind, own = self.random.random(), self.random
        if kind < 0.1:
            return own.choice([0.0, 0.0005, 0.0015, 0.0025])  # halves of a microsecond
        if kind < 0.3:
            return own.randrange(1, 900) / 1000 + 0.0005
        return own.lognormvariate(-1.5, 1)

    def make_layers(self):
        own = self.random
        names = [own.choice(NAMES) % (i, own.randrange(99))
                 for i in range(own.choice([1, 1, 2, 3, 5, 9]))]
        repeated = len(names) > 2 and own.random() < 0.2
        skips = own.random() < 0.2
        stamp = own.choice(["begin", "end", "callback", "noisy"])
        cycles = own.choice([1, 2, 3, 7, 20, 60])
        stands_still = own.randrange(cycles) if own.random() < 0.1 else -1
        order = names + ([names[0]] if repeated else [])
        self.types = {name: "Cask%d" % i for i, name in enumerate(names) if own.random() < 0.9}
        self.lists = {name: [] for name in names}
        for cycle in range(cycles):
            callbacks = []
            for name in order:
                if skips and own.random() < 0.2:
                    continue
                ms = self.duration()
                begin = self.at
                self.at += datetime.timedelta(milliseconds=ms)
                at = begin if stamp == "begin" else self.at
                if stamp == "noisy":
                    at += datetime.timedelta(microseconds=own.randrange(-3, 4))
                callbacks.append((name, ms, at))
            for i, (name, ms, at) in enumerate(callbacks):
                if stamp == "callback":
                    at = self.at + datetime.timedelta(microseconds=4 * i)
                pairs = self.lists[name]
                if not pairs or pairs[-1][1] <= at:
                    pairs.append((ms, at))
            self.at += datetime.timedelta(microseconds=own.choice([0, 20, 900, 7000]))
            if cycle == stands_still and cycle + 1 < cycles:
                self.at += datetime.timedelta(seconds=own.choice([1, 12, 86400]))
        if not any(self.lists.values()):
            self.lists[names[0]].append((1.5, self.at))
        self.lists = {name: [[ms, at.strftime(FORM)] for ms, at in pairs]
                      for name, pairs in self.lists.items()}

    def make_log(self):
        own = self.random
        poll_us = own.choice([130, 1300, 1300, 9000, 100000])
        lead = datetime.timedelta(microseconds=own.choice([0, 200, 50000]))
        begin, end = self.begin - lead, self.at + lead
        if own.random() < 0.2:  # begins late, or ends early
            begin += own.random() * (end - begin)
        if own.random() < 0.2:
            end -= own.random() * (end - begin)
        at, mv, ma = begin, 5000.0, 900.0
        while at <= end or not self.lines:
            if own.random() < 0.3:
                mv, ma = 8.0 * own.randrange(600, 640), 8.0 * own.randrange(0, 300)
            if own.random() < 0.01:
                ma = 0.0
            self.lines.append((at, mv, ma))
            if own.random() > 0.02:  # equal stamps
                at += datetime.timedelta(microseconds=own.randrange(1, 2 * poll_us))
            if end - at > datetime.timedelta(seconds=30):
                at += datetime.timedelta(hours=1, seconds=17)

    def write(self, folder):
        own = self.random
        indent = own.choice([None, 4])
        folder.joinpath("latency.json").write_text(
            json.dumps(self.lists, indent=indent, ensure_ascii=own.random() < 0.5))
        folder.joinpath("power.log").write_text("".join(
            "{},{},{}\n".format(at.strftime(FORM), mv, ma) for at, mv, ma in self.lines))
        folder.joinpath("info.json").write_text(json.dumps(
            {"Layers": [{"Name": name, "LayerType": kind}
                        for name, kind in self.types.items()], "Bindings": []}))
        folder.joinpath("idle.json").write_text(json.dumps(
            {"timestamp": "20241121-051743", "avg_idle_power": self.idle}))

    def expected(self, rules):
        samples = [(at, mv * ma) for at, mv, ma in self.lines]
        return table(RULES[rules](samples, self.lists, self.idle), self.types)


# ---- Comparing --------------------------------------------------------------------


def compare(seed, options):
    """None, or what is wrong with a run."""
    with tempfile.TemporaryDirectory(prefix="joulemap-original-") as name:
        folder = pathlib.Path(name)
        run = Run(seed)
        run.write(folder)
        for rules in RULES:
            done = subprocess.run(
                [options.joulemap, "map", "--method", "window", "--window-rules", rules,
                 "--power-log-path", folder / "power.log",
                 "--trt-layer-latency-path", folder / "latency.json",
                 "--trt-engine-info-path", folder / "info.json",
                 "--idling-power-log-path", folder / "idle.json",
                 "--result-dir", folder / rules],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            problem = None
            if done.returncode != 0:
                problem = "refused: " + done.stderr.decode(errors="replace")[-300:].strip()
            else:
                found = next((folder / rules).glob("*/" + TABLE)).read_bytes()
                if found != run.expected(rules).encode():
                    problem = "another table"
            if problem:
                if options.keep:
                    shutil.copytree(folder, options.keep / str(seed), dirs_exist_ok=True)
                return "run {} by the rules '{}': {}".format(seed, rules, problem)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--joulemap", default=os.environ.get("JOULEMAP", "joulemap"))
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1, help="of the first run")
    parser.add_argument("--keep", type=pathlib.Path, help="folder for runs that differ")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    problems = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        seeds = range(options.seed, options.seed + options.runs)
        for problem in pool.map(lambda seed: compare(seed, options), seeds):
            if problem:
                problems.append(problem)
                print(problem, file=sys.stderr)
    print("{} runs by both rules, {} differ".format(options.runs, len(problems)))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
