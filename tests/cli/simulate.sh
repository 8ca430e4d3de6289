#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Simulated runs: scenarios, options, marks, and what is refused.
# shellcheck source=tests/cli/LIB.bash
. "$(dirname "$0")/LIB.bash"

run simulate --list
expect_status 0
expect_out_like '^ina3221-default +'
expect_out_like '^nvml-stretch +'
expect_err ""
# Every scenario that is listed is documented, and the other way round.
cut -d' ' -f1 out | sort >listed
sed -n "s/^| \`\([a-z0-9-]*\)\` | .* | .* |\$/\1/p" "$JM_SOURCE/docs/simulate.md" | sort >documented
ran="scenarios in docs/simulate.md"
cmp -s listed documented || complain "$(diff listed documented)"

run simulate --layers 5 --scenario begin --cycles 100 --seed 3 made/here
expect_status 0
expect_out "made/here/network"
expect_err "SIMULATED: 100 cycles of 5 layers, scenario begin; what they drew is in made/here/truth.json"
for name in SIMULATED.txt truth.json idling_power.json network/trt_profiling/trt_engine_info.json \
	network/trt_profiling/trt_layer_latency.json network/100_cycles_power_log_20241121-052000.log; do
	expect_file "made/here/$name"
done
grep -q '"simulated": true' made/here/truth.json || complain "truth.json is not marked"
grep -q '"layers": 5,' made/here/truth.json || complain "an option did not win over the scenario"
run map made/here
expect_status 0
expect_out_like '^SIMULATED'
expect_err_like '^time stamps mean: begin of the layer$'

run simulate
expect_error 2 "simulate needs a folder to write to: joulemap simulate [OPTIONS] FOLDER"
run simulate --scenario callbak x
expect_error 2 "no scenario 'callbak', did you mean 'callback'?"
run simulate --scenario everything-else x
expect_error 2 "no scenario 'everything-else': 'joulemap simulate --list' shows all of them"
run simulate --tau-ms -1 x
expect_error 2 "--tau-ms must be 0 to 100, got '-1'"
run simulate --stamp middle x
expect_error 2 "--stamp must be one of end, begin, callback, got 'middle'"
run simulate --window-ms 7 x
expect_error 2 "window_ms is longer than round_ms: a conversion cannot outlast its round"
run simulate --layers 5000 --cycles 10000000 x
expect_error 2 "5e+10 spans are too many to simulate (10^9): fewer cycles or layers"
expect_no_file x
: >x
run simulate --cycles 10 x
expect_error 1 "cannot make folder 'x/network': Not a directory"

finish
