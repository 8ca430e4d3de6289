# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by the tests of the command: runs it in an empty folder and compares
# output and exit status exactly.
set -euo pipefail

: "${JOULEMAP:?path of the command}"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
failures=0
checks=0

# run ARGUMENT...: keeps stdout, stderr and status.
run() {
	status=0
	"$JOULEMAP" "$@" >out 2>err </dev/null || status=$?
	ran="joulemap $*"
}

complain() {
	echo "FAILED: $ran"
	echo "$1"
	echo "--- status $status, stdout:"
	cat out
	echo "--- stderr:"
	cat err
	failures=$((failures + 1))
}

# One status, or several: "0|4".
expect_status() {
	checks=$((checks + 1))
	[[ $status =~ ^($1)$ ]] || complain "expected status $1"
}

# The whole of stderr, or of stdout, is this text.
expect_err() {
	checks=$((checks + 1))
	[ "$(cat err)" = "$1" ] || complain "expected on stderr: $1"
}

expect_out() {
	checks=$((checks + 1))
	[ "$(cat out)" = "$1" ] || complain "expected on stdout: $1"
}

# A line of stderr (stdout) matches this extended regular expression.
expect_err_like() {
	checks=$((checks + 1))
	grep -qE -- "$1" err || complain "expected on stderr, like: $1"
}

expect_out_like() {
	checks=$((checks + 1))
	grep -qE -- "$1" out || complain "expected on stdout, like: $1"
}

# No line of these files has this text.
expect_no() { # TEXT FILE...
	checks=$((checks + 1))
	! grep -qF -- "$@" || complain "expected no '$1'"
}

expect_file() {
	checks=$((checks + 1))
	[ -e "$1" ] || complain "expected file $1"
}

expect_no_file() {
	checks=$((checks + 1))
	[ ! -e "$1" ] || complain "expected no file $1"
}

# An error is one line on stderr, and nothing on stdout.
expect_error() {
	expect_status "$1"
	expect_err "joulemap: $2"
	expect_out ""
}

finish() {
	echo "$checks checks, $failures failed"
	[ "$failures" = 0 ]
}
