#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Programs of examples/, as docs/api.md names them.
# shellcheck source=tests/cli/LIB.bash
. "$(dirname "$0")/LIB.bash"
unset JOULEMAP_SYSFS_ROOT
export JOULEMAP_CALIBRATION=$PWD/calibration.json

# example NAME ARGUMENT...: as run() of a program of examples/.
example() {
	local name=$1
	shift
	status=0
	"$JM_BUILD/examples/$name" "$@" >out 2>err </dev/null || status=$?
	ran="examples/$name $*"
}

example attribute_arrays
expect_status 0
expect_out_like '^conv1 +9\.[0-9]+ \+- [0-9.]+ W \(9\.5 W drawn\), [0-9.]+ mJ, resolved: yes$'
expect_out_like '^delay 0\.[0-9]+ ms, closure '

example measure_idle 0.3 sim
expect_status 0
expect_out_like '^SIMULATED idle power 4\.[0-9]+ W \+- [0-9.]+ W \([0-9]+ readings of [0-9]+ conv'
example measure_idle 0 sim
expect_status 1
expect_err_like 'idle power takes more than 0 s'
example measure_idle 1 voltmeter
expect_status 1
expect_err_like "no sensor named 'voltmeter'"
expect_no_file results

# What one program measures, another opens, and so does the command.
example measure_network lenet 200 sim threelayers "$JM_BUILD/examples/engine_plugin.so"
expect_status 0
expect_out 'SIMULATED: 200 cycles in results/lenet'
expect_err_like 'SIMULATED idle power'
python3 - <<'END' || complain "run.json does not tell of the plug-in"
import json
run = json.load(open("results/lenet/run.json"))
[plugin] = run["plugins"]
assert plugin["name"] == "engine_plugin" and plugin["version"] == "1.0", plugin
assert plugin["path"].startswith("/") and plugin["path"].endswith("/engine_plugin.so"), plugin
END
example attribute_folder results/lenet 4
expect_status 0
expect_out_like '^SIMULATED: lenet, 200 cycles, idle power 4\.[0-9]+ W$'
expect_out_like '^root \(Sqrt\): [0-9.]+ ms, .* W \+- .* W, .* mJ, resolved: [a-z]+$'
[ "$(grep -c '^cycle [12], ' out)" = 4 ] || complain "expected four rows"
run map results/lenet --format csv
expect_status "0|4"
expect_out_like '^2,root,Sqrt,200,'
example attribute_folder nowhere
expect_status 1
expect_err_like "'nowhere'"

# A folder of the original scripts.
run simulate --cycles 3000 simulated
expect_status 0
example attribute_folder simulated
expect_status 0
expect_out_like ', 3000 cycles, idle power '

example measure_network lenet 20 sim abacus
expect_status 1
expect_err_like "there is no engine 'abacus'"
example measure_network lenet 20 sim threelayers nowhere.so
expect_status 1
expect_err_like "cannot open 'nowhere.so'"
finish
