#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What joulemap sees of this machine's NVIDIA GPUs: doctor, sensors, ten seconds
# of a GPU doing nothing, how the driver's samples come, and what reading costs.
#
#   bench/gpu/nvml_check.sh [BUILD_FOLDER]      SENSOR=nvml:1 SECONDS_IDLE=30 bench/gpu/nvml_check.sh
#
# Builds first what is not built. Changes nothing on the machine.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:-build}
sensor=${SENSOR:-nvml}
seconds=${SECONDS_IDLE:-10}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/joulemap-nvml-XXXXXX")
trap 'rm -rf "$scratch"' EXIT

title() { printf '\n== %s\n' "$*"; }

if [ ! -x "$build/joulemap" ] || [ ! -x "$build/bench/bench_readings" ]; then
	generator="Unix Makefiles"
	command -v ninja >/dev/null && generator=Ninja
	[ -f "$build/CMakeCache.txt" ] || cmake -S . -B "$build" -G "$generator" >/dev/null
	cmake --build "$build" --target joulemap bench_readings --parallel >&2
fi
joulemap=$build/joulemap

title "nvidia-smi"
nvidia-smi --query-gpu=index,name,pci.bus_id,driver_version,pstate,power.draw,mig.mode.current \
	--format=csv 2>&1 || echo "nvidia-smi does not run here"
title "joulemap doctor"
"$joulemap" doctor || true # what else is missing does not matter here
title "joulemap sensors"
"$joulemap" sensors || true
title "joulemap idle --sensor $sensor, $seconds s"
"$joulemap" idle --sensor "$sensor" --idle-duration "$seconds" --result-dir "$scratch"
cat "$scratch/idling_power.json"
echo
title "readings of $sensor, $seconds s"
"$build/bench/bench_readings" "$sensor" "$seconds"
