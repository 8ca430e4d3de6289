#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The public headers stand alone, in C99 and in C++, and need nothing else.
# shellcheck source=tests/cli/LIB.bash
. "$(dirname "$0")/LIB.bash"
status=0
for path in "$JM_SOURCE"/include/joulemap/*.h; do
	header=$(basename "$path")
	# Twice: the second time it must be empty.
	printf '#include "joulemap/%s"\n#include "joulemap/%s"\n' "$header" "$header" >one.c
	ran="C99 with joulemap/$header"
	checks=$((checks + 1))
	"${CC:-cc}" -std=c99 -Wall -Wextra -pedantic -Werror -I "$JM_SOURCE/include" \
		-fsyntax-only one.c >out 2>err || complain "does not compile"
	ran="C++ with joulemap/$header"
	checks=$((checks + 1))
	"${CXX:-c++}" -x c++ -std=c++11 -Wall -Wextra -pedantic -Werror -I "$JM_SOURCE/include" \
		-fsyntax-only one.c >out 2>err || complain "does not compile"
	ran="includes of joulemap/$header"
	checks=$((checks + 1))
	! grep -E '^ *# *include' "$path" |
		grep -vE '<std(def|int)\.h>|"joulemap/[a-z]+\.h"' >out || complain "needs more"
	checks=$((checks + 1))
	! grep -nE '_SOURCE|json_t|pthread' "$path" >out || complain "shows what is internal"
done

# A plug-in may be written in C++.
cat >plugin.cpp <<'END'
#include <joulemap/plugin.h>
static const jm_plugin plugin = {
	JM_PLUGIN_ABI, sizeof(jm_plugin), "empty", "1", nullptr, 0, nullptr, 0};
const jm_plugin *joulemap_plugin() { return &plugin; }
END
ran="a plug-in in C++"
checks=$((checks + 1))
"${CXX:-c++}" -std=c++11 -Wall -Wextra -pedantic -Werror -fvisibility=hidden -fPIC -shared \
	-I "$JM_SOURCE/include" plugin.cpp -o plugin.so >out 2>err || complain "does not compile"
checks=$((checks + 1))
nm -D --defined-only plugin.so | grep -q ' T joulemap_plugin$' || complain "exports no joulemap_plugin"
finish
