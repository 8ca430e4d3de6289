#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that files and functions of src/ stay small enough to be read.

A function counts from its signature to its closing brace, comments above it
left out; the formatter puts both at the begin of a line, which is what is
looked for.

    tools/check_sizes.py                    checks, and prints the figures
    tools/check_sizes.py --source FOLDER    those of another tree
"""
import argparse
import pathlib
import re
import statistics
import sys

FUNCTION_MEDIAN, FUNCTION_P90, FUNCTION_MAX = 15, 50, 80
FILE_MEDIAN, FILE_MAX = 300, 800
# What ends a line above a function's first: nothing of it can be a signature.
BREAK = re.compile(r"(^\s*$|^\s*#|;\s*$|\}\s*$|\*/\s*$|\\$)")
NAME = re.compile(r"(\w+)\s*\(")


def functions(text):
    """(name, line, lines) of every function that is defined in a file."""
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if line != "{":
            continue
        first = at
        while first > 0 and not BREAK.search(lines[first - 1]):
            first -= 1
        signature = " ".join(lines[first:at])
        name = NAME.search(signature)
        end = at
        while end < len(lines) and lines[end] != "}":
            end += 1
        if name and end < len(lines):
            yield name.group(1), first + 1, end - first + 1


def p90(values):
    return sorted(values)[int(0.9 * (len(values) - 1))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=pathlib.Path, default=None, help="src/ to look at")
    options = parser.parse_args()
    source = options.source or pathlib.Path(__file__).resolve().parent.parent / "src"
    problems, of_functions, of_files = [], [], []
    for path in sorted(source.rglob("*.[ch]")):
        text = path.read_text(encoding="utf-8")
        own = path.relative_to(source)
        of_files.append(text.count("\n"))
        if of_files[-1] > FILE_MAX:
            problems.append(f"{own}: {of_files[-1]} lines, at most {FILE_MAX}: divide it")
        for name, line, lines in functions(text):
            of_functions.append(lines)
            if lines > FUNCTION_MAX:
                problems.append(f"{own}:{line}: {name} has {lines} lines, at most "
                                f"{FUNCTION_MAX}: divide it")
    if not of_functions:
        sys.exit(f"check_sizes.py: no functions in '{source}'")
    for what, value, limit in (
            ("functions: median", statistics.median(of_functions), FUNCTION_MEDIAN),
            ("functions: 90 % up to", p90(of_functions), FUNCTION_P90),
            ("files: median", statistics.median(of_files), FILE_MEDIAN)):
        if value > limit:
            problems.append(f"{what} {value:g} lines, at most {limit}")
    print(f"{len(of_functions)} functions: median {statistics.median(of_functions):g} lines, "
          f"90 % up to {p90(of_functions)}, longest {max(of_functions)}")
    print(f"{len(of_files)} files: median {statistics.median(of_files):g} lines, "
          f"longest {max(of_files)}")
    for problem in problems:
        print(problem)
    if problems:
        sys.exit(f"check_sizes.py: {len(problems)} sizes over their limits")


if __name__ == "__main__":
    main()
