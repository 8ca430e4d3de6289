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
make_run; sed -i '2s/5000.0/nan/' $log
broken "'$log' line 2"
make_run; sed -i '2s/1200.0/1e30/' $log
broken "'$log' line 2"
make_run; sed -i '2s/00.012/00.000/' $log
broken "'$log' line 2"
make_run; sed -i '2s/20241121/20241331/' $log
broken "'$log' line 2"
make_run; printf '\0\1\2\3' >$log
broken "'$log'"
make_run; rm $latency
broken ".*trt_layer_latency.json"
make_run; head -c 120 $latency >cut && mv cut $latency
broken "'$latency' ends too early, at line 2"
make_run; echo '[1, 2]' >$latency
broken "'$latency' line 1"
make_run; sed -i 's/\[5.5, "20241121-05:20:00.026000"\]/[-5.5, "20241121-05:20:00.026000"]/' $latency
broken "'$latency' line 2"
make_run; sed -i 's/\[10.0, /[NaN, /' $latency
broken "'$latency' line 1"
make_run; echo '{}' >$latency
broken ".*"
make_run; sed -i 's/20241121-05/20241121-06/' $log
run map run/net
expect_status 2
expect_err_like 'the power log begins 3599\.9[0-9]* s after the last layer ended'
expect_no_file $csv
make_run; echo '{"Layers": 5}' >run/net/trt_profiling/trt_engine_info.json
broken "'run/net/trt_profiling/trt_engine_info.json'"
make_run; echo '{"avg_idle_power": "much"}' >run/idling_power.json
broken "'run/idling_power.json'"
run map nowhere
expect_status 1
expect_err_like "^joulemap: .*'nowhere'"

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
