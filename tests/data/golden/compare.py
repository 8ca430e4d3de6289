#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares a layer_energy.csv with a golden one.

Words are the same; figures agree to a fiftieth of their own deviation, which
leaves room for other compilers and processors and for nothing else. A thousandth
of a reading is no figure.
"""
import csv
import math
import sys

SHARE = 0.02
LEAST = {"readings": 0.001}
# The deviation that a figure is measured by, where it has one.
DEVIATIONS = {"power_w": "power_sd_w", "power_lo_w": "power_sd_w", "power_hi_w": "power_sd_w",
              "dynamic_power_w": "power_sd_w", "energy_mj": "energy_sd_mj"}


def number(text):
    try:
        return float(text)
    except ValueError:
        return math.nan


def main(golden_path, own_path):
    with open(golden_path, newline="") as golden, open(own_path, newline="") as own:
        rows, own_rows = list(csv.DictReader(golden)), list(csv.DictReader(own))
    problems = []
    if [list(r) for r in rows] != [list(r) for r in own_rows]:
        sys.exit(f"{own_path}: other rows or columns than {golden_path}")
    for row, mine in zip(rows, own_rows):
        for column, text in row.items():
            value, found = number(text), number(mine[column])
            room = SHARE * abs(number(row.get(DEVIATIONS.get(column, ""), "nan") or "nan"))
            if math.isnan(room):
                room = max(SHARE * abs(value), LEAST.get(column, 0.0))
            same = text == mine[column] or abs(value - found) <= room
            if not same:
                problems.append(f"{row['layer_name']}: {column} {mine[column]}, was {text}")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
