#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `make demo`: a real network runs, its layers are timed, power is logged by a
# second process, and a table of layers is printed. Where there is no power
# sensor the simulated one stands in, and the table says so.
set -euo pipefail

build=${1:-build}
joulemap=$build/joulemap
results=$build/demo

show() {
	printf '\n$ %s\n' "$*"
	"$@"
}

show "$joulemap" doctor || true
sensor=()
first=$("$joulemap" sensors --format csv 2>/dev/null | sed -n 2p | cut -d, -f2) || true
if [[ -z $first || $first == nvml:* ]]; then
	printf '\nno sensor here that sees the CPU, where the demo runs: it takes the simulated one\n'
	sensor=(--sensor sim)
fi
# Status 4: measured, but no layer is resolved. The table says so, and why.
show "$joulemap" measure --model mobilenet_v2 --runs 1000 --idle-duration 5 \
	--result-dir "$results" "${sensor[@]}" || [ $? = 4 ]
printf '\nthe run is in %s/mobilenet_v2:\n' "$results"
(cd "$results/mobilenet_v2" && find . -maxdepth 2 -type f -not -path './previous/*' | sort)
