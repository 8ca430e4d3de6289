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
if ! "$joulemap" sensors >/dev/null 2>&1; then
	printf '\nno power sensor here: the demo takes the simulated one\n'
	sensor=(--sensor sim)
fi
show "$joulemap" measure --model mobilenet_v2 --runs 1000 --idle-duration 5 \
	--result-dir "$results" "${sensor[@]}"
printf '\nthe run is in %s/mobilenet_v2:\n' "$results"
(cd "$results/mobilenet_v2" && find . -maxdepth 2 -type f -not -path './previous/*' | sort)
