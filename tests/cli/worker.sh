#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Somebody's program in the network's place: its examples, and how it can fail.
# shellcheck source=tests/cli/LIB.bash
. "$(dirname "$0")/LIB.bash"
measured="0|4" # 4: measured, but so short a run need not resolve its layers
quick=(measure --sensor sim --idle-duration 0 --result-dir r)
cp "$JM_BUILD/examples/worker" .
export PYTHONPATH=$JM_SOURCE/examples PYTHONDONTWRITEBYTECODE=1

# ---- In C, by the library
./worker >out 2>err
ran="./worker alone"
status=0
expect_out_like '^a hundred cycles, nothing measured: nobody measures this program'
run "${quick[@]}" --runs 50 -- ./worker
expect_status "$measured"
expect_out_like '^worker, example [0-9.]+, sensor sim'
expect_out_like '^50 cycles of [0-9.]+ ms, with random pauses'
for layer in 'multiply +MatMul' 'activate +Tanh' 'move +Copy'; do
	expect_out_like "^$layer "
done
expect_out_like '^\(total\)'
python3 - r/worker <<'END' || complain "run.json is not what it should be"
import json, sys
run = json.load(open(sys.argv[1] + "/run.json"))
assert run["cycles"] == 50 and run["orderly_end"] and run["outcome"] == "complete"
assert run["config"]["command"] == "./worker" and "engine" not in run["config"], run["config"]
assert run["model"]["name"] == "worker" and len(run["model"]["sha256"]) == 64
assert run["schedule"]["kind"] == "jitter", run["schedule"]
layers = json.load(open(sys.argv[1] + "/trt_profiling/trt_layer_latency.json"))
assert list(layers) == ["multiply", "activate", "move"]
assert all(len(times) == 50 for times in layers.values())
END
run "${quick[@]}" --runs 20 --no-jitter --model fast.one -- "$PWD/worker"
expect_status "$measured"
expect_file r/fast.one/run.json
# Through a shell, which passes the link on.
run "${quick[@]}" --runs 20 --model by_shell -- sh -c './worker; exit $?'
expect_status "$measured"
expect_out_like '^20 cycles of '

# Words of any bytes, and more of them than run.json takes.
run "${quick[@]}" --runs 20 --model odd_words -- ./worker $'\xff\xfe' "$(printf 'w%.0s' {1..2000})"
expect_status "$measured"
expect_file r/odd_words/run.json

# ---- In Python, by the protocol
run "${quick[@]}" --runs 50 -- python3 "$JM_SOURCE/examples/worker.py"
expect_status "$measured"
expect_out_like '^python3, worker.py 1, sensor sim'
expect_out_like '^hash +Sha256 '
expect_out_like '^sort +Sort '
run map --method window r/python3
expect_status 0

# ---- What can go wrong: a worker with one fault at a time
cat >faulty.py <<'END'
import os, struct, sys, time
import worker
fault = sys.argv[1]

def descriptors():
    for name in os.listdir("/proc/self/fd"):
        try:
            os.fstat(int(name))
            yield int(name)
        except OSError:
            pass

if fault == "list":
    print(*descriptors())
    sys.exit()
if fault == "descriptors":
    # Those of the test's own shell, and the link's: none of joulemap's files and sensors.
    wanted = {int(n) for n in sys.argv[2].split()}
    wanted |= {int(n) for n in os.environ["JOULEMAP_WORKER"].split(":")[1:4]}
    found = set(descriptors())
    print("descriptors", "as they should be" if found == wanted else found)
    print("read", sys.stdin.readline().strip(), flush=True)
link = worker.Link()
spool = link.spool
if fault == "silent":
    time.sleep(60)
if fault == "words":
    struct.pack_into("=ii512s", link.memory, 64, -13, 0, b"the accelerator is on fire")
    sys.exit(5)
if fault == "garbage":
    spool.file.seek(0)
    spool.file.write(b"garbage, from the first byte on")
elif fault != "no graph":
    spool.put(worker.META, b'{"name": "faulty", "version": "1"}' if fault != "no json" else b"{")
    spool.put(worker.GRAPH, b'{"Layers": [{"Name": "a", "LayerType": "A"}]}')
link.ready()
cycle = 0
while fault != "no cycle" and (cycle < link.runs or fault == "deaf"):
    begin_ns = time.monotonic_ns()
    time.sleep(0.002)
    spool.span(0, cycle, begin_ns, time.monotonic_ns())
    spool.span(worker.WHOLE_CYCLE, cycle, begin_ns, time.monotonic_ns())
    cycle += 1
    link.progress(cycle)
    if link.is_stopped() and fault != "deaf":
        break
    if cycle == 100:
        spool.flush(time.monotonic_ns())
        if fault == "killed":
            os.kill(os.getpid(), 9)
        if fault == "unfinished":
            sys.exit(0)
        if fault == "status":
            sys.exit(7)
        if fault == "torn":
            spool.file.write(os.urandom(100))
        if fault == "impossible":  # in a block of its own
            spool.span(1 << 20, 99, begin_ns, begin_ns)
            spool.flush(time.monotonic_ns())
        if fault == "backwards":
            spool.span(0, 100, begin_ns, begin_ns - 1000)
            spool.flush(time.monotonic_ns())
        if fault == "twice":
            spool.put(worker.GRAPH, b"{")
spool.close(cycle)
os.write(link.status, b"D")
if fault == "late":
    sys.exit(9)
END
inherited=$(echo | python3 faulty.py list 2>err)
faulty() { # FAULT [RUNS]
	rm -rf r
	status=0
	echo "from stdin" | "$JOULEMAP" "${quick[@]}" --runs "${2:-200}" --model faulty \
		--ready-timeout 5 -- python3 faulty.py "$1" "$inherited" >out 2>err || status=$?
	ran="a worker with the fault: $1"
}
expect_nothing() { # MESSAGE
	expect_status 1
	expect_err_like "^joulemap: $1"
	expect_out ""
	expect_no_file r/faulty
}
expect_kept() { # MESSAGE CYCLES
	expect_status 1
	expect_err_like "^joulemap: $1"
	expect_out_like '^\(total\)'
	expect_out_like "^$2 cycles of "
	expect_file r/faulty/run.json
	expect_no_file r/faulty/spool
}
faulty descriptors
expect_status "$measured"
expect_out_like '^descriptors as they should be$'
expect_out_like '^read from stdin$'
head -n 1 out | grep -q '^descriptors' || complain "the table does not follow the output"
faulty silent
expect_nothing "'python3' was not ready within 5 s \(--ready-timeout\)"
faulty words
expect_nothing "the accelerator is on fire$"
faulty garbage
expect_nothing "what 'python3' has written cannot be used: .*timeline.spool' is no spool of joulemap"
faulty "no json"
expect_nothing "what 'python3' has written cannot be used: 'timeline.spool' line 1: "
faulty "no graph"
expect_nothing "'python3' says that it is ready, but its spool does not describe it"
faulty "no cycle"
expect_nothing "'python3' finished without a single cycle"
faulty killed
expect_kept "'python3' was killed \(Killed\) after 100 cycles$" 100
faulty status
expect_kept "'python3' ended with status 7 after 100 cycles$" 100
faulty unfinished
expect_kept "'python3' ended after 100 cycles without finishing" 100
faulty torn
expect_kept "'python3' wrote [0-9]+ bytes into its spool that are no records" 100
for fault in impossible backwards twice; do
	faulty $fault
	expect_kept "'python3' wrote [0-9]+ bytes into its spool that are no records, .*: all others are kept in" 200
done
faulty late
expect_kept "'python3' ended with status 9 after 200 cycles$" 200
faulty deaf 50
expect_kept "'python3' did not end within 10 s after it was told to stop, at cycle [0-9]+, and was killed$" \
	'[0-9]+'

# ---- Programs that are no workers, or none at all
rm -rf r
run "${quick[@]}" -- ./nowhere
expect_error 1 "cannot start './nowhere': No such file or directory"
run "${quick[@]}" -- nowhere-at-all
expect_error 1 "there is no program 'nowhere-at-all' in PATH"
run "${quick[@]}" -- ./
expect_error 2 "'./' is a folder, no program"
touch plain
run "${quick[@]}" -- ./plain
expect_status 3
expect_err_like "^joulemap: cannot start './plain': Permission denied"
printf '#!/no/such/interpreter\n' >plain
chmod +x plain
run "${quick[@]}" -- ./plain
expect_error 1 "cannot start './plain': No such file or directory"
run "${quick[@]}" -- sh -c 'exit 3'
expect_status 1
expect_err_like "^joulemap: 'sh' ended with status 3 before it was ready$"
run "${quick[@]}" -- true
expect_status 1
expect_err_like "^joulemap: 'true' ended before it was ready: it must report its layers to joulemap"
run "${quick[@]}" --ready-timeout 0.3 -- sleep 60
expect_status 1
expect_err_like "^joulemap: 'sleep' did not turn to joulemap within 0.3 s \(--ready-timeout\)"
expect_no_file r/sleep

# ---- Usage
run measure --
expect_error 2 "'--' needs a command behind it, see 'joulemap measure --help'"
for option in "--engine onnxruntime" "--engine-option spinning=1" "--ort-library x.so" \
	"--dtype float32" "--input-shape 1 3" "--optimization-level 1" "--threads 1" "--warmup 0" \
	"--min-block-size 5"; do
	# shellcheck disable=SC2086
	run "${quick[@]}" $option -- ./worker
	expect_error 2 "${option%% *} is for networks that joulemap runs itself, not for a command"
done
run "${quick[@]}" --model ../evil -- ./worker
expect_status 2
expect_err_like "^joulemap: --model '../evil' cannot name the folder"
run "${quick[@]}" --ready-timeout 5
expect_error 2 "--ready-timeout is for a command: joulemap measure -- COMMAND"
run idle -- ./worker
expect_error 2 "unexpected argument './worker', see 'joulemap idle --help'"

# ---- Signals to all of them, and the end of joulemap itself
python3 - "$JOULEMAP" "${quick[@]}" >out 2>err <<'END' || complain "signals"
import json, os, signal, subprocess, sys, time
command = sys.argv[1:] + ["--runs", "10000000", "--", "./worker"]
spool = "r/worker/spool/timeline.spool"

def left(group):
    """Processes of the group that are more than an exit status."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = open(f"/proc/{name}/stat").read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(words[2]) == group and words[0] != "Z":
            yield name

def start():
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               start_new_session=True)
    while not (os.path.exists(spool) and os.path.getsize(spool) > 10000):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    return process

process = start()
os.killpg(process.pid, signal.SIGINT)
out, err = process.communicate(timeout=60)
assert process.returncode == 1 and b"interrupted after" in err and b"(total)" in out, err
run = json.load(open("r/worker/run.json"))
assert run["outcome"] == "interrupted by the user" and run["orderly_end"]
process = start()
process.kill()
process.communicate(timeout=60)  # until the last of them has closed the pipes
deadline = time.monotonic() + 20
while any(left(process.pid)):
    assert time.monotonic() < deadline, "processes are left"
    time.sleep(0.01)
subprocess.run([sys.argv[1], "recover", "r/worker"], check=True, capture_output=True)
assert json.load(open("r/worker/run.json"))["cycles"] > 10
END
finish
