#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Several sensors behind one logger.
# shellcheck source=tests/cli/LIB.bash
. "$(dirname "$0")/LIB.bash"
measured="0|4" # 4: measured, but so short a run need not resolve its layers
export JOULEMAP_SYSFS_ROOT=$JM_SOURCE/tests/data/sysfs/orin-nano-jp6
export JOULEMAP_NVML_LIBRARY=${JM_FAKE_NVML_LIBRARY:?}
for i in $(seq 10 59); do
	echo "20241121-05:20:$i.000000,5032.0,8$i.0"
done >power.log

run sensors --sensor ina3221+nvml:1 --format csv
expect_status 0
expect_out_like '^[0-9]+,ina3221:1-0040,VDD_IN,4\.226880,6\.6,1\.1,no$'
expect_out_like '^[0-9]+,nvml:1,GPU,110[0-9]\.[0-9]+,20,,no$'
run sensors --sensor nvml:0+nvml
expect_error 2 "sensor 'nvml:0' is in the set twice"
# The board contains its GPU: its power is the total.
run idle --sensor nvml:0+ina3221 --idle-duration 0.2 --result-dir idle
expect_status 0
expect_out_like '^idle power 4\.2269 W '
grep -q '"sensor": *"nvml:0+ina3221:1-0040"' idle/idling_power.json || complain "expected both sensors"

run measure --model lenet --sensor nvml:0+nvml:1+ina3221 --result-dir r --runs 200 --warmup 1 \
	--threads 1 --idle-duration 0.2
expect_status "$measured"
python3 - r/lenet <<'END' || complain "run.json or readings.csv is not what it should be"
import collections, csv, json, sys
run = json.load(open(sys.argv[1] + "/run.json"))
assert [s["id"] for s in run["sensors"]] == ["nvml:0", "nvml:1", "ina3221:1-0040"]
assert [s["scope"] for s in run["sensors"]] == ["gpu", "gpu", "board"]
assert run["power_log"] == {"sensor": "ina3221:1-0040", "rail": "VDD_IN"}
assert [s["id"] for s in run["logger"]["sensors"]] == [s["id"] for s in run["sensors"]]
rows = collections.Counter(row["rail"] for row in csv.DictReader(open(sys.argv[1] + "/readings.csv")))
assert set(rows) == {"nvml:0/GPU", "nvml:1/GPU", "VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"}
assert rows["VDD_IN"] == rows["VDD_SOC"] > rows["nvml:0/GPU"] > 10
END

run measure --model lenet --sensor sim+replay:power.log,loop --result-dir s --runs 200 \
	--warmup 1 --threads 1 --idle-duration 0.2
expect_status "$measured"
expect_file s/lenet/truth.json
expect_file s/lenet/SIMULATED.txt
grep -q '^replay,' s/lenet/readings.csv || complain "expected the replayed rail"

# A log that is the sum of two sensors, of which one is fitted: what it has above
# idle is above its own idle power, not above that of both.
run simulate --scenario rapl --layers 12 --cycles 1500 one
expect_status 0
sed -i 's/"cycles"/"idle": {"power_uw": 4234600.0}, "cycles"/' one/network/run.json
cp -r one two
python3 - two <<'END'
import copy, csv, json, sys
folder = sys.argv[1] + "/network"
run = json.load(open(folder + "/run.json"))
rows = list(csv.reader(open(folder + "/readings.csv")))
other = copy.deepcopy(run["sensors"][0])
other["id"] = other["name"] = other["rails"][0]["name"] = "other"
run["sensors"].append(other)
run["power_log"] = {"rail": "total"}
run["idle"] = {"power_uw": 44.2346e6}
json.dump(run, open(folder + "/run.json", "w"))
with open(folder + "/readings.csv", "w", newline="") as out:
    csv.writer(out, lineterminator="\n").writerows(
        rows + [["other"] + row[1:3] + [str(40e-3 * int(row[2]))] for row in rows[1:]])
END
run map one/network
expect_status 0
run map two/network
expect_status 0
expect_err_like "^the power log is the sum of several rails, the fit is of one of them: power of rapl; "
expect_out_like '^network, sensor rapl power$'
python3 - one/network two/network <<'END' || complain "expected the same power above idle"
import csv, sys
one, two = (list(csv.DictReader(open(f + "/layer_energy.csv"))) for f in sys.argv[1:])
cycles = [list(csv.DictReader(open(f + "/power_runtime_mapping_layerwise.csv")))[1] for f in sys.argv[1:]]
assert [r["power_w"] for r in one] == [r["power_w"] for r in two]
for a, b in zip(one, two):
    assert abs(float(a["dynamic_power_w"]) - float(b["dynamic_power_w"])) < 2, (a, b) # the whole sum is 40 W higher
dynamic = [float(c["layer_power_excluding_idle_power_micro_watt"]) for c in cycles]
assert abs(dynamic[0] - dynamic[1]) < 2e6, dynamic
END

finish
