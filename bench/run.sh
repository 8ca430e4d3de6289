#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# All benchmarks, written to docs/benchmarks.md with the machine they ran on.
#
#   bench/run.sh [BUILD_FOLDER]
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
joulemap=$build/joulemap
scratch=$(mktemp -d "${TMPDIR:-/tmp}/joulemap-bench-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
out=$scratch/benchmarks.md

say() { printf '%s\n' "$@" >>"$out"; }
show() { # COMMAND...: its output as a block
	echo "bench: $*" >&2
	say '```'
	"$@" >>"$out" 2>"$scratch/err" || { cat "$scratch/err" >&2; exit 1; }
	say '```' ''
}

cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
memory=$(awk '/^MemTotal/ { printf "%.1f", $2 / 1048576 }' /proc/meminfo)
# shellcheck disable=SC2016 # Markdown, not commands
say '# Benchmarks' '' \
	'Written by `make bench`. Speed belongs here and in no test.' '' \
	"Machine: ${cpu:-unknown processor}, $(nproc) cores, $memory GiB, kernel $(uname -r)$(systemd-detect-virt 2>/dev/null | sed 's/^none$//; s/^\(..*\)$/, virtual machine (\1)/' || true)," \
	"load average $(cut -d' ' -f1 /proc/loadavg) at the start, $("$joulemap" version), $(date -u +%Y-%m-%d)." ''

say '## Start-up' '' 'Best and median of 50 runs, fork and exec included.' ''
show python3 bench/startup.py "$joulemap" help
say '## Mapping' '' 'Read, window method, CSV, on one core: 30 000 cycles of 53 layers, then ten times as many.' ''
# In memory: the disk's speed is not what is measured.
memory_folder=$scratch
if [ "$(df --output=avail /dev/shm 2>/dev/null | tail -n 1)" -gt 4000000 ]; then
	memory_folder=$(mktemp -d /dev/shm/joulemap-bench-XXXXXX)
	trap 'rm -rf "$scratch" "$memory_folder"' EXIT
fi
show taskset -c 0 "$build/bench/bench_map" 30000 53 "$memory_folder/map"
rm -rf "$memory_folder/map"
show taskset -c 0 "$build/bench/bench_map" 300000 53 "$memory_folder/map"
rm -rf "$memory_folder/map"
# shellcheck disable=SC2016 # backquotes of Markdown
say '## Timeline' '' 'The same run as `timeline.jmt` and as the JSON of the original scripts, on one core.' ''
timeline=$(realpath "$build/bench/bench_timeline")
(cd "$memory_folder" && show taskset -c 0 "$timeline" 30000 53)
# shellcheck disable=SC2016 # Markdown, not commands
say '## Attribution' '' \
	'`joulemap map` with the fit on one core, search for the response, reading and tables included (simulated' \
	'INA3221, defaults). Linear in cycles; at most quadratic in layers.' ''
show taskset -c 0 python3 bench/fit.py "$joulemap" --tmp "$memory_folder"
say '## Power logger' '' \
	'At 1 kHz on files like those of an INA3221. The first row is what the machine takes to wake a process' \
	'1000 times a second that does nothing: the floor below every logger here.' ''
show "$build/bench/bench_logger" 10
# shellcheck disable=SC2016 # backquotes of Markdown
say '## Tracing' '' 'ONNX Runtime untraced, with markers, and with callbacks around every node, by turns; what the columns are stands' \
	'in `bench/bench_tracing.c`.' ''
show env BUILD="$build" bench/tracing.sh
say '## Catalogue' '' 'Making random weights.' ''
show "$build/bench/bench_catalog"
say '## Virtual board' '' 'Computing the readings of a simulated sensor after a run.' ''
show "$build/bench/bench_sim"
cat bench/notes.md >>"$out"
mv "$out" docs/benchmarks.md
echo "bench: wrote docs/benchmarks.md" >&2
