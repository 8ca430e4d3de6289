#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzzer for SECONDS (default 60) from a copy of its corpus, with the
# address and undefined-behaviour sanitizers. Fails when one finds something;
# the input that did it is then in build-fuzz/found/.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
build=build-fuzz

cmake -S . -B $build -DCMAKE_C_COMPILER=clang -DJM_SANITIZE=address,undefined \
	-DJM_WITH_FUZZERS=ON -DJM_WITH_TESTS=OFF -DJM_WITH_BENCHMARKS=OFF >/dev/null
cmake --build $build --parallel
mkdir -p $build/found
for source in fuzz/fuzz_*.c; do
	name=$(basename "$source" .c)
	corpus=$build/corpus/$name
	mkdir -p "$corpus"
	echo "fuzzing ${name#fuzz_} for $seconds s"
	if ! "$build/fuzz/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 \
		-artifact_prefix=$build/found/ "$corpus" "fuzz/corpus/${name#fuzz_}" \
		>"$build/$name.log" 2>&1; then
		tail -n 40 "$build/$name.log" >&2
		exit 1
	fi
	grep -E '^(Done|#.*DONE)' "$build/$name.log" | tail -n 1
done
