#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What tracing costs on this machine, one row per network and number of threads.
# Builds nothing, and takes about 5 minutes; the machine should do nothing else.
# Options are those of bench_tracing, such as --seconds 5 or, where others use
# the machine too, --cpu.
#
#   [BUILD=FOLDER] bench/tracing.sh [OPTION...]
set -euo pipefail
cd "$(dirname "$0")/.."
bench=${BUILD:-build}/bench/bench_tracing
[ -x "$bench" ] || { echo "tracing.sh: there is no '$bench'; build first" >&2; exit 1; }

cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
echo "${cpu:-unknown processor}, $(nproc) cores, load average $(cut -d' ' -f1 /proc/loadavg) at the start, $(date -u +%Y-%m-%d)"
exec "$bench" --threads 1,2 --seconds 20 "$@" \
	tests/data/models/lenet.onnx mobilenet_v3_small mobilenet_v2 squeezenet1_1 resnet18
