#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The man page says what the command's help says.
# shellcheck source=tests/cli/LIB.bash
. "$(dirname "$0")/LIB.bash"
ran="tools/make_man.py"
status=0
: >err
python3 "$JM_SOURCE/tools/make_man.py" "$JOULEMAP" >out
checks=1
cmp -s out "$JM_SOURCE/man/joulemap.1" ||
	complain "man/joulemap.1 is old: tools/make_man.py build/joulemap > man/joulemap.1"
finish
