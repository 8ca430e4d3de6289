#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills one of the three processes of `joulemap measure` at a random moment.

After each kill, and `joulemap recover` where the parent was hit: nothing older
than 100 ms is missing from either log, all files are there and can be mapped,
and no process is left. $JM_TEST_KILLS is the number of kills (default 50).
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone

JOULEMAP = os.environ["JOULEMAP"]
KILLS = int(os.environ.get("JM_TEST_KILLS", "50"))
LOSS_MAX_S = 0.1
VICTIMS = ("joulemap-logger", "joulemap-infer", "joulemap")


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return None


def children_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def wait_for(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.005)
    raise AssertionError(f"waited {seconds} s for {what}")


def all_three(parent):
    """Pid by name once the parent and both its children run."""
    assert parent.poll() is None, "measure ended early"
    pids = {name_of(pid): pid for pid in [parent.pid] + children_of(parent.pid)}
    return pids if set(pids) == set(VICTIMS) else None


def is_gone(pid):
    """No such process, or only its exit status is left of it."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def last_times(run_folder):
    """Newest reading and newest layer end, in seconds of CLOCK_MONOTONIC."""
    with open(f"{run_folder}/run.json", encoding="utf-8") as file:
        clock = json.load(file)["clock"]
    offset_ns = clock["realtime_ns"] - clock["monotonic_ns"]
    offset_ns += clock["utc_offset_s"] * 10**9
    newest = 0
    with open(f"{run_folder}/trt_profiling/trt_layer_latency.json", encoding="utf-8") as file:
        for executions in json.load(file).values():
            if executions:
                stamp = datetime.strptime(executions[-1][1], "%Y%m%d-%H:%M:%S.%f")
                stamp = stamp.replace(tzinfo=timezone.utc)
                newest = max(newest, stamp.timestamp())
    with open(f"{run_folder}/readings.csv", encoding="utf-8") as file:
        reading = file.readlines()[-1]
    return int(reading.split(",")[2]) * 1e-9, newest - offset_ns * 1e-9


def kill_once(folder, victim, delay, options):
    run_folder = f"{folder}/lenet"
    command = [JOULEMAP, "measure", "--model", "lenet", "--sensor", "sim", "--runs", "10000000",
               "--warmup", "1", "--idle-duration", "0", "--threads", "1", "--result-dir", folder, *options]
    with open(f"{folder}/log", "w", encoding="utf-8") as log:
        parent = subprocess.Popen(command, stdout=log, stderr=log)
    processes = [parent.pid]
    try:
        # The second child, the logger, starts when the network is warm.
        pids = wait_for(lambda: all_three(parent), 120, "both processes")
        processes = list(pids.values())
        spool = f"{run_folder}/spool/timeline.spool"
        wait_for(lambda: os.path.exists(spool) and os.path.getsize(spool) > 20000, 120,
                 "the first cycles")
        time.sleep(delay)
        killed_at = time.monotonic()
        os.kill(pids[victim], signal.SIGKILL)
        status = parent.wait(timeout=120)
        for pid in processes:
            wait_for(lambda pid=pid: is_gone(pid), 20, f"the end of {pid}")
    finally:
        for pid in processes:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
    if victim == "joulemap":
        subprocess.run([JOULEMAP, "recover", run_folder], check=True, capture_output=True)
    else:
        assert status == 1, status
    assert not os.path.exists(f"{run_folder}/spool"), "the spool is still there"
    with open(f"{run_folder}/run.json", encoding="utf-8") as file:
        assert json.load(file)["schedule"]["kind"] == "jitter"
    reading, layer = last_times(run_folder)
    loss = {"readings": killed_at - reading, "layers": killed_at - layer}
    assert max(loss.values()) <= LOSS_MAX_S, (victim, loss)
    subprocess.run([JOULEMAP, "map", "--method", "window", run_folder], check=True, capture_output=True)
    return loss


def main():
    seed = int(os.environ.get("JM_TEST_SEED", time.time_ns() % 1000000))
    random.seed(seed)
    print(f"{KILLS} kills, seed {seed}")
    worst = {"readings": 0.0, "layers": 0.0}
    for i in range(KILLS):
        folder = tempfile.mkdtemp(prefix="joulemap-kill-")
        victim = VICTIMS[i % 3]
        # Now and then most likely in a pause, in which nothing may stay in memory.
        options = ["--jitter", "30"] if i % 12 < 3 else []
        try:
            loss = kill_once(folder, victim, random.uniform(0, 0.4), options)
        except BaseException:
            print(f"kill {i} of {victim} failed, see {folder}")
            raise
        worst = {key: max(worst[key], loss[key]) for key in worst}
        shutil.rmtree(folder)
    print(f"worst loss: readings {worst['readings'] * 1e3:.1f} ms, "
          f"layers {worst['layers'] * 1e3:.1f} ms")


if __name__ == "__main__":
    sys.exit(main())
