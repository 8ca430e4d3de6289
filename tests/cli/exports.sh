#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# libjoulemap.so exports what the public headers declare with JM_API, and nothing else.
# shellcheck source=tests/cli/LIB.bash
. "$(dirname "$0")/LIB.bash"
status=0
ran="nm -D libjoulemap.so"
checks=$((checks + 1))
# Of names with two underscores at their begin compilers and sanitizers are the owners.
nm -D --defined-only "$JM_BUILD/libjoulemap.so" | awk '$2 != "A" {print $3}' |
	grep -v '^__' | LC_ALL=C sort >exported
python3 - "$JM_SOURCE"/include/joulemap/*.h <<'END' | LC_ALL=C sort >declared
import re
import sys

for path in sys.argv[1:]:
    text = re.sub(r"/\*.*?\*/", "", open(path).read(), flags=re.DOTALL)
    for declaration in re.findall(r"^JM_API\b([^;]*);", text, flags=re.MULTILINE):
        print(re.search(r"(\w+)\s*\(", declaration).group(1))
END
[ -s declared ] || complain "no header declares anything"
diff declared exported >out 2>err || complain "declared (<) and exported (>) differ"
finish
