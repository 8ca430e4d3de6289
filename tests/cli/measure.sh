#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The main job: its files, and everything that can fail before and in it.
# shellcheck source=tests/cli/LIB.bash
. "$(dirname "$0")/LIB.bash"
unset JOULEMAP_SYSFS_ROOT
trees=$JM_SOURCE/tests/data/sysfs
models=$JM_SOURCE/tests/data/models
measured="0|4" # 4: measured, but so short a run need not resolve its layers
quick=(--runs 20 --warmup 1 --threads 1 --idle-duration 0.2)

# ---- Idle power
run idle --sensor sim --idle-duration 0.3 --result-dir r
expect_status 0
expect_out_like '^SIMULATED idle power 4\.[0-9]+ W \+- [0-9.]+ W, [0-9]+ readings of [0-9]+ conversions$'
expect_file r/idling_power.json
grep -q '"simulated": *true' r/idling_power.json || complain "idle power is not marked"
[ "$(find r -name '*_seconds_idling_power_log_*.log' | wc -l)" = 1 ] || complain "no idle log"

# ---- An orderly run, with all files
run measure --model lenet --sensor sim --result-dir r "${quick[@]}"
expect_status "$measured"
expect_out_like '^SIMULATED: '
expect_out_like '^20 cycles of '
expect_out_like '^\(total\)'
expect_err_like '^SIMULATED idle power .*\(r/idling_power.json\)$'
for file in readings.csv run.json timeline.jmt SIMULATED.txt truth.json lenet_tensorrt.json \
	power_runtime_mapping_layerwise.csv trt_profiling/trt_layer_latency.json \
	trt_profiling/trt_engine_info.json; do
	expect_file r/lenet/$file
done
[ "$(find r/lenet -name '20_cycles_power_log_*.log' | wc -l)" = 1 ] || complain "no power log"
expect_no_file r/lenet/spool
python3 - r/lenet <<'END' || complain "run.json or a log is not what it should be"
import json, sys
folder = sys.argv[1]
run = json.load(open(folder + "/run.json"))
assert run["schema"] == 2 and run["orderly_end"] and run["cycles"] == 20
assert run["sensors"][0]["simulated"] and run["engine"]["name"] == "onnxruntime"
assert run["model"]["name"] == "lenet" and len(run["model"]["sha256"]) == 64
for key in ("board", "state_before", "state_after", "clock", "clock_end", "idle", "logger"):
    assert run[key], key
schedule, traced_ms = run["schedule"], run["engine"]["network_traced_ms"]
assert schedule["kind"] == "jitter" and schedule["seed"] == 1 and "schedule" not in run["engine"]
assert 0 < schedule["pause_max_ms"] <= min(traced_ms, run["sensors"][0]["round_ms"]) / 8 + 1e-6
assert run["engine"]["network_untraced_ms"] > 0 and run["logger"]["readings"] > 0
layers = json.load(open(folder + "/trt_profiling/trt_layer_latency.json"))
assert len(layers) >= 5 and all(len(times) == 20 for times in layers.values())
info = json.load(open(folder + "/trt_profiling/trt_engine_info.json"))
assert [layer["Name"] for layer in info["Layers"]] == list(layers)
bench = json.load(open(folder + "/lenet_tensorrt.json"))
assert len(bench["latencies"]) == 20 and bench["config"]["dtype"] == "float32"
rows = open(folder + "/power_runtime_mapping_layerwise.csv").read().splitlines()
assert len(rows) == 1 + 20 * len(layers)
END

# ---- The timeline as it was, in place of its export
cp -r r/lenet own
rm own/trt_profiling/trt_layer_latency.json
run map own
expect_status "$measured"
cmp own/power_runtime_mapping_layerwise.csv r/lenet/power_runtime_mapping_layerwise.csv ||
	complain "without the export the rows are others"
[ "$(stat -c %s own/timeline.jmt)" -lt "$(($(stat -c %s r/lenet/trt_profiling/trt_layer_latency.json) / 4))" ] ||
	complain "timeline.jmt is more than a quarter of the JSON"
cp -r r/lenet/trt_profiling own
python3 - own/trt_profiling/trt_layer_latency.json <<'END'
import json, sys
layers = json.load(open(sys.argv[1]))
next(iter(layers.values())).pop()
json.dump(layers, open(sys.argv[1], "w"))
END
run map own
expect_status "$measured"
expect_err_like "has other executions of layers than 'own/timeline.jmt': the latter is used"
run map own --trt-layer-latency-path own/trt_profiling/trt_layer_latency.json
expect_status "$measured"
[ "$(wc -l <own/power_runtime_mapping_layerwise.csv)" = \
	"$(($(wc -l <r/lenet/power_runtime_mapping_layerwise.csv) - 1))" ] ||
	complain "the latency file that was given is not used"
printf 'x' >>own/timeline.jmt
run map own
expect_status 1
expect_err_like "'own/timeline.jmt' is damaged: something behind its end at byte [0-9]+; move it away, and \
'own/trt_profiling/trt_layer_latency.json' is read instead$"
rm own/run.json
run map own
expect_status "$measured"
expect_err_like "no run.json relates 'own/timeline.jmt' to civil time: it is not used"

# ---- A second run keeps the first
run measure --model lenet --sensor sim --result-dir r "${quick[@]}" --format csv
expect_status "$measured"
expect_out_like '^layer_index,.*simulated$'
expect_out_like ',yes$'
expect_err_like '^the earlier run is kept in r/lenet/previous/'
[ "$(find r/lenet/previous -name run.json | wc -l)" = 1 ] || complain "the earlier run is gone"

# ---- Pauses between cycles: as wide as asked for, and no part of an inference
check_schedule() { # FOLDER KIND
	checks=$((checks + 1))
	python3 - "$1" "$2" <<'END' || complain "the schedule is not what it should be"
import datetime, json, sys
folder, kind = sys.argv[1:]
run = json.load(open(folder + "/run.json"))
schedule = run["schedule"]
assert schedule["kind"] == kind, schedule
if kind == "none":
    assert schedule == {"kind": "none"} and run["config"]["jitter_ms"] == 0
    sys.exit()
assert schedule == {"kind": "jitter", "pause_max_ms": 20, "seed": 5}, schedule
assert run["config"]["jitter_ms"] == 20
layers = list(json.load(open(folder + "/trt_profiling/trt_layer_latency.json")).values())

def end_ms(stamp):
    return datetime.datetime.strptime(stamp, "%Y%m%d-%H:%M:%S.%f").timestamp() * 1e3

cycles = len(layers[0])
pauses = [end_ms(layers[0][i + 1][1]) - layers[0][i + 1][0] - end_ms(layers[-1][i][1])
          for i in range(cycles - 1)]
least = 0.3 * schedule["pause_max_ms"]  # their mean is a half
assert sum(pauses) > least * (cycles - 1), pauses
assert max(pauses) > 2 * min(pauses), pauses
bench = json.load(open(folder + "/lenet_tensorrt.json"))
assert bench["total_time"] - sum(bench["latencies"]) > least * 1e-3 * (cycles - 1)
assert abs(bench["avg_throughput"] * bench["avg_latency"] - 1) < 1e-9
END
}
run measure --model lenet --sensor sim --result-dir r6 "${quick[@]}" --jitter 20 --seed 5
expect_status "$measured"
expect_err_like '^random pauses of up to 20 ms between cycles make the run about [0-9]+ % longer'
expect_out_like '^20 cycles of [0-9.]+ ms, with random pauses of up to 20 ms, '
check_schedule r6/lenet jitter
for off in --no-jitter "--jitter=0"; do
	run measure --model lenet --sensor sim --result-dir r6 "${quick[@]}" $off --format json
	expect_status "$measured"
	expect_no 'random pauses' err
	expect_out_like '"pause_max_ms": null'
	check_schedule r6/lenet none
done
run measure --model lenet --sensor sim --result-dir none --jitter 3 --no-jitter
expect_error 2 "--no-jitter and --jitter contradict each other"
run measure --model lenet --sensor sim --result-dir none --jitter -1
expect_status 2

# ---- A recorded board as the sensor, and the original's way to give a shape
JOULEMAP_SYSFS_ROOT=$trees/orin-nano-jp6 run measure --model lenet --result-dir r2 "${quick[@]}" \
	--input-shape 1 1 32 32 --dtype float32 --min-block-size 5
expect_status "$measured"
expect_out_like 'sensor ina3221:1-0040 VDD_IN'
expect_out_like 'NOT RESOLVED: the sensor showed one and the same value'
expect_err_like '^--min-block-size means nothing to this engine'
expect_no_file r2/lenet/SIMULATED.txt

# ---- An engine's own options, which run.json keeps
run measure --model lenet --sensor sim --result-dir r7 "${quick[@]}" \
	--engine-option tracing=profile --engine-option spinning=1
expect_status "$measured"
python3 - r7/lenet <<'END' || complain "the engine's options are not in run.json"
import json, sys
engine = json.load(open(sys.argv[1] + "/run.json"))["engine"]
assert engine["settings"] == {"tracing": "profile", "spinning": "1"}, engine
assert engine["tracing"] == "profile"
END
run measure --model lenet --sensor sim --result-dir none --engine-option tracing=magic
expect_error 2 "tracing=magic does not exist; use auto, markers, callbacks or profile"
expect_no_file none

# ---- No sensor, unknown sensor, unknown engine: nothing is left behind
JOULEMAP_SYSFS_ROOT=$trees/empty run measure --model lenet --result-dir none
expect_status 3
expect_err_like "^joulemap: no power sensor on this machine; looked for: .*'--sensor sim'"
expect_no_file none
run measure --model lenet --sensor voltmeter --result-dir none
expect_status 2
expect_err_like "^joulemap: .*'voltmeter'"
run measure --model lenet --sensor sim --engine abacus --result-dir none
expect_error 2 "there is no engine 'abacus', see 'joulemap doctor'"
run measure --model lenet --sensor sim --ort-library nowhere.so --result-dir none
expect_status 1
expect_err_like "^joulemap: .*nowhere.so"
run measure --model lenet --sensor sim:tau_ms=-3 --result-dir none
expect_status 2
expect_err_like "^joulemap: .*tau_ms"
run measure --model lenet --sensor replay:nowhere.log --result-dir none
expect_status 1
expect_err_like "^joulemap: .*nowhere.log"
expect_no_file none

# ---- Models that are no models
one_line_error() { # STATUS PATTERN
	expect_status "$1"
	expect_err_like "^joulemap: $2"
	grep -c '^joulemap: ' err | grep -qx 1 || complain "expected one error line"
	expect_no_file none/spool
}
bad=(--sensor sim --result-dir none --idle-duration 0 --warmup 0)
run measure "${bad[@]}" --model resnet81
one_line_error 1 ".*no network 'resnet81'.*'resnet18'"
run measure "${bad[@]}" --model missing.onnx
one_line_error 1 ".*'missing.onnx'"
run measure "${bad[@]}" --model ./
one_line_error 1 ".*'./' is a folder"
: >empty.onnx
run measure "${bad[@]}" --model empty.onnx
one_line_error 1 ".*'empty.onnx'"
echo 'this is no network' >text.onnx
run measure "${bad[@]}" --model text.onnx
one_line_error 1 ".*'text.onnx'"
if [ -e "$models/conv_relu.onnx" ]; then
	head -c 300 "$models/conv_relu.onnx" >cut.onnx
	run measure "${bad[@]}" --model cut.onnx
	one_line_error 1 ".*'cut.onnx'"
fi
run measure "${bad[@]}" --model lenet --input-shape 1 3 224 224
one_line_error 2 "input shape 1x3x224x224 does not fit"
run measure "${bad[@]}" --model lenet --dtype float16
one_line_error 2 "input .input. of the model is float32, not float16"

# Until cycles of the run in DIR/lenet are on disk; gives up after a minute.
wait_for_cycles() { # DIR
	for _ in $(seq 1200); do
		if [ "$(stat -c %s "$1/lenet/spool/timeline.spool" 2>/dev/null || echo 0)" -gt 30000 ]; then
			return
		fi
		sleep 0.05
	done
}

# ---- Two into one folder: the second is told so, the first goes on
"$JOULEMAP" measure --model lenet --sensor sim --result-dir r5 --runs 10000002 --threads 1 \
	--idle-duration 0 >first.out 2>first.err &
first=$!
wait_for_cycles r5
run measure --model lenet --sensor sim --result-dir r5 "${quick[@]}"
expect_status 1
expect_err_like "^joulemap: a measurement is running in 'r5/lenet/spool' \(process $first\): wait for its end"
run recover r5
expect_status 1
expect_err_like "^joulemap: a measurement is running in 'r5/lenet/spool'"
kill -TERM $first
wait $first || true
ran="the first of two measurements"
grep -q 'interrupted after [0-9]* of 10000002 cycles, which are complete' first.err ||
	complain "it was not left alone: $(cat first.err)"
expect_file r5/lenet/run.json

# ---- A sensor that vanishes in mid-run: what was measured is complete
cp -r "$trees/orin-nano-jp6" tree
(
	wait_for_cycles r3
	sleep 0.2
	find tree -name 'curr1_input' -exec truncate -s 0 {} +
) &
JOULEMAP_SYSFS_ROOT=$PWD/tree run measure --model lenet --result-dir r3 --runs 10000000 \
	--threads 1 --warmup 1 --idle-duration 0
wait
expect_status 1
expect_err_like "^joulemap: .*ina3221:1-0040"
expect_out_like '^\(total\)'
expect_file r3/lenet/run.json
expect_no_file r3/lenet/spool

# ---- Ctrl-C: all cycles until then are there
(
	wait_for_cycles r4
	pkill -INT -f -- "--result-dir r4 --runs 10000001"
) &
# bash starts background jobs, and so what they start, with SIGINT ignored.
status=0
python3 - "$JOULEMAP" >out 2>err <<'END' || status=$?
import signal, subprocess, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
sys.exit(subprocess.call([sys.argv[1], "measure", "--model", "lenet", "--sensor", "sim", "--result-dir",
                          "r4", "--runs", "10000001", "--threads", "1", "--idle-duration", "0"]))
END
wait
ran="Ctrl-C"
expect_status 1
expect_err_like '^joulemap: interrupted after [0-9]+ of 10000001 cycles, which are complete in .r4/lenet.$'
expect_out_like '^\(total\)'
expect_file r4/lenet/run.json

# ---- Without permission: as another user, from copies that anyone may read
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$folder"
	mkdir open closed program
	chmod 777 open
	chmod 700 closed
	library=$(python3 -c 'import json; print(json.load(open("r/lenet/run.json"))["engine"]["library"])')
	cp -r "$JOULEMAP" "$JM_BUILD/joulemap_ort.so" "$library" "$JM_SOURCE/catalog" program
	chmod -R a+rX program
	export JOULEMAP_CATALOG_DIR=$folder/program/catalog JOULEMAP_LIB_DIR=$folder/program
	JOULEMAP_ORT_LIBRARY=$folder/program/$(basename "$library")
	export JOULEMAP_ORT_LIBRARY
	as_nobody() {
		status=0
		setpriv --reuid=65534 --regid=65534 --clear-groups program/joulemap "$@" \
			>out 2>err || status=$?
		ran="as nobody: joulemap $*"
	}
	as_nobody measure --model lenet --sensor sim "${quick[@]}" --result-dir open/r
	expect_status "$measured"
	as_nobody measure --model lenet --sensor sim --idle-duration 0 --result-dir closed/r
	expect_status 3
	expect_err_like "^joulemap: .*'closed.*ermission denied"
	find tree -name 'curr1_input' -exec chmod 000 {} +
	JOULEMAP_SYSFS_ROOT=$PWD/tree as_nobody measure --model lenet --idle-duration 0 \
		--result-dir open/r2
	expect_status 3
	expect_err_like "^joulemap: no permission to read '.*curr1_input': run as root, or '"
else
	echo "not root: what needs another user was not tested"
fi

finish
