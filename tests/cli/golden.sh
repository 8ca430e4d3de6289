#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What runs that stay the same give: figures that another version of the program
# found on them, kept in tests/data/golden. A change there is a change of reported
# joules: it needs a reason, and a line under Measurement in CHANGELOG.md.
# shellcheck source=tests/cli/LIB.bash
. "$(dirname "$0")/LIB.bash"

golden=${JM_SOURCE:?the source folder}/tests/data/golden

for csv in "$golden"/*.csv; do
	name=$(basename "$csv" .csv)
	run simulate --scenario "$name" --layers 12 --cycles 1500 --seed 3 "$name"
	expect_status 0
	run map "$name/network"
	expect_status "0|4"
	checks=$((checks + 1))
	cmp -s "$csv" "$name/network/layer_energy.csv" ||
		python3 "$golden/compare.py" "$csv" "$name/network/layer_energy.csv" >out ||
		complain "expected the figures of $csv"
done

finish
