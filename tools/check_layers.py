#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that the house stands: what may use what in src/.

Floors from the ground up; a folder uses only folders of floors below its own.
Two things are looked at: what a file includes, and, with the object files of a
build, whose functions and data it really uses (the public headers hide that).
No circle between files either. docs/architecture.md has the picture.

    tools/check_layers.py                 includes only
    tools/check_layers.py --build build   includes and symbols
"""
import argparse
import collections
import pathlib
import re
import subprocess
import sys

FLOORS = [
    ["base"],
    ["data"],
    ["formats", "onnx", "catalog", "attribute"],
    ["run"],
    ["simulate"],
    ["machine", "sensors", "engines"],
    ["plugin", "logger", "workload"],
    ["measure", "map"],
    ["calibrate", "report"],
    ["cli"],
]
FLOOR = {folder: i for i, floor in enumerate(FLOORS) for folder in floor}
# Loaded by others' processes, so that it may use nothing of ours but base.
ALONE = "/hook/"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
# Set by the compiler of coverage, sanitizers and fuzzers in every object.
NOT_OURS = re.compile(r"^(__|_GLOBAL_|asan\.|\.)")


def folder_of(unit):
    return unit.split("/", 1)[0]


def include_arrows(source):
    """(from file, to file, where) of every include between files of src/."""
    for path in sorted(source.rglob("*.[ch]")):
        own = path.relative_to(source).as_posix()
        for match in INCLUDE.finditer(path.read_text(encoding="utf-8")):
            target = match.group(1)
            if target.startswith("joulemap/"):
                continue
            if not (source / target).is_file():
                yield own, None, f"{own} includes '{target}', which is not there"
                continue
            yield own, target, f"{own} includes {target}"


def objects_of(build):
    for path in sorted(build.rglob("*.o")):
        match = re.search(r"/src/(.+)\.c\.o$", path.as_posix())
        if match:
            yield match.group(1), path


def symbol_arrows(build):
    """(from unit, to unit, where) of every symbol used across files."""
    defined, used = {}, collections.defaultdict(set)
    for unit, path in objects_of(build):
        listing = subprocess.run(["nm", "-P", str(path)], check=True, text=True,
                                 capture_output=True).stdout
        for line in listing.splitlines():
            name, kind = line.split()[:2]
            if NOT_OURS.match(name):
                continue
            if kind in "TDBRCV":
                defined[name] = unit
            elif kind == "U":
                used[unit].add(name)
    if not defined:
        sys.exit(f"check_layers.py: no object files of src/ in '{build}': build first")
    for unit, names in sorted(used.items()):
        for name in sorted(names):
            if name in defined and defined[name] != unit:
                yield unit, defined[name], f"{unit}.c uses {name} of {defined[name]}.c"


def circles(arrows):
    """Strongly connected sets of more than one unit (Tarjan's algorithm)."""
    index, low, stack, found, counter = {}, {}, [], [], [0]

    def visit(unit):
        index[unit] = low[unit] = counter[0]
        counter[0] += 1
        stack.append(unit)
        for target in sorted(arrows[unit]):
            if target not in index:
                visit(target)
                low[unit] = min(low[unit], low[target])
            elif target in stack:
                low[unit] = min(low[unit], index[target])
        if low[unit] == index[unit]:
            members = []
            while not members or members[-1] != unit:
                members.append(stack.pop())
            if len(members) > 1:
                found.append(sorted(members))

    sys.setrecursionlimit(10000)
    for unit in sorted(arrows):
        if unit not in index:
            visit(unit)
    return found


def problems_of(arrows, kind):
    graph = collections.defaultdict(set)
    for unit, target, where in arrows:
        if target is None:
            yield where
            continue
        graph[unit].add(target)
        graph[target] = graph[target]
        own, other = folder_of(unit), folder_of(target)
        if own not in FLOOR or other not in FLOOR:
            yield f"{where}: folder '{own if own not in FLOOR else other}' has no floor"
        elif own != other and FLOOR[other] >= FLOOR[own]:
            yield f"{where}: upwards, from floor {FLOOR[own]} to floor {FLOOR[other]}"
        elif ALONE in f"/{unit}" and folder_of(target) != "base" and ALONE not in f"/{target}":
            yield f"{where}: what other processes load uses only base"
    for members in circles(graph):
        yield f"circle of {kind}: {', '.join(members)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=pathlib.Path, default=None, help="src/ to look at")
    parser.add_argument("--build", type=pathlib.Path, default=None,
                        help="build folder whose object files are looked at too")
    options = parser.parse_args()
    source = options.source or pathlib.Path(__file__).resolve().parent.parent / "src"
    problems = list(problems_of(include_arrows(source), "includes"))
    if options.build:
        problems += problems_of(symbol_arrows(options.build), "symbols")
    for problem in problems:
        print(problem)
    if problems:
        sys.exit(f"check_layers.py: {len(problems)} arrows that must not be")
    print("all arrows go down, no circles")


if __name__ == "__main__":
    main()
