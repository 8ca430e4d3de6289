#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whether markers are used, and give what the network gives without them: with
# several runtimes, networks of the catalogue, or a model above 2 GB. Opening a
# network checks the order of its nodes, its answer bit by bit, and what it costs.
#
#     tools/check_markers.sh runtimes BUILD LIBRARY...   tests and five networks
#     tools/check_markers.sh networks BUILD [NETWORK...] all 24 networks
#     tools/check_markers.sh large BUILD                 needs 12 GB of memory
#
# Takes minutes; fails when one of them fails, and says which.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:?runtimes, networks or large}
build=$(realpath "${2:?folder of the build}")
shift 2
failures=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

report() { # STATUS SUBJECT FILE
	if [ "$1" = 0 ] || [ "$1" = 4 ]; then
		echo "ok      $2"
		return
	fi
	echo "FAILED  $2"
	grep -aE 'ERROR|FAILED|^joulemap:' "$3" | head -n 5 | sed 's/^/        /'
	failures=$((failures + 1))
}

# A network by markers or not at all.
check_network() { # SUBJECT MODEL OPTION...
	local status=0 subject=$1 model=$2
	shift 2
	"$build/joulemap" measure --model "$model" --sensor sim --trace markers --runs 2 \
		--warmup 0 --threads 1 --idle-duration 0 --result-dir "$folder/r" "$@" \
		>"$folder/log" 2>&1 </dev/null || status=$?
	report $status "$subject $(basename "$model")$(describe "$folder/r")" "$folder/log"
	rm -rf "$folder/r"
}

# ": 66 layers, 10.53 -> 10.61 ms"
describe() { # FOLDER
	python3 - "$1" <<'END'
import glob, json, sys
for path in glob.glob(sys.argv[1] + "/*/run.json"):
    engine = json.load(open(path))["engine"]
    print(": %s, %.3f -> %.3f ms%s" % (engine["tracing"], engine["network_untraced_ms"],
          engine["network_traced_ms"], ", " + engine["tracing_note"] if engine.get("tracing_note")
          else ""))
END
}

check_runtime() { # LIBRARY
	local name status
	name=$(basename "$1")
	export JOULEMAP_ORT_LIBRARY=$1
	for test in marker_checks marker_failures markers engine_conformance engine_onnxruntime; do
		status=0
		"$build/tests/test_$test" >"$folder/log" 2>&1 || status=$?
		report $status "$name test_$test" "$folder/log"
	done
	for network in lenet squeezenet1_1 mobilenet_v2 efficientnet_b0 vit_b_16; do
		check_network "$name" $network
	done
}

case $what in
runtimes)
	for library in "$@"; do
		check_runtime "$(realpath "$library")"
	done
	;;
networks)
	if [ $# = 0 ]; then
		# shellcheck disable=SC2046 # names without blanks
		set -- $("$build/joulemap" catalog --format csv | tail -n +2 | cut -d, -f1)
	fi
	for network in "$@"; do
		check_network network "$network"
	done
	;;
large)
	tools/make_large_model.py "$folder"
	check_network "above 2 GB" "$folder/large.onnx"
	;;
*)
	echo "there is no '$what'; use runtimes, networks or large" >&2
	exit 2
	;;
esac
[ $failures = 0 ]
