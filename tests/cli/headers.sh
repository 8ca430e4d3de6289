#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The public headers stand alone, in C99 and in C++.
# shellcheck source=tests/cli/LIB.bash
. "$(dirname "$0")/LIB.bash"
status=0
for header in joulemap sensor engine; do
	echo "#include \"joulemap/$header.h\"" >one.c
	ran="C99 with joulemap/$header.h"
	checks=$((checks + 1))
	"${CC:-cc}" -std=c99 -Wall -Wextra -pedantic -Werror -I "$JM_SOURCE/include" \
		-fsyntax-only one.c >out 2>err || complain "does not compile"
	ran="C++ with joulemap/$header.h"
	checks=$((checks + 1))
	"${CXX:-c++}" -x c++ -std=c++11 -Wall -Wextra -pedantic -Werror -I "$JM_SOURCE/include" \
		-fsyntax-only one.c >out 2>err || complain "does not compile"
done
finish
