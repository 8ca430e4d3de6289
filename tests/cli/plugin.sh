#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sensors and engines from plug-ins: the skeletons of examples/, end to end.
# shellcheck source=tests/cli/LIB.bash
. "$(dirname "$0")/LIB.bash"
unset JOULEMAP_SYSFS_ROOT
export JOULEMAP_CALIBRATION=$PWD/calibration.json
examples=$JM_BUILD/examples
broken=$JM_BUILD/tests/plugins
measured="0|4" # 4: measured, but so short a run need not resolve its layers
quick=(--runs 60 --warmup 1 --idle-duration 0.2 --engine-option size=96)

# ---- A sensor: two numbers in a file
cp "$examples/sensor_plugin.so" "$examples/engine_plugin.so" .
echo "5.25 2.10" >power
run sensors --plugin sensor_plugin.so --sensor textfile:power --format csv
expect_status 0
expect_out_like '^[0-9]+,textfile:power,board,5.250000,,,no$'
expect_out_like '^[0-9]+,textfile:power,cpu,2.100000,,,no$'
run sensors --plugin ./sensor_plugin.so --plugin sensor_plugin.so --sensor textfile:power
expect_status 0
expect_out_like '^  cpu +2.100 W +part of board$'
echo "nonsense" >power
run sensors --plugin sensor_plugin.so --sensor textfile:power
expect_error 1 "'power' says 'nonsense', which is not two numbers of watts"
run sensors --plugin sensor_plugin.so --sensor textfile:nowhere
expect_error 1 "cannot open 'nowhere': No such file or directory"
run sensors --plugin sensor_plugin.so --sensor textfile
expect_status 2
expect_err_like "^joulemap: sensor 'textfile' needs a file, as in 'textfile:FILE'"
cp sensor_plugin.so copy.so
run sensors --plugin sensor_plugin.so --plugin copy.so --sensor textfile:power
expect_status 2
expect_err_like "plug-in 'copy.so' is called 'sensor_plugin', as '.*/sensor_plugin.so' is, which is loaded"
run sensors --sensor textfile:power
expect_status 2
expect_err_like "^joulemap: no sensor named 'textfile'"

# ---- An engine, with its own options
run measure --plugin engine_plugin.so --engine-help threelayers
expect_status 0
expect_out_like '^  size=N +rows of the matrices'
run measure --plugin engine_plugin.so --engine threelayers --engine-option size=3 \
	--sensor sim --result-dir none
expect_error 2 "option size must be 8 to 2048"
run doctor --plugin engine_plugin.so
expect_out_like '^ok +engine +threelayers 1.0, engine_plugin.so$'

# ---- Both together, from the first reading to the table
echo "5.25 2.10" >power
run idle --plugin sensor_plugin.so --sensor textfile:power --idle-duration 0.3 --result-dir r
expect_status 0
expect_out_like '^idle power 5.2500 W'
run measure --plugin sensor_plugin.so --plugin engine_plugin.so --sensor textfile:power \
	--engine threelayers --model lenet --result-dir r "${quick[@]}" --format csv
expect_status "$measured"
expect_out_like '^0,multiply,MatMul,60,'
expect_out_like '^2,root,Sqrt,60,'
expect_no_file r/lenet/SIMULATED.txt
run map r/lenet # needs no plug-in: everything is in the folder
expect_status "$measured"
expect_out_like 'threelayers 1.0, sensor textfile:power board$'
python3 - <<'END' || complain "run.json is not what it should be"
import json
run = json.load(open("r/lenet/run.json"))
assert run["cycles"] == 60 and run["engine"]["name"] == "threelayers", run["engine"]
assert run["engine"]["settings"] == {"size": "96"}, run["engine"]
assert [plugin["name"] for plugin in run["plugins"]] == ["sensor_plugin", "engine_plugin"]
assert [rail["name"] for rail in run["sensors"][0]["rails"]] == ["board", "cpu"]
END

# ---- A named pipe: lines as they come, nobody polls
mkfifo pipe
python3 -u -c 'import sys, time
while True:
    time.sleep(0.004)
    print(6 + 0.001 * (time.monotonic_ns() // 8000000 % 50), 3)' >pipe 2>writer &
writer=$!
run measure --plugin sensor_plugin.so --plugin engine_plugin.so --sensor textfile:pipe \
	--engine threelayers --model lenet --result-dir p "${quick[@]}" --idle-duration 0
expect_status "$measured"
ran="readings of the pipe"
[ "$(grep -c '^board,' p/lenet/readings.csv)" -gt 50 ] || complain "too few readings"
kill $writer 2>kill.err || true
wait $writer 2>wait.err || true

# ---- A simulated sensor: completed at the end, also of a run that was cut off
cp "$broken/simulated.so" .
run measure --plugin simulated.so --plugin engine_plugin.so --sensor made \
	--engine threelayers --model lenet --result-dir s "${quick[@]}"
expect_status "$measured"
expect_out_like '^SIMULATED: '
expect_file s/lenet/SIMULATED.txt
grep -q '"made_w"' s/lenet/truth.json || complain "the plug-in's truth is not there"
grep -q ',8000000' s/lenet/readings.csv || complain "the plug-in did not complete its readings"
"$JOULEMAP" measure --plugin simulated.so --plugin engine_plugin.so --sensor made --result-dir k \
	--engine threelayers --model lenet --runs 1000000 --idle-duration 0 >cut.out 2>cut.err &
measuring=$!
for ((i = 0; i < 600; i++)); do
	[ "$(stat -c %s k/lenet/spool/timeline.spool 2>stat.err || echo 0)" -gt 4000 ] && break
	sleep 0.1
done
kill -KILL $measuring
wait $measuring 2>wait.err || true
run recover k
expect_status 1
expect_err_like "^joulemap: simulated sensor 'made' of this run is not known here: .*--plugin"
run recover k --plugin simulated.so
expect_status 0
expect_file k/lenet/SIMULATED.txt
grep -q ',8000000' k/lenet/readings.csv || complain "the plug-in did not complete its readings"

# ---- What is no plug-in says so, and nothing is measured
run measure --plugin nowhere.so --result-dir none
expect_error 1 "cannot open 'nowhere.so': No such file or directory"
run doctor --plugin power
expect_error 1 "'power' is no shared object, such as 'cc -shared -fPIC' makes"
run idle --plugin "$broken/no_function.so"
expect_error 1 "'$broken/no_function.so' is no plug-in of joulemap: it has no function \
joulemap_plugin(), see joulemap/plugin.h"
run calibrate --plugin "$broken/engine_without_run.so"
expect_status 2
expect_err_like "engine_without_run.so': engine 'broken' lacks the function 'run'"
run recover --plugin "$broken/other_plugin_abi.so" r
expect_status 1
expect_err_like "rebuild it against the headers of joulemap [0-9.]+$"
expect_no_file none
finish
