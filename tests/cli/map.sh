#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Mapping: exact results on a small run, and every kind of broken input.
# shellcheck source=tests/cli/LIB.bash
. "$(dirname "$0")/LIB.bash"

# Two layers, two cycles, stamps are ends; power is 5 V x 1, 1.2, 1.4, 2 A.
make_run() {
	rm -rf run
	mkdir -p run/net/trt_profiling
	printf '{"timestamp": "20241121-051743", "avg_idle_power": 4000000.0}' \
		>run/idling_power.json
	cat >run/net/2_cycles_power_log_20241121-052000.log <<'END'
20241121-05:20:00.001000,5000.0,1000.0
20241121-05:20:00.012000,5000.0,1200.0
20241121-05:20:00.018000,5000.0,1400.0
20241121-05:20:00.032000,5000.0,2000.0
20241121-05:20:00.100000,5000.0,1000.0
END
	cat >run/net/trt_profiling/trt_layer_latency.json <<'END'
{"conv, first": [[10.0, "20241121-05:20:00.020000"], [10.0, "20241121-05:20:00.040000"]],
 "pool": [[5.5, "20241121-05:20:00.026000"], [5.5, "20241121-05:20:00.046000"]]}
END
	cat >run/net/trt_profiling/trt_engine_info.json <<'END'
{"Layers": [{"Name": "conv, first", "LayerType": "CaskConvolution"}], "Bindings": []}
END
}

csv=run/net/power_runtime_mapping_layerwise.csv
head="cycle,layer_name,layer_type,layer_power_including_idle_power_micro_watt,layer_power_excluding_idle_power_micro_watt,layer_run_time"

make_run
run map run/net
expect_status 0
ran="the later version's rules"
cp $csv out
expect_out "$head
1,\"conv, first\",CaskConvolution,6500000.0,2500000.0,10.0
1,pool,Unknown,,,5.5
2,\"conv, first\",CaskConvolution,10000000.0,6000000.0,10.0
2,pool,Unknown,,,5.5"

run map run --format csv
expect_status 0
expect_out_like '^0,"conv, first",CaskConvolution,2,10,0,8.25,'
expect_out_like '^1,pool,Unknown,2,5.5,0,,,,,,0,no,no$'
run map run --format json
expect_status 0
expect_out_like '"power_w": null'
run map run
expect_out_like 'NOT RESOLVED: '
expect_err_like '^time stamps mean: end of the layer'

run map run --window-rules first
expect_status 0
ran="the first version's rules"
cp $csv out
expect_out "$head
1,\"conv, first\",CaskConvolution,6000000.0,2000000.0,10.0
1,pool,Unknown,8500000.0,4500000.0,5.5
2,\"conv, first\",CaskConvolution,10000000.0,6000000.0,10.0
2,pool,Unknown,10000000.0,6000000.0,5.5"

make_run
run map --power-log-path run/net/2_cycles_power_log_20241121-052000.log \
	--trt-layer-latency-path run/net/trt_profiling/trt_layer_latency.json --result-dir other
expect_status 0
expect_file other/net/power_runtime_mapping_layerwise.csv
expect_err_like 'no idle power found'

log=run/net/2_cycles_power_log_20241121-052000.log
latency=run/net/trt_profiling/trt_layer_latency.json

broken() { # PATTERN OF THE MESSAGE
	run map run/net
	expect_status 1
	expect_err_like "^joulemap: $1"
	expect_no_file $csv
}

make_run; rm $log
broken ".*power log.*"
make_run; : >$log
broken "'$log' holds no reading"
make_run; sed -i '2s/.*/20241121-05:20:00.012000,5000.0/' $log
broken "'$log' line 2"
make_run; iconv -f UTF-8 -t UTF-16 $log >wide; mv wide $log
broken "'$log' is in UTF-16"
make_run; sed -i '2s/00.012/00.000/' $log
broken "'$log' line 2"
make_run; sed -i '2s/20241121/20241331/' $log
broken "'$log' line 2"
make_run; printf '\0\1\2\3' >$log
broken "'$log'"
make_run; rm $latency
broken ".*trt_layer_latency.json"
make_run; head -c 120 $latency >short && mv short $latency
broken "'$latency' ends too early, at line 2"
make_run; echo '[1, 2]' >$latency
broken "'$latency' line 1"
make_run; sed -i 's/\[5.5, "20241121-05:20:00.026000"\]/[-5.5, "20241121-05:20:00.026000"]/' $latency
broken "'$latency' line 2"
make_run; sed -i 's/\[10.0, /[NaN, /' $latency
broken "'$latency' line 1"
make_run; echo '{}' >$latency
broken ".*"
make_run; sed -i 's/20241121-05/20241121-08/' $log
run map run/net
expect_status 1
expect_err_like 'the power log begins 10799\.9[0-9]* s after the last layer ended'
expect_no_file $csv
# An hour is a change of the clocks: taken out, and said.
make_run; sed -i 's/20241121-05/20241121-06/' $log
run map run/net
expect_status 0
expect_err_like '^clocks were changed between log and run: layers moved by 3600 s'
# Values that cannot be are left out, negative ones are data.
for value in nan,1200.0 5000.0,1e30 1000.0,4294967295.0; do
	make_run; sed -i "2s/,.*/,$value/" $log
	run map --method window run/net
	expect_status 0
	expect_err_like "1 readings of '$log' .the first in line 2. have no value that can be: left out"
	cp $csv out
	expect_out_like '^1,"conv, first",CaskConvolution,7000000.0,3000000.0,10.0$'
done
make_run; sed -i '2s/,.*/,5000.0,-8.0/' $log
run map --method window run/net
expect_status 0
cp $csv out
expect_out_like '^1,"conv, first",CaskConvolution,3480000.0,-520000.0,10.0$'
# Marks and line ends of other systems.
make_run; printf '\357\273\277' | cat - $log | tr '\n' '\r' >marked; mv marked $log
run map --method window run/net
expect_status 0
cp $csv out
expect_out_like '^1,"conv, first",CaskConvolution,6500000.0,2500000.0,10.0$'
# A terminal is shown no control characters, a file has them all.
make_run; sed -i 's/"pool"/"po\\u001b[31m\\u009bol"/' $latency
run map --method window --format csv run/net
grep -q $'^1,po\x1b' out || complain "expected the name as it is"
python3 - "$JOULEMAP" >shown 2>&1 <<'END'
import os, pty, sys
pid, terminal = pty.fork()
if not pid:
    os.execv(sys.argv[1], [sys.argv[1], *"map --method window --format csv run/net".split()])
text = b""
try:
    while piece := os.read(terminal, 4096):
        text += piece
except OSError:
    pass
os.waitpid(pid, 0)
sys.stdout.buffer.write(text)
END
grep -q '^1,po?\[31m?ol,' shown || complain "expected no control characters"

# Types are a help: a damaged file of them stops nothing, a missing one that was given does.
info=run/net/trt_profiling/trt_engine_info.json
make_run; echo '{"Layers": 5}' >$info
run map --method window run/net
expect_status 0
expect_err_like "'$info' has no array \"Layers\".*: the types of 2 of 2 layers are unknown"
cp $csv out
expect_out_like '^1,"conv, first",Unknown,6500000.0,'
make_run; echo 'version https://git-lfs.github.com/spec/v1' >lfs.json
run map --method window --trt-engine-info-path lfs.json run/net
expect_status 0
expect_err_like "'lfs.json' is only the pointer of Git LFS to the file"
run map --method window --trt-engine-info-path nowhere.json run/net
expect_status 1
make_run; echo '{"avg_idle_power": "much"}' >run/idling_power.json
broken "'run/idling_power.json'"
run map nowhere
expect_status 1
expect_err_like "^joulemap: .*'nowhere'"

make_run; mkdir run/second; cp -r run/net/. run/second
run map run
expect_status 1
expect_err_like "^joulemap: 'run' holds 2 runs; give one of them: "
rm -r run/second

# ---- What run.json says
describe() { # MORE KEYS
	cat >run/net/run.json <<END
{"model": {"name": "net"}, "engine": {"engine": "abacus", "version": "1.0"},
 "sensor": {"id": "ina3221:1-0040", "simulated": false,
            "rails": [{"name": "VDD_GPU"}, {"name": "VDD_CPU"}]}$1}
END
}

make_run; describe ', "idle": {"power_uw": 3000000.0}, "stamp": "end"'
printf '{"avg_idle_power": 1000000.0, "sensor": "sim", "simulated": true}' >run/idling_power.json
run map run/net
expect_status 0
expect_out_like '^net, abacus 1.0, sensor ina3221:1-0040 VDD_GPU$'
expect_out_like ', idle 3.000 W, '
expect_no 'SIMULATED' out err
expect_err_like '^time stamps mean: end of the layer$'
run map run/net --idling-power-log-path run/idling_power.json
expect_status 0
expect_out_like '^SIMULATED: '
expect_out_like ', idle 1.000 W, '

# Found, not given: only idle power of the same sensor.
make_run; describe ', "idle": null, "power_log": {"rail": "total"}'
run map run/net
expect_status 0
expect_out_like 'sensor ina3221:1-0040 total$'
expect_err_like "'run/idling_power.json' is of an unknown sensor, the run of ina3221:1-0040: it is not"
expect_err_like 'no idle power found'
printf '{"avg_idle_power": 1000000.0, "sensor": "ina3221:1-0041"}' >run/idling_power.json
run map run/net
expect_err_like "'run/idling_power.json' is of sensor ina3221:1-0041, the run of ina3221:1-0040: it is"
expect_err_like 'no idle power found'
printf '{"avg_idle_power": 1000000.0, "sensor": "ina3221:1-0040"}' >run/idling_power.json
run map run/net
expect_out_like ', idle 1.000 W, '
rm run/net/run.json
printf '{"avg_idle_power": 1000000.0, "sensor": "sim", "simulated": true}' >run/idling_power.json
run map run/net
expect_status 0
expect_err_like "'run/idling_power.json' is SIMULATED, the run is not: it is not subtracted"
expect_no 'SIMULATED: ' out

# A run.json that cannot be read is said; the mark of a simulated run counts still.
make_run; echo '{"model": ' >run/net/run.json; echo SIMULATED >run/net/SIMULATED.txt
run map run/net
expect_status 0
expect_err_like "^'run/net/run.json' line [0-9]+: .*is not used$"
expect_out_like '^SIMULATED: '
rm run/net/run.json
run map --power-log-path $log --trt-layer-latency-path $latency --result-dir other
expect_status 0
expect_out_like '^SIMULATED: '

# A run that was put away: its folder has the name of a time.
make_run; describe ', "idle": {"power_uw": 3000000.0}'
mkdir -p run/net/previous/20250101-101010
mv run/net/run.json run/net/trt_profiling run/net/*.log run/net/previous/20250101-101010
rm run/idling_power.json
run map run/net/previous/20250101-101010
expect_status 0
expect_out_like '^net, abacus'
expect_out_like ', idle 3.000 W, '
run map run/net/previous/20250101-101010 --result-dir put
expect_file put/net/power_runtime_mapping_layerwise.csv

# A run that was cut off has to be recovered first, however it was named.
make_run; mkdir run/net/spool; echo '{}' >run/net/spool/session.json
for name in run run/net; do
	run map $name
	expect_error 1 "the run in 'run/net' was cut off: first 'joulemap recover run/net'"
done
expect_no_file $csv

# Where the folder of a log has no name, the result goes to "model", never elsewhere.
make_run; mkdir inside; cp $log up.log
(cd inside && run map --power-log-path ../up.log --trt-layer-latency-path ../$latency \
	--result-dir there && cp out err .. && echo "$status" >../status)
status=$(cat status)
expect_status 0
expect_file inside/there/model/power_runtime_mapping_layerwise.csv
expect_no_file inside/power_runtime_mapping_layerwise.csv
run map --power-log-path ./up.log --trt-layer-latency-path $latency --result-dir there
expect_file there/model/power_runtime_mapping_layerwise.csv

# ---- Sums: a log that is shorter than the run, and a single cycle
make_run; sed -i '5,$d' $log
run map run/net
expect_status 0
expect_out_like '^power log ends after 1 of 2 cycles: only these are counted$'
make_run; cat >$latency <<'END'
{"conv, first": [[10.0, "20241121-05:20:00.020000"]], "pool": [[5.5, "20241121-05:20:00.026000"]]}
END
run map run/net
expect_status 0
expect_no 'nan' out
expect_out_like '^closure: not known'

# ---- Names of any bytes
make_run; mv run/net $'run/r\xe9'
run map $'run/r\xe9' --format json
expect_status 0
expect_out_like '"model": "r\\\\xe9"'
run map $'run/r\xe9'
expect_status 0
expect_out_like '^r\\xe9$'
make_run; sed -i 's/"pool"/"po\\u001b[31mol\\u009b"/' $latency
run map run/net
expect_status 0
expect_out_like '^po\?\[31mol\? '
expect_no $'\x1b' out err
run map $'no\x1b[31mwhere\xc2\x9bJ'
expect_status 1
expect_no $'\x1b' err
expect_err_like "'no\?\[31mwhere\?J'"

# The last line of a log that was cut is left out, and said so.
make_run; printf '20241121-05:20:00.2000' >>$log
run map run/net
expect_status 0
expect_err_like 'last line of .* is cut off'

# A run that cannot be written keeps the result that was there.
make_run
run map run/net
cp $csv before
run map --power-log-path $log --trt-layer-latency-path $latency --result-dir /proc/nowhere
expect_status 1
cmp -s before $csv || complain "the earlier result changed"

finish
