#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sensors of recorded boards, in every form; doctor's advice.
# shellcheck source=tests/cli/LIB.bash
. "$(dirname "$0")/LIB.bash"
trees=$JM_SOURCE/tests/data/sysfs

# Two chips that only together see the board: each rail once, unless one is asked for.
export JOULEMAP_SYSFS_ROOT=$trees/agx-xavier-jp5
run sensors --format csv
expect_status 0
[ "$(cut -d, -f2,3 out)" = "sensor,rail
ina3221:1-0040+1-0041,GPU
ina3221:1-0040+1-0041,CPU
ina3221:1-0040+1-0041,SOC
ina3221:1-0040+1-0041,CV
ina3221:1-0040+1-0041,VDDRQ
ina3221:1-0040+1-0041,SYS5V" ] || complain "expected six rails of one sensor"
run doctor
[ "$(grep -c 'power sensor' out)" = 1 ] || complain "expected one sensor"
run sensors --sensor ina3221:1-0041 --format csv
expect_status 0
[ "$(wc -l <out)" = 4 ] || complain "expected the three rails of the chip"

# Two sensors are one document; with --watch one line each time.
export JOULEMAP_SYSFS_ROOT=$trees/agx-orin-jp6
run sensors --format json
expect_status 0
python3 -c 'import json, sys
sensors = json.load(open("out"))
assert [sensor["sensor"] for sensor in sensors] == ["ina3221:1-0040", "ina3221:1-0041"]
assert sensors[0]["round_ms"] == 6.6' || complain "expected an array of two sensors"
ran="joulemap sensors --watch"
"$JOULEMAP" sensors --format json --watch --interval 0.01 2>err | head -3 >out || true
python3 -c 'import json
lines = open("out").read().splitlines()
assert len(lines) == 3 and all(len(json.loads(line)) == 2 for line in lines)' ||
	complain "expected an array on each line"

# What is not known is no number; what holds a comma is quoted.
cp -r "$trees/unlabelled" tree
export JOULEMAP_SYSFS_ROOT=$PWD/tree
run sensors --format csv
expect_out_like '^[0-9]+,ina3221:2-0043,channel 1,0.192000,,,no$'
run sensors --format json
expect_out_like '"round_ms":null,"window_ms":null'
hwmon=$(dirname "$(find tree -name in1_input | head -1)")
printf 'a, "b"\x1b[31m\n' >"$hwmon/in1_label"
run sensors --format csv
expect_out_like '^[0-9]+,ina3221:2-0043,"a, ""b""'
run sensors
expect_status 0
expect_out_like '^  a, "b"\?\[31m +0.192 W'
expect_no $'\x1b' out

# A name is no formula; at full scale a rail no longer measures; negative is data.
printf '=1+1\n' >"$hwmon/in1_label"
run sensors --format csv
expect_out_like "^[0-9]+,ina3221:2-0043,'=1.1,"
rm -rf tree; cp -r "$trees/orin-nano-jp6" tree
hwmon=$(dirname "$(find tree -name curr1_input | head -1)")
echo 32760 >"$hwmon/curr1_input"
echo -8 >"$hwmon/curr2_input"
run sensors
expect_status 0
expect_out_like '^  VDD_IN +-  beyond its limit of 32.76 A$'
expect_out_like '^  VDD_CPU_GPU_CV +-0.040 W'
run idle --idle-duration 0.2 --result-dir low
expect_status 1
expect_err_like 'no value that its rails can carry'
echo -8 >"$hwmon/curr1_input"
run idle --idle-duration 0.2 --result-dir low
expect_status 0
expect_out_like '^idle power -0.0403 W'

# Simulated power is offered only where there is an engine for it.
export JOULEMAP_SYSFS_ROOT=$trees/empty
run doctor --ort-library nowhere.so
expect_status 3
expect_no 'measure --sensor sim' out
run doctor
expect_status 3
expect_out_like '^try joulemap all the same: joulemap measure --sensor sim'

finish
