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

# A log that is the sum of two sensors, the second of which draws 40 W whatever
# happens: the fit is that of the sum, above the idle power of both.
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
expect_out_like '^network, sensor rapl\+other total$'
expect_err_like 'wrote two/network/layer_energy_by_rail.csv'
python3 - one/network two/network <<'END' || complain "expected 40 W more, and the same above idle"
import csv, sys
one, two = (list(csv.DictReader(open(f + "/layer_energy.csv"))) for f in sys.argv[1:])
rails = list(csv.DictReader(open(sys.argv[2] + "/layer_energy_by_rail.csv")))
cycles = [list(csv.DictReader(open(f + "/power_runtime_mapping_layerwise.csv"))) for f in sys.argv[1:]]
parts = {name: [r for r in rails if r["rail"] == name] for name in ("total", "power", "other")}
assert [(name, {r["role"] for r in rows}) for name, rows in parts.items()] == [
    ("total", {"total"}), ("power", {"part"}), ("other", {"part"})]
assert [r["power_w"] for r in parts["power"]] == [r["power_w"] for r in one]
assert [r["power_w"] for r in parts["total"]] == [r["power_w"] for r in two]
for a, b, other in zip(one, two, parts["other"]):
    sd = max(float(b["power_sd_w"]), 0.01)
    assert abs(float(a["power_w"]) + float(other["power_w"]) - float(b["power_w"])) < 1e-6
    assert abs(float(a["power_w"]) + 40 - float(b["power_w"])) < 4 * sd, (a, b)
    assert abs(float(a["dynamic_power_w"]) - float(b["dynamic_power_w"])) < 4 * sd, (a, b)
assert len(cycles[0]) == len(cycles[1])
above = [float(r["layer_power_excluding_idle_power_micro_watt"] or "nan") for r in cycles[1]]
assert max(x for x in above if x == x) < 25e6, max(above)
END
run map two/network --rail other
expect_status 0
expect_out_like '^network, sensor other other$'
run map two/network --rail all --format csv
expect_status 0
expect_out_like '^rail,role,layer_index,'
run map two/network --rail all --format json
python3 -c 'import json, sys
rails = json.load(open("out"))["rails"]
assert [(r["rail"], r["role"]) for r in rails] == [("total", "total"), ("power", "part"), ("other", "part")]
assert rails[0]["response"]["window_ms"] is None and rails[1]["response"]["window_ms"] == 1' ||
	complain "expected three rails as JSON"
run map two/network --rail third
expect_status 1
expect_err_like "^joulemap: the run has no rail 'third': take one of power, other, total, all$"
run map two/network --rail other --method window
expect_status 2

finish
