#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ends of `joulemap measure` other than the orderly one and kill -9.

Signals to the whole process group, a reader of the output that goes away, a
logger that is stopped, a kill while the run is being completed, damaged
leftovers: what was measured is always there or said to be lost, and an earlier
run is never touched.
"""

import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

JOULEMAP = os.environ["JOULEMAP"]
MEASURED = (0, 4)  # 4: so short a run need not resolve its layers


def command(folder, *more):
    return [JOULEMAP, "measure", "--model", "lenet", "--sensor", "sim", "--threads", "1",
            "--warmup", "1", "--idle-duration", "0", "--result-dir", folder, *more]


def start(folder, *more, runs="10000000", **popen):
    err = open(f"{folder}/err", "w", encoding="utf-8")
    process = subprocess.Popen(command(folder, "--runs", runs, *more), stdout=subprocess.PIPE,
                               stderr=popen.pop("stderr", err), start_new_session=True, **popen)
    return process


def measure_well(folder, runs):
    done = subprocess.run(command(folder, "--runs", runs), check=False, capture_output=True,
                          text=True)
    assert done.returncode in MEASURED, done.stderr


def wait_for_cycles(folder, process):
    spool = f"{folder}/lenet/spool/timeline.spool"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, "measure ended early: " + read(f"{folder}/err")
        if os.path.exists(spool) and os.path.getsize(spool) > 30000:
            return
        time.sleep(0.01)
    raise AssertionError("no cycles in two minutes")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def run_of(folder):
    return json.loads(read(f"{folder}/lenet/run.json"))


def children_of(pid):
    return [int(word) for word in read(f"/proc/{pid}/task/{pid}/children").split()]


def expect_no_process_left(process):
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return
    raise AssertionError("processes are left")


def test_group_signals(folder):
    """A service's stop, a lost connection, Ctrl-C: all three get the signal."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        process = start(folder)
        wait_for_cycles(folder, process)
        os.killpg(process.pid, number)
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 1, process.returncode
        assert "interrupted after" in read(f"{folder}/err"), read(f"{folder}/err")
        assert b"(total)" in out
        run = run_of(folder)
        assert run["outcome"] == "interrupted by the user" and run["orderly_end"], run["outcome"]
        assert not os.path.exists(f"{folder}/lenet/spool")
        expect_no_process_left(process)


def test_ignored_signal(folder):
    """Under nohup a hang-up does not end the run."""
    process = start(folder, runs="3000", preexec_fn=lambda: signal.signal(signal.SIGHUP,
                                                                          signal.SIG_IGN))
    wait_for_cycles(folder, process)
    os.killpg(process.pid, signal.SIGHUP)
    process.communicate(timeout=120)
    assert process.returncode in MEASURED, read(f"{folder}/err")
    assert run_of(folder)["cycles"] == 3000


def test_reader_gone(folder):
    """`measure 2>&1 | tee` and Ctrl-C: the reader of the messages dies first."""
    reader, writer = os.pipe()
    process = start(folder, stderr=writer)
    os.close(writer)
    wait_for_cycles_silently(folder)
    os.close(reader)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=120)
    assert run_of(folder)["orderly_end"]
    assert not os.path.exists(f"{folder}/lenet/spool")


def wait_for_cycles_silently(folder):
    spool = f"{folder}/lenet/spool/timeline.spool"
    while not (os.path.exists(spool) and os.path.getsize(spool) > 30000):
        time.sleep(0.01)


def test_stopped_logger(folder):
    """A logger that stands still is noticed, and said."""
    process = start(folder)
    wait_for_cycles(folder, process)
    logger = [pid for pid in children_of(process.pid)
              if read(f"/proc/{pid}/comm").strip() == "joulemap-logger"][0]
    os.kill(logger, signal.SIGSTOP)
    process.communicate(timeout=120)
    assert process.returncode == 1
    assert "the power logger has read nothing for" in read(f"{folder}/err"), read(f"{folder}/err")
    assert not run_of(folder)["orderly_end"]
    expect_no_process_left(process)


def test_failure_keeps_earlier_run(folder):
    """A measure that fails before its first cycle leaves the good run in place."""
    measure_well(folder, "20")
    before = run_of(folder)
    failed = subprocess.run(command(folder, "--runs", "20", "--input-shape", "1", "9", "9", "9"),
                            check=False, capture_output=True)
    assert failed.returncode == 2, failed
    assert run_of(folder) == before
    assert not os.path.exists(f"{folder}/lenet/spool")
    subprocess.run([JOULEMAP, "map", "--method", "window", f"{folder}/lenet"], check=True, capture_output=True)


def test_earlier_runs_lie_side_by_side(folder):
    for runs in ("20", "21", "22"):
        measure_well(folder, runs)
        time.sleep(1.1)  # the stamp of a folder has whole seconds
    assert run_of(folder)["cycles"] == 22
    kept = sorted(glob.glob(f"{folder}/lenet/previous/*/run.json"))
    assert len(kept) == 2, kept
    assert not glob.glob(f"{folder}/lenet/previous/*/previous")


def test_damaged_leftovers(folder):
    """A session that cannot be read is set aside, and measuring goes on."""
    os.makedirs(f"{folder}/lenet/spool")
    for text in ("", "[1]", '{"model": {"name": "../../x"}}', "{"):
        with open(f"{folder}/lenet/spool/session.json", "w", encoding="utf-8") as file:
            file.write(text)
        recover = subprocess.run([JOULEMAP, "recover", f"{folder}/lenet"], check=False,
                                 capture_output=True, text=True)
        assert recover.returncode == 1 and "session.json" in recover.stderr, recover.stderr
    measure = subprocess.run(command(folder, "--runs", "20"), check=False, capture_output=True,
                             text=True)
    assert measure.returncode in MEASURED, measure.stderr
    assert "cannot be completed: kept as it is in" in measure.stderr, measure.stderr
    assert run_of(folder)["cycles"] == 20
    assert len(glob.glob(f"{folder}/lenet/spool.broken.*")) + len(
        glob.glob(f"{folder}/lenet/previous/*/spool.broken.*")) == 1


def test_kill_while_completing(folder):
    """Wherever completing a run is cut off, doing it again completes it."""
    process = start(folder)
    wait_for_cycles(folder, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    time.sleep(0.2)
    for delay in range(0, 60, 4):
        copy = f"{folder}/copy{delay}"
        shutil.copytree(f"{folder}/lenet", copy)
        recover = subprocess.Popen([JOULEMAP, "recover", copy], stderr=subprocess.DEVNULL)
        time.sleep(delay / 1000)
        recover.kill()
        recover.wait()
        if os.path.exists(f"{copy}/spool/session.json"):
            subprocess.run([JOULEMAP, "recover", copy], check=True, capture_output=True)
        assert os.path.exists(f"{copy}/run.json"), delay
        assert not os.path.exists(f"{copy}/previous"), delay
        subprocess.run([JOULEMAP, "map", "--method", "window", copy], check=True, capture_output=True)


def main():
    for name, test in sorted(globals().items()):
        if not name.startswith("test_"):
            continue
        folder = tempfile.mkdtemp(prefix="joulemap-signals-")
        try:
            test(folder)
        except BaseException:
            print(f"{name} failed, see {folder}")
            raise
        shutil.rmtree(folder)
        print(f"{name}: ok")


if __name__ == "__main__":
    sys.exit(main())
