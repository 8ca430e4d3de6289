#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Time and memory of `joulemap map` with the fit, against cycles and layers.

Reading the logs and writing the tables included; CPU seconds of one thread,
best of --repeat. The runs are simulated; they do not touch the sensor.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SIZES = [(30000, 53), (10000, 53), (100000, 53), (6000, 53), (6000, 110), (6000, 250), (6000, 500)]


def run(command):
    """CPU seconds and peak memory in MB of a command that must not fail but for status 4."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 4):
        sys.exit("{} failed with {}".format(" ".join(command), process.returncode))
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("joulemap", help="the program")
    parser.add_argument("--scenario", default="ina3221-default")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--tmp", default=None, help="folder for the runs, 1 GB")
    options = parser.parse_args()
    print("cycles layers   CPU s     MB  us per execution")
    for cycles, layers in SIZES:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="joulemap-fit-", dir=options.tmp))
        try:
            run([options.joulemap, "simulate", "--scenario", options.scenario, "--layers",
                 str(layers), "--cycles", str(cycles), str(folder)])
            results = [run([options.joulemap, "map", str(folder / "network"),
                            "--result-dir", str(folder / "out")])
                       for _ in range(options.repeat)]
        finally:
            shutil.rmtree(folder)
        seconds, megabytes = min(results)
        print("{:6d} {:6d} {:7.2f} {:6.0f} {:8.2f}".format(
            cycles, layers, seconds, megabytes, seconds * 1e6 / cycles / layers), flush=True)


if __name__ == "__main__":
    main()
