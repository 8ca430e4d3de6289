#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Clocks that are set during a run, machines that stop, holes in logs: found by both logs
# against each other, and said.
# shellcheck source=tests/cli/LIB.bash
. "$(dirname "$0")/LIB.bash"

# change.py FOLDER KIND SECONDS AT: what happens to the logs of a run, at a share of it.
cat >change.py <<'END'
import datetime, glob, json, sys
folder, kind, seconds, at = sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
FORM = "%Y%m%d-%H:%M:%S.%f"
read = lambda text: datetime.datetime.strptime(text, FORM)
latency = folder + "/trt_profiling/trt_layer_latency.json"
log = glob.glob(folder + "/*_power_log_*.log")[0]
lists = json.load(open(latency))
lines = [line.rstrip("\n").split(",", 1) for line in open(log)]
first = next(iter(lists.values()))
begin, end = read(first[0][1]), read(first[-1][1])
moment, step = begin + (end - begin) * at, datetime.timedelta(seconds=seconds)
after = lambda text: read(text) > moment
moved = lambda text: (read(text) + step).strftime(FORM) if after(text) else text
if kind in ("both", "run"):
    lists = {name: [[ms, moved(text)] for ms, text in pairs] for name, pairs in lists.items()}
if kind in ("both", "log"):
    lines = [[moved(text), rest] for text, rest in lines]
if kind == "hole":
    lines = [line for line in lines if not moment < read(line[0]) < moment + step]
if kind == "stop":  # nothing runs, the machine idles, readings go on
    n = next(i for i, pair in enumerate(first) if after(pair[1]))
    moment = read(first[n][1]) - datetime.timedelta(milliseconds=first[n][0] + 0.3)
    lists = {name: [[ms, moved(text)] for ms, text in pairs] for name, pairs in lists.items()}
    before = [line for line in lines if not after(line[0])]
    idle = [[(moment + datetime.timedelta(milliseconds=1.4 * i)).strftime(FORM),
             lines[i % 200][1]] for i in range(1, int(seconds / 0.0014))]
    lines = before + idle + [[moved(text), rest] for text, rest in lines if after(text)]
json.dump(lists, open(latency, "w"))
open(log, "w").writelines(",".join(line) + "\n" for line in lines)
END

run simulate --layers 6 --cycles 3000 --seed 3 --layer-min-us 100 whole
expect_status 0
run map whole/network
expect_status 0

# changed KIND SECONDS AT: maps a run that this has happened to.
changed() {
	rm -rf changed
	cp -r whole changed
	rm -f changed/network/*.csv changed/network/fit.json
	python3 change.py changed/network "$@"
	run map changed/network
	ran="$* : $ran"
	expect_status 0
	# The run is what it was: cycle, total within its deviation, every layer.
	expect_out_like '^[0-9]+ cycles of 2\.2[01][0-9] ms'
	awk -F, 'NR == FNR { power[$2] = $7; next }
		FNR > 1 && $2 in power && $7 != "" && ($7 / power[$2] > 1.15 || $7 / power[$2] < 0.85) {
			print $2, $7, power[$2]; bad = 1 } END { exit bad }' \
		whole/network/layer_energy.csv changed/network/layer_energy.csv ||
		complain "other powers than without it"
}

cycles() { expect_out_like "^($1) cycles of "; }

for seconds in 0.7 37 86400; do
	changed both $seconds 0.5
	cycles '3000|2999|2998'
	expect_err_like 'taken out of both logs'
done
for seconds in -0.1 -5 -86400; do
	changed both $seconds 0.3
	cycles 3000
	expect_err_like '^the clock was set back by .* taken out of both logs'
done
changed hole 2 0.5
cycles '209[0-9]'
expect_err_like '^the power log has no readings for 2\.00. s of the run: 90[0-9] cycles'
changed stop 5 0.4
cycles '3000|2999'
expect_err_like '^5\.00. s in 1 place'
changed log 37 0.6
cycles '1[78][09][0-9]'
expect_err_like '^the clock of the power log was put forward by 37'
changed run 37 0.3
cycles '2[01][0-9][0-9]'
expect_err_like '^the clock of the layer times was put forward by 3[67]\.'
changed log -5 0.6
cycles '1[78][09][0-9]'
expect_err_like '^the clock of the power log was set back by 5\.0'
changed run -5 0.3
cycles '2[01][0-9][0-9]'
expect_err_like '^the clock of the layer times was set back by '

# The window method tells the same cycles; its table keeps every row of the lists.
rm -rf changed; cp -r whole changed
python3 change.py changed/network hole 2 0.5
run map --method window changed/network --format json
expect_status 0
expect_out_like '"cycles": 209[0-9],'
expect_out_like '"cycle_ms": 2\.2[01]'
[ "$(wc -l <changed/network/power_runtime_mapping_layerwise.csv)" = 18001 ] ||
	complain "rows of the lists are missing"

finish
