#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What may use what in src/, and how long files and functions may get: the
# checks pass on the tree, and find what is planted.
# shellcheck source=tests/cli/LIB.bash
. "$(dirname "$0")/LIB.bash"
layers=$JM_SOURCE/tools/check_layers.py
sizes=$JM_SOURCE/tools/check_sizes.py

check() { # COMMAND...
	ran="${1##*/} ${*:2}"
	status=0
	"$@" >out 2>err </dev/null || status=$?
}

plant() {
	rm -rf tree objects
	cp -r "$JM_SOURCE/src" tree
}

check "$layers" --build "$JM_BUILD"
expect_status 0
expect_err ""
expect_out "all arrows go down, no circles"

plant
echo '#include "cli/options.h"' >>tree/base/text.c
check "$layers" --source tree
expect_status 1
expect_out_like '^base/text.c includes cli/options.h: upwards, from floor 0 to floor [0-9]+$'
expect_err "check_layers.py: 1 arrows that must not be"

# On a floor folders are neighbours and do not know each other.
plant
echo '#include "onnx/proto.h"' >>tree/formats/csv.c
check "$layers" --source tree
expect_status 1
expect_out_like '^formats/csv.c includes onnx/proto.h: upwards'

plant
echo '#include "base/one.h"' >tree/base/two.h
echo '#include "base/two.h"' >tree/base/one.h
check "$layers" --source tree
expect_status 1
expect_out "circle of includes: base/one.h, base/two.h"

plant
echo '#include "base/nowhere.h"' >>tree/base/text.c
check "$layers" --source tree
expect_status 1
expect_out "base/text.c includes 'base/nowhere.h', which is not there"

plant
mkdir tree/attic
echo '#include "base/text.h"' >tree/attic/old.c
check "$layers" --source tree
expect_status 1
expect_out "attic/old.c includes base/text.h: folder 'attic' has no floor"

# What no include shows: functions of public headers.
object() { # UNIT CODE
	mkdir -p "objects/src/$(dirname "$1")"
	echo "$2" >planted.c
	"${CC:-cc}" -fno-lto -c planted.c -o "objects/src/$1.c.o"
}

plant
object base/low 'void jm_high(void); void jm_low(void); void jm_low(void) { jm_high(); }'
object cli/high 'void jm_high(void); void jm_high(void) {}'
check "$layers" --source tree --build objects
expect_status 1
expect_out_like '^base/low.c uses jm_high of cli/high.c: upwards'

plant
object base/one 'void jm_two(void); void jm_one(void); void jm_one(void) { jm_two(); }'
object base/two 'void jm_one(void); void jm_two(void); void jm_two(void) { jm_one(); }'
check "$layers" --source tree --build objects
expect_status 1
expect_out "circle of symbols: base/one, base/two"

mkdir -p empty
check "$layers" --build empty
expect_status 1
expect_err "check_layers.py: no object files of src/ in 'empty': build first"

check "$sizes"
expect_status 0
expect_out_like '^[0-9]+ functions: median [0-9.]+ lines, 90 % up to [0-9]+, longest [0-9]+$'

plant
{
	printf 'static int jm_long(int x)\n{\n'
	for _ in {1..78}; do printf '\tx++;\n'; done
	printf '}\n'
} >tree/base/long.c
check "$sizes" --source tree
expect_status 1
expect_out_like '^base/long.c:1: jm_long has 81 lines, at most 80: divide it$'

plant
for _ in {1..801}; do echo; done >tree/base/long.h
check "$sizes" --source tree
expect_status 1
expect_out_like '^base/long.h: 801 lines, at most 800: divide it$'

mkdir -p few
for _ in {1..301}; do echo; done >few/long.h
{
	printf 'int jm_long(int x)\n{\n'
	for _ in {1..52}; do printf '\tx++;\n'; done
	printf '}\n'
} >few/long.c
check "$sizes" --source few
expect_status 1
expect_out_like '^functions: median 55 lines, at most 15$'
expect_out_like '^functions: 90 % up to 55 lines, at most 50$'

# The page that tells the way of a reading and of a span names what is there.
page=$JM_SOURCE/docs/architecture.md
ran="docs/architecture.md"
: >out
# shellcheck disable=SC2016 # the backquotes are the page's
for name in $(grep -oE '`(jm_[a-z0-9_]+|[a-z0-9]+_(read|span|reading))`' "$page" | tr -d '`' | sort -u); do
	grep -rqw -- "$name" "$JM_SOURCE/src" "$JM_SOURCE/include" || echo "$name" >>out
done
# shellcheck disable=SC2016
for name in $(grep -oE '^\| `[a-z]+`' "$page" | tr -d '|` '); do
	[ -d "$JM_SOURCE/src/$name" ] || echo "src/$name" >>out
done
for name in "$JM_SOURCE"/src/*/; do
	grep -q "^| \`$(basename "$name")\` |" "$page" || echo "$name is not told" >>out
done
expect_out ""

finish
