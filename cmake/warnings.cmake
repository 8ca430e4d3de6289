# SPDX-License-Identifier: Apache-2.0
set(JM_WARNINGS -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow
	-Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wdouble-promotion
	-Wnull-dereference)
if(JM_WERROR)
	list(APPEND JM_WARNINGS -Werror)
endif()
