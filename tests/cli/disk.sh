#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A disk that fills up in mid-run: nothing measured is lost, and the message
# says how to get at it. Needs a mount of its own: root, or user namespaces.
self=$(realpath "$0")
# shellcheck source=tests/cli/LIB.bash
. "$(dirname "$0")/LIB.bash"

mkdir small
if ! mount -t tmpfs -o size=1m none small 2>/dev/null; then
	if [ -z "${JM_UNSHARED:-}" ] && unshare -rm true 2>/dev/null; then
		JM_UNSHARED=1 exec unshare -rm bash "$self"
	fi
	echo "neither root nor user namespaces: no full disk can be made, skipped"
	exit 77
fi
trap 'cd / && umount "$folder/small" && rm -rf "$folder"' EXIT

run measure --model lenet --sensor sim --result-dir small/r --runs 10000000 --threads 1 \
	--warmup 1 --idle-duration 0
expect_status 1
expect_err_like "^joulemap: .*[Nn]o space left"
expect_err_like "what was measured is safe in 'small/r/lenet/spool'"
expect_file small/r/lenet/spool/timeline.spool

run map small/r/lenet
expect_error 1 "the run in 'small/r/lenet' was cut off: first 'joulemap recover small/r/lenet'"
run recover small/r/lenet
expect_status 1
expect_err_like "^joulemap: .*[Nn]o space left"
expect_file small/r/lenet/spool/timeline.spool

mount -o remount,size=64m small
run recover small/r/lenet
expect_status 0
expect_err_like "^recovered [0-9]+ cycles and [0-9]+ readings in 'small/r/lenet'"
expect_no_file small/r/lenet/spool
run map small/r/lenet
expect_status "0|4" # so short a run need not resolve its layers
expect_out_like '^SIMULATED'

# The output of the table itself can fail too.
status=0
"$JOULEMAP" map small/r/lenet >/dev/full 2>err || status=$?
ran="joulemap map to a full disk"
expect_status 1
expect_err_like '^joulemap: cannot write the output: No space left on device'

finish
