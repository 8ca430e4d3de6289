#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sources of a run that cannot all be right: found against each other, and named.
# shellcheck source=tests/cli/LIB.bash
. "$(dirname "$0")/LIB.bash"

run simulate --layers 6 --cycles 1500 --seed 3 --layer-min-us 100 whole
expect_status 0

# scaled FACTOR: durations in another unit.
scaled() {
	rm -rf other
	cp -r whole other
	python3 - other/network/trt_profiling/trt_layer_latency.json "$1" <<'END'
import json, sys
path, factor = sys.argv[1], float(sys.argv[2])
lists = json.load(open(path))
json.dump({name: [[ms * factor, stamp] for ms, stamp in pairs]
           for name, pairs in lists.items()}, open(path, "w"))
END
	run map other/network
}

scaled 1000
expect_status 1
expect_err_like '^joulemap: by their durations the layers of an inference take 1212\.[0-9]* ms, by their stamps there are 2\.21'
expect_err_like 'durations in us, not in ms\?'
expect_no_file other/network/layer_energy.csv
run map --method window other/network
expect_status 0
expect_err_like '^by their durations the layers of an inference take 1212'
scaled 0.001
expect_err_like '^by their durations .* durations in s, not in ms\?'
scaled 1.05
expect_status 0
expect_no 'by their durations' err

# Voltage in V: a run far below idle power.
rm -rf other
cp -r whole other
sed -i -E 's/,([0-9]+)([0-9]{3})\.0,/,\1.\2,/' other/network/*_power_log_*.log
run map other/network
expect_err_like '^the run draws 0\.0064[0-9]* W on average, less than the idle power of 4\.2346 W: .* V and A where mV and mA are meant'

# Idle power of another board.
rm -rf other
cp -r whole other
sed -i -E 's/"avg_idle_power": [0-9.]+/"avg_idle_power": 900000.0/' other/idling_power.json
run map other/network
expect_err_like '^before the run the power log shows 4\.[0-9]* W, the idle power is 0\.9 W'

run map whole/network
expect_status 0
expect_no 'draws' err
expect_no 'before the run' err

finish
