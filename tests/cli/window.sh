#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The window method through the command: tables of the original scripts, byte for byte.
# shellcheck source=tests/cli/LIB.bash
. "$(dirname "$0")/LIB.bash"

for source in "$JM_SOURCE"/tests/data/window/*/; do
	for rules in later first; do
		rm -rf table
		run map --method window --window-rules $rules --result-dir table \
			--power-log-path "$source/power.log" \
			--trt-layer-latency-path "$source/latency.json" \
			--trt-engine-info-path "$source/engine_info.json" \
			--idling-power-log-path "$source/idling_power.json"
		expect_status 0
		ran="$source by the rules '$rules'"
		cmp -s table/*/power_runtime_mapping_layerwise.csv "$source/$rules.csv" ||
			complain "differs from $rules.csv"
	done
done

# Two layers of one name: the table keeps the lists of the file, the fit has a row for each.
cat >merge.py <<'END'
import json, sys
path = sys.argv[1]
lists = json.load(open(path))
names = list(lists)
first, last = names[0], names[5]
lists[first] = sorted(lists[first] + lists.pop(last), key=lambda pair: pair[1])
json.dump(lists, open(path, "w"))
END
run simulate --layers 6 --cycles 1500 --seed 3 --layer-min-us 100 repeated
expect_status 0
run map repeated/network
expect_status 0
grep '^(total)' out >total
python3 merge.py repeated/network/trt_profiling/trt_layer_latency.json
run map repeated/network
expect_status 0
expect_out_like '^1500 cycles of 2\.211 ms'
expect_err_like '^1500 inferences, told apart by time'
grep '^(total)' out | cmp -s - total || complain "the total is another one"
grep -q '^5,.* (2),' repeated/network/layer_energy.csv || complain "no row of the second place"
[ "$(grep -c ' (2),' repeated/network/power_runtime_mapping_layerwise.csv)" = 0 ] ||
	complain "rows do not have the names of the file"
[ "$(wc -l <repeated/network/power_runtime_mapping_layerwise.csv)" = 9001 ] ||
	complain "rows are missing"
run map --method window repeated/network --format json
expect_status 0
expect_out_like '"cycles": 1500'

finish
