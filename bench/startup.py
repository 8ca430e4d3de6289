#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times a whole command from fork to exit: startup.py COMMAND ARGUMENT..."""

import subprocess
import sys
import time

times = []
for _ in range(50):
    begin = time.perf_counter()
    subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
    times.append((time.perf_counter() - begin) * 1e3)
times.sort()
print(f"joulemap {' '.join(sys.argv[2:])}: best {times[0]:.2f} ms, median {times[25]:.2f} ms")
