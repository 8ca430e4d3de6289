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


def is_gone(pid):
    """No such process, or only its exit status is left of it."""
    try:
        return read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


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


def test_ignored_children(folder):
    """Whoever ignores SIGCHLD and starts measure does not hide the ends of its children."""
    process = start(folder, preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    wait_for_cycles(folder, process)
    worker = [pid for pid in children_of(process.pid)
              if read(f"/proc/{pid}/comm").strip() == "joulemap-infer"][0]
    os.kill(worker, signal.SIGKILL)
    process.communicate(timeout=120)
    assert process.returncode == 1
    assert "the inference process was killed (Killed) after" in read(f"{folder}/err")
    assert run_of(folder)["cycles"] > 0
    expect_no_process_left(process)


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


def full_pipe():
    """A pipe whose reader is there and does not read: reader, writer."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        pass
    os.set_blocking(writer, True)
    return reader, writer


def test_reader_that_does_not_read(folder):
    """Messages that nobody takes neither hold up a run nor keep it from its end."""
    reader, writer = full_pipe()
    process = start(folder, runs="300", stderr=writer)
    process.communicate(timeout=60)
    assert process.returncode in MEASURED, process.returncode
    assert run_of(folder)["cycles"] == 300
    for number in (signal.SIGTERM, signal.SIGINT):
        process = start(folder, stderr=writer)
        wait_for_cycles_silently(folder)
        process.send_signal(number)
        process.communicate(timeout=60)
        assert process.returncode == 1, process.returncode
        assert run_of(folder)["outcome"] == "interrupted by the user"
        expect_no_process_left(process)
    # Who reads late, but reads, gets every message.
    process = start(folder, runs="300", stderr=writer)
    os.close(writer)
    wait_for_cycles_silently(folder)
    text = b""
    while chunk := os.read(reader, 65536):
        text += chunk
    process.communicate(timeout=60)
    assert process.returncode in MEASURED, process.returncode
    for part in (b"random pauses of", b"the earlier run is kept in", b"wrote "):
        assert part in text.lstrip(b"x"), text.lstrip(b"x")
    os.close(reader)


def test_stuck_inference(folder):
    """One wish is enough for a worker that cannot end its cycle any more."""
    process = start(folder)
    wait_for_cycles(folder, process)
    worker = [pid for pid in children_of(process.pid)
              if read(f"/proc/{pid}/comm").strip() == "joulemap-infer"][0]
    os.kill(worker, signal.SIGSTOP)
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert "'inference' did not end within" in read(f"{folder}/err"), read(f"{folder}/err")
    assert run_of(folder)["cycles"] > 0
    expect_no_process_left(process)


def wait_for_cycles_silently(folder):
    spool = f"{folder}/lenet/spool/timeline.spool"
    while not (os.path.exists(spool) and os.path.getsize(spool) > 30000):
        time.sleep(0.01)


def test_stopped_logger(folder):
    """A logger that stands still is noticed, and said."""
    process = start(folder)
    wait_for_cycles(folder, process)
    os.kill(logger_of(process), signal.SIGSTOP)
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
    """Whatever the clock says: the stamp of a folder has whole seconds."""
    for runs in ("20", "21", "22", "23"):
        measure_well(folder, runs)
    assert run_of(folder)["cycles"] == 23
    kept = glob.glob(f"{folder}/lenet/previous/*/run.json")
    assert sorted(json.loads(read(path))["cycles"] for path in kept) == [20, 21, 22], kept
    assert not glob.glob(f"{folder}/lenet/previous/*/previous")


def contents(folder):
    return {path[len(folder):]: open(path, "rb").read()
            for path in glob.glob(f"{folder}/**", recursive=True) if os.path.isfile(path)}


def test_killed_within_its_second(folder):
    """A run is killed and the next one begins in the same second: all three are there."""
    for i in range(4):
        measure_well(f"{folder}/{i}", "111")
        before = contents(f"{folder}/{i}/lenet")
        os.makedirs(f"{folder}/{i}", exist_ok=True)
        while time.time() % 1 > 0.01:
            time.sleep(0.001)
        killed = start(f"{folder}/{i}")
        time.sleep(0.85)
        killed.kill()
        killed.communicate()
        measure_well(f"{folder}/{i}", "222")
        after = contents(f"{folder}/{i}/lenet")
        assert run_of(f"{folder}/{i}")["cycles"] == 222
        for name, data in before.items():
            assert data in after.values(), name
        assert not os.path.exists(f"{folder}/{i}/lenet/spool")


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


def cut_off(folder):
    """A run with cycles whose parent and inference are killed."""
    process = start(folder)
    wait_for_cycles(folder, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_recoveries_at_once(folder):
    """One does the work, the others say so; none leaves anything behind."""
    cut_off(folder)
    recoveries = [subprocess.Popen([JOULEMAP, "recover", f"{folder}/lenet"], text=True,
                                   stderr=subprocess.PIPE) for _ in range(4)]
    said = [recovery.communicate()[1] for recovery in recoveries]
    assert sum(text.startswith("recovered ") for text in said) == 1, said
    for recovery, text in zip(recoveries, said):
        late = "holds no run that was cut off" in text
        assert recovery.returncode == (1 if late else 0), text
        assert late or text.startswith("recovered ") or "another one was faster" in text, text
    assert not os.path.exists(f"{folder}/lenet/spool")
    assert run_of(folder)["cycles"] > 0


def logger_of(process):
    return [pid for pid in children_of(process.pid)
            if read(f"/proc/{pid}/comm").strip() == "joulemap-logger"][0]


def test_stopped_logger_of_a_killed_parent(folder):
    """It is woken by its parent's death; stopped only then, recover names it."""
    process = start(folder)
    wait_for_cycles(folder, process)
    logger = logger_of(process)
    os.kill(logger, signal.SIGSTOP)
    process.kill()
    process.communicate()
    subprocess.run([JOULEMAP, "recover", f"{folder}/lenet"], check=True, capture_output=True)
    assert is_gone(logger)


def test_kill_while_completing(folder):
    """Wherever completing a run is cut off, doing it again completes it."""
    cut_off(folder)
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
