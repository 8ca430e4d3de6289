#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# NVIDIA GPUs, by a library that only pretends (tests/fake/nvml.c).
# shellcheck source=tests/cli/LIB.bash
. "$(dirname "$0")/LIB.bash"
trees=$JM_SOURCE/tests/data/sysfs
measured="0|4" # 4: measured, but so short a run need not resolve its layers
export JOULEMAP_SYSFS_ROOT=$trees/empty
export JOULEMAP_NVML_LIBRARY=${JM_FAKE_NVML_LIBRARY:?}
gpu='Fake "GPU" \\xff 9000' # the name is no UTF-8

# ---- What is there
run doctor
expect_status 0
expect_out_like "^ok +power sensor +nvml:0, 1 rails, first GPU, PCI 00000000:3B:00.0, "
expect_out_like "^ok +power sensor +nvml:1, "
run sensors
expect_status 0
expect_out_like '^nvml:0, round 20.00 ms, samples that driver 999.1 keeps and stamps: 119 of them 20.0 ms apart'
expect_out_like '^  GPU +10[0-9].[0-9]+ W$'
expect_out_like '^  GPU +110[0-9].[0-9]+ W$'
run sensors --format json
expect_status 0
python3 -c 'import json
sensors = json.load(open("out"))
assert [sensor["sensor"] for sensor in sensors] == ["nvml:0", "nvml:1"]
assert "Fake" in sensors[0]["path"] and sensors[0]["rails"][0]["power_w"] >= 100' ||
	complain "expected two GPUs"
for name in nvml:1 nvml:3c:00.0 nvml:0000:3C:00.0 \
	nvml:GPU-fa4e0000-0000-0000-0000-000000000001; do
	run sensors --sensor $name --format csv
	expect_status 0
	expect_out_like '^[0-9]+,nvml:1,GPU,110[0-9]\.[0-9]+,20,,no$'
done
ran="joulemap sensors --watch"
"$JOULEMAP" sensors --sensor nvml --format csv --watch --interval 0.01 2>err | head -30 >out || true
[ "$(grep -c ',nvml:0,GPU,10' out)" -ge 2 ] || complain "expected several samples"

# Values that no GPU can have are none, and are counted.
export JM_FAKE_NVML="wild=50 wildmw=3700000"
run idle --sensor nvml:0 --idle-duration 2 --result-dir wild
expect_status 0
expect_out_like '^idle power 10[0-9]\.'
expect_err_like '^[0-9]+ readings are beyond what their rails can carry: left out'
export JM_FAKE_NVML="wild=1"
run idle --sensor nvml:0 --idle-duration 1 --result-dir wild
expect_status 3
expect_no 4294967 out err
unset JM_FAKE_NVML

# A board's own monitor comes first, and both are listed.
JOULEMAP_SYSFS_ROOT=$trees/orin-nano-jp6 run sensors --format csv
expect_status 0
[ "$(sed -n 2p out | cut -d, -f2)" = ina3221:1-0040 ] || complain "expected the board first"
expect_out_like '^[0-9]+,nvml:1,'
JOULEMAP_SYSFS_ROOT=$trees/orin-nano-jp6 run idle --idle-duration 0.1 --result-dir board
expect_status 0
grep -q 'ina3221:1-0040' board/idling_power.json || complain "expected the board's power"

# ---- What is not there, and why
run sensors --sensor nvml:2
expect_error 3 "no sensor 'nvml:2' here: there is nvml:0, nvml:1"
run sensors --sensor nvml:first
expect_error 2 "'first' names no GPU: give its index, PCI bus id or UUID, as in 'nvml:0', 'nvml:0000:3b:00.0', 'nvml:GPU-...'"
JM_FAKE_NVML="gpus=0" run sensors
expect_status 3
expect_err_like 'looked for: .*NVIDIA GPU \(libnvidia-ml.so.1\)'
JM_FAKE_NVML="init=18" run doctor
expect_status 3
expect_out_like '^MISSING +power sensor .*version mismatch .*: reboot'
JM_FAKE_NVML="init=4" run sensors
expect_status 3
expect_err_like 'Insufficient Permissions \(NVML error 4\): run as root'
JM_FAKE_NVML="power=3" run doctor # a Jetson's
expect_status 3
expect_out_like "^MISSING +power sensor +nvml:0 \($gpu\) does not tell its power"
JM_FAKE_NVML="power=3" JOULEMAP_SYSFS_ROOT=$trees/orin-nano-jp6 run doctor
expect_status 0
expect_no nvml: out
JM_FAKE_NVML="gpus=1 mig=1" run doctor
expect_status 3
expect_out_like "split by MIG.*'sudo nvidia-smi -i 0 -mig 0'"
JOULEMAP_NVML_LIBRARY=nowhere.so run doctor
expect_status 3
expect_out_like "cannot load 'nowhere.so', which JOULEMAP_NVML_LIBRARY names"
JOULEMAP_NVML_LIBRARY='' run sensors # this machine's: not in a captured tree
expect_status 3

# ---- Idle power, by every way to it
for told in "" "samples=3" "samples=3 instant=3" "gap=2 shuffle=1"; do
	JM_FAKE_NVML=$told run idle --sensor nvml:1 --idle-duration 0.4 --result-dir idle
	expect_status 0
	expect_out_like '^idle power 110[0-9]\.[0-9]+ W '
	grep -q '"sensor": *"nvml:1"' idle/idling_power.json || complain "expected its sensor"
done

# ---- A run: the GPU is opened in the logger's process, each sample is a reading
run measure --model lenet --result-dir r --runs 300 --warmup 1 --threads 1 --idle-duration 0.2
expect_status "$measured"
expect_out_like '^lenet, onnxruntime .*, sensor nvml:0 GPU$'
expect_err_like "^sensor 'nvml:0' sees only its GPU, and engine 'onnxruntime' runs on the CPU"
python3 - r/lenet <<'END' || complain "run.json or readings.csv is not what it should be"
import csv, json, sys
run = json.load(open(sys.argv[1] + "/run.json"))
sensor = run["sensors"][0]
assert sensor["id"] == "nvml:0" and sensor["stamped"] and not sensor["simulated"]
assert sensor["rails"][0]["quantity"] == "uw" and "999.1" in sensor["provenance"]
clock = run["clock"]
rows = [row for row in csv.DictReader(open(sys.argv[1] + "/readings.csv")) if row["uw"]]
assert len(rows) >= 10
last = 0
for row in rows:
    at = int(row["after_ns"])
    assert row["before_ns"] == row["after_ns"] and at > last
    k = round((at + clock["realtime_ns"] - clock["monotonic_ns"]) / 20e6)
    assert abs(float(row["uw"]) - (100e6 + k % 1000 * 1e4)) < 1, (k, row)
    last = at
END
run map r/lenet
expect_status "$measured"

# ---- A GPU that is lost in mid-run: what was measured is complete
JM_FAKE_NVML="fail_after=9" run measure --model lenet --result-dir lost --runs 100000000 \
	--threads 1 --warmup 1 --idle-duration 0
expect_status 1
expect_err_like "^joulemap: sensor 'nvml:0' \($gpu\) vanished: GPU is lost .*dmesg"
expect_out_like '^\(total\)'
expect_file lost/lenet/run.json
expect_no_file lost/lenet/spool

finish
