#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How layers are timed: what is said of it, once, and kept; and what fails.
# shellcheck source=tests/cli/LIB.bash
. "$(dirname "$0")/LIB.bash"
models=$JM_SOURCE/tests/data/models
measured="0|4"
quick=(--sensor sim --runs 20 --warmup 1 --threads 1 --idle-duration 0)

# The value of a key of the engine in run.json.
engine() { # FOLDER KEY
	python3 - "$1/run.json" "$2" <<'END'
import json, sys
print(json.load(open(sys.argv[1]))["engine"].get(sys.argv[2], ""))
END
}

expect_engine() { # FOLDER KEY PATTERN
	checks=$((checks + 1))
	[[ $(engine "$1" "$2") =~ $3 ]] || complain "expected $2 like: $3"
}

# A line of stderr with this text, and only one.
expect_once() {
	checks=$((checks + 1))
	[ "$(grep -cF -- "$1" err)" = 1 ] || complain "expected once on stderr: $1"
}

expect_one_error() { # STATUS PATTERN
	expect_status "$1"
	expect_err_like "^joulemap: $2"
	checks=$((checks + 1))
	[ "$(grep -c '^joulemap: ' err)" = 1 ] || complain "expected one line with an error"
	expect_no_file none/spool
}

run measure --model lenet "${quick[@]}" --trace auto --result-dir r
expect_status "$measured"
way=$(engine r/lenet tracing)
if [ "$way" != markers ]; then
	echo "this runtime is too old for markers: traced by $way"
	finish
	exit
fi
expect_engine r/lenet tracing_note '^$'
expect_engine r/lenet network_untraced_ms '^0\.[0-9]+$'
expect_no 'because markers' err

# ---- Another way, because of the model: said once, and kept
note="because markers cannot be used: the model has names that begin with 'joulemap-marker-', as those of markers do"
run measure --model "$models/marker_names.onnx" "${quick[@]}" --result-dir r
expect_status "$measured"
expect_once "$note"
expect_engine r/marker_names tracing '^(callbacks|profile)$'
expect_engine r/marker_names tracing_note "^layers are timed by (callbacks|profile), $note\$"

# ---- Layers without a marker between them
run measure --model "$models/sequence_middle.onnx" "${quick[@]}" --result-dir r
expect_status "$measured"
expect_once "no marker can stand: they are one layer with the next, as '"
expect_engine r/sequence_middle tracing '^markers$'
expect_engine r/sequence_middle tracing_note "^behind [0-9]+ nodes no marker can stand"

# ---- Markers or nothing
run measure --model "$models/marker_names.onnx" "${quick[@]}" --trace markers --result-dir none
expect_one_error 1 "markers cannot be used: the model has names that begin with 'joulemap-marker-', .*; leave out --trace markers\$"

# ---- An operator that fails
for trace in auto markers profile; do
	run measure --model "$models/failing.onnx" "${quick[@]}" --trace $trace --result-dir none
	expect_one_error 1 ".*the network failed: .*'outside'"
done

# ---- No files in memory: a filter that outlives exec
cat >without_memory_files.py <<'END'
import ctypes, os, platform, struct, sys

number = {"x86_64": 319, "aarch64": 279}.get(platform.machine())
libc = ctypes.CDLL(None, use_errno=True)
# load the number; is it memfd_create? then ENOSYS, else go on
code = b"".join(struct.pack("HBBI", *line) for line in (
    (0x20, 0, 0, 0), (0x15, 0, 1, number or 0), (0x06, 0, 0, 0x00050000 | 38),
    (0x06, 0, 0, 0x7fff0000)))
program = ctypes.create_string_buffer(code)
header = struct.pack("HxxxxxxQ", 4, ctypes.addressof(program))
if not number or libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, header):
    sys.exit(77)
os.execv(sys.argv[1], sys.argv[1:])
END
status=0
python3 without_memory_files.py "$JOULEMAP" measure --model lenet "${quick[@]}" \
	--result-dir none >out 2>err </dev/null || status=$?
ran="without memory files"
if [ "$status" = 77 ]; then
	echo "no filters of system calls here: what needs them was not tested"
else # the run itself needs one
	expect_one_error 1 "cannot make memory shared with the processes: "
fi

# ---- No folder for temporary files
if [ "$(engine r/marker_names tracing)" = callbacks ]; then
	TMPDIR=/no/such/folder run measure --model lenet "${quick[@]}" --result-dir r3
	expect_status "$measured"
	expect_engine r3/lenet tracing '^markers$'
fi
TMPDIR=/no/such/folder run measure --model lenet "${quick[@]}" --trace profile --result-dir none
expect_one_error 1 ".*'/no/such/folder'"

# ---- A full /dev/shm, and none
if unshare -rm true 2>/dev/null; then
	for way in "mount -t tmpfs -o size=4k none /dev/shm && head -c 4096 /dev/zero >/dev/shm/full" \
		"mount -t tmpfs none /dev/shm && rmdir /dev/shm/* 2>/dev/null; mount -o remount,ro /dev/shm"; do
		status=0
		unshare -rm sh -c "$way; exec \"\$@\"" sh "$JOULEMAP" measure --model lenet \
			"${quick[@]}" --result-dir r4 >out 2>err </dev/null || status=$?
		ran="$way"
		expect_status "$measured"
		expect_engine r4/lenet tracing '^markers$'
	done
else
	echo "no mounts of one's own here: what needs them was not tested"
fi

finish
