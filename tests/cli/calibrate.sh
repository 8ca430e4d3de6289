#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A square-wave load, what is found and kept, and that later runs use it.
# shellcheck source=tests/cli/LIB.bash
. "$(dirname "$0")/LIB.bash"
unset JOULEMAP_SYSFS_ROOT
trees=$JM_SOURCE/tests/data/sysfs
export JOULEMAP_CALIBRATION=$PWD/kept/calibration.json TMPDIR=$PWD/tmp
mkdir tmp

# ---- Usage
run calibrate extra
expect_error 2 "unexpected argument 'extra', see 'joulemap calibrate --help'"
run calibrate --duration 0
expect_error 2 "--duration must be 0.1 to 600, got '0'"
run calibrate --load disco
expect_error 2 "--load must be one of auto, cpu, gpu, got 'disco'"
run calibrate --threads 0
expect_error 2 "--threads must be 1 to 1024, got '0'"
run calibrate --show --forget
expect_error 2 "--show and --forget exclude each other"
run calibrate --sensor sim --load gpu --threads 2
expect_error 2 "--threads is for --load cpu"
run calibrate --sensor voltmeter
expect_status 2
expect_no_file kept

# ---- Nothing there yet
run calibrate --show
expect_status 0
expect_out ""
expect_err "no calibration is stored in '$JOULEMAP_CALIBRATION'"
run calibrate --forget
expect_status 0
expect_err "0 calibrations removed"
JOULEMAP_SYSFS_ROOT=$trees/empty run calibrate
expect_status 3
expect_err_like '^joulemap: no power sensor on this machine'

# ---- A load that no rail sees; nothing is stored, nothing is left
JOULEMAP_SYSFS_ROOT=$trees/orin-nano-jp6 run calibrate --duration 1
expect_status 4
expect_err_like "^joulemap: rail 'VDD_IN' always reads"
expect_no_file kept
run calibrate --sensor sim --duration 0.1
expect_status 4
expect_err_like '^joulemap: the load was on [0-9]+ times, which tells nothing: calibrate longer'
expect_no_file kept
[ -z "$(ls tmp)" ] || complain "something is left in TMPDIR"

# ---- A virtual board
run calibrate --sensor sim:delay_ms=0.45 --duration 3 --result-dir r
expect_status 0
expect_out_like '^SIMULATED: sensor sim:delay_ms=0.45 seed 1, rail VDD_IN, on '
expect_out_like '^  load +cpu, [0-9]+ threads?: [0-9.]+ \+- [0-9.]+ W, on [0-9]+ times$'
expect_out_like '^  (round|window|delay|supply) +[0-9.]+ '
expect_err_like "^stored in $JOULEMAP_CALIBRATION$"
expect_err_like '^the run is kept in r/calibration$'
expect_file r/calibration/readings.csv
[ -z "$(ls tmp)" ] || complain "something is left in TMPDIR"
python3 - <<'END' || complain "the calibration is not what it should be"
import json, os
file = json.load(open(os.environ["JOULEMAP_CALIBRATION"]))
assert file["schema"] == 1 and len(file["calibrations"]) == 1
c = file["calibrations"][0]
assert c["simulated"] and c["sensor"] == "sim:delay_ms=0.45 seed 1" and c["rail"] == "VDD_IN"
assert c["setting"] == {"round_ms": 6.6, "window_ms": 1.1, "samples": 0}
truth = json.load(open("r/calibration/truth.json"))
for key, value in (("delay_ms", truth["delay"]), ("tau_ms", truth["tau"]), ("window_ms", truth["w"])):
    if c[key]["value"] is not None:
        assert abs(c[key]["value"] - value * 1e3) < 5 * c[key]["sd"], (key, c[key])
END
run map r/calibration
expect_status "0|4"
expect_out_like '^load +Load '
run calibrate --show --format json
expect_status 0
python3 -c 'import json; assert len(json.load(open("out"))) == 1' || complain "not one entry"
run calibrate --show --sensor sim
expect_status 0
expect_out ""

# ---- Later runs take it into their folder; of another board they do not
quick=(--model lenet --runs 20 --warmup 1 --threads 1 --idle-duration 0 --result-dir m)
run measure --sensor sim:delay_ms=0.45 "${quick[@]}"
if [ "$status" != 0 ] && [ "$status" != 4 ]; then
	cat err
	exit 77 # no engine here
fi
python3 - <<'END' || complain "run.json does not have the calibration"
import json, os
c = json.load(open("m/lenet/run.json"))["sensors"][0]["rails"][0]["calibration"]
assert c == json.load(open(os.environ["JOULEMAP_CALIBRATION"]))["calibrations"][0]
END
run measure --sensor sim:delay_ms=0.5 "${quick[@]}"
expect_no calibration m/lenet/run.json
sed -i 's/"round_ms": 6.6,/"round_ms": 3.3,/' "$JOULEMAP_CALIBRATION"
run measure --sensor sim:delay_ms=0.45 "${quick[@]}"
expect_err_like '^the calibration of sim was made at another setting of the sensor and is not used'
expect_no calibration m/lenet/run.json

# ---- A broken file is no reason not to measure, and is never overwritten
echo '{"schema": 1, ' >"$JOULEMAP_CALIBRATION"
cp "$JOULEMAP_CALIBRATION" before
run measure --sensor sim:delay_ms=0.45 "${quick[@]}"
expect_status "0|4"
expect_err_like "^calibrations in '$JOULEMAP_CALIBRATION' cannot be read, line "
for words in "--sensor sim" --show --forget; do
	# shellcheck disable=SC2086
	run calibrate $words
	expect_status 1
	expect_err_like "^joulemap: calibrations in '.*' cannot be read, line .*; mend or move the file$"
done
cmp -s before "$JOULEMAP_CALIBRATION" || complain "a broken file was changed"
rm "$JOULEMAP_CALIBRATION"

# ---- The GPU's load, on a driver that is made up
fake=$JM_BUILD/tests/fake
if [ -e "$fake/libcuda.so.1" ]; then
	LD_LIBRARY_PATH=$fake run calibrate --sensor sim --load gpu --duration 2
	expect_status "0|4" # a machine too busy to compare clocks
	expect_no 'GPU load' err
	LD_LIBRARY_PATH=$fake FAKE_CUDA=cuInit run calibrate --sensor sim --load gpu --duration 1
	expect_error 1 "GPU load: cannot start CUDA: error 999, CUDA_ERROR_UNKNOWN"
	LD_LIBRARY_PATH=$fake FAKE_CUDA=cuModuleLoadDataEx run calibrate --sensor sim --load gpu
	expect_error 1 "GPU load: cannot translate its kernel: error 218, CUDA_ERROR_FAKE (ptxas: fake trouble)"
fi
[ -z "$(ls tmp)" ] || complain "something is left in TMPDIR"

# ---- No place for the result: found before the measurement
: >occupied
JOULEMAP_CALIBRATION=$PWD/occupied/calibration.json run calibrate --sensor sim --duration 600
expect_error 1 "cannot write '$PWD/occupied/calibration.json': Not a directory"

finish
