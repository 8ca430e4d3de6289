#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What 'joulemap calibrate' finds on this machine's NVIDIA GPU: whether the load's
# kernels run and stamp, what the sensor sees of them, the response, and whether
# another pattern gives the same one.
#
#   bench/gpu/calibrate_check.sh [BUILD_FOLDER]
#   SENSOR=nvml:1 SECONDS_LOAD=60 KEEP=FOLDER bench/gpu/calibrate_check.sh
#
# Builds first what is not built. Changes nothing on the machine, neither clocks
# nor what 'joulemap calibrate' has stored. KEEP: where the runs are kept.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:-build}
sensor=${SENSOR:-nvml}
seconds=${SECONDS_LOAD:-60}
beside=12
scratch=$(mktemp -d "${TMPDIR:-/tmp}/joulemap-calibrate-check-XXXXXX")
keep=${KEEP:-$scratch/runs}
mkdir -p "$keep"
export JOULEMAP_CALIBRATION=$scratch/calibration.json
started=()
clean_up() {
	[ ${#started[@]} -eq 0 ] || kill "${started[@]}" 2>/dev/null || true
	rm -rf "$scratch"
}
trap clean_up EXIT

title() { printf '\n== %s\n' "$*"; }

# Runs what may not take longer than $1 seconds; says how it ended and goes on.
limited() {
	local limit=$1 status=0
	shift
	timeout --kill-after=5 "$limit" "$@" || status=$?
	[ "$status" -eq 0 ] || echo "exit status $status"
	return "$status"
}

if [ ! -x "$build/joulemap" ] || [ ! -x "$build/bench/bench_readings" ]; then
	generator="Unix Makefiles"
	command -v ninja >/dev/null && generator=Ninja
	[ -f "$build/CMakeCache.txt" ] || cmake -S . -B "$build" -G "$generator" >/dev/null
	cmake --build "$build" --target joulemap bench_readings --parallel >&2
fi
joulemap=$build/joulemap

title "nvidia-smi"
nvidia-smi --query-gpu=index,name,driver_version,persistence_mode,pstate,clocks.sm,power.draw.instant,power.limit \
	--format=csv 2>&1 || echo "nvidia-smi does not run here"

title "the load alone, 3 s, SIMULATED sensor"
limited 60 "$joulemap" calibrate --sensor sim --load gpu --duration 3 || exit 1

title "readings of $sensor beside the load, $beside s"
limited 60 "$joulemap" calibrate --sensor sim --load gpu --duration $((beside + 3)) \
	>"$scratch/beside" 2>&1 &
started=("$!")
sleep 1.5
nvidia-smi --query-gpu=timestamp,pstate,clocks.sm,power.draw.instant,temperature.gpu \
	--format=csv,noheader --loop-ms=1000 >"$scratch/smi" 2>&1 &
started+=("$!")
limited 60 "$build/bench/bench_readings" "$sensor" "$beside" || true
kill "${started[1]}" 2>/dev/null || true
wait "${started[0]}" || true
started=()
head -n "$beside" "$scratch/smi"
echo "the load beside, SIMULATED sensor:"
cat "$scratch/beside"

for seed in 1 2; do
	title "joulemap calibrate --sensor $sensor --duration $seconds --seed $seed"
	limited $((seconds + 120)) "$joulemap" calibrate --sensor "$sensor" --load gpu \
		--duration "$seconds" --seed "$seed" --result-dir "$keep/$seed" || true
	grep -h -o '"edge_ms": *[0-9.e-]*' "$keep/$seed/calibration/run.json" || true
done

title "what is stored"
"$joulemap" calibrate --show --format json

for seed in 1 2; do
	title "joulemap map of the run with seed $seed"
	limited 120 "$joulemap" map "$keep/$seed/calibration" || true
done
