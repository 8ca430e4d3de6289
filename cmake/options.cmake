# SPDX-License-Identifier: Apache-2.0
option(JM_WITH_TESTS "build the tests (needs cmocka)" ON)
option(JM_WITH_FUZZERS "build the libFuzzer targets (needs clang)" OFF)
option(JM_WITH_BENCHMARKS "build the benchmarks" ON)
option(JM_WERROR "warnings are errors" OFF)
set(JM_SANITIZE "" CACHE STRING "sanitizers for every target, as in -fsanitize=")

if(JM_SANITIZE)
	add_compile_options(-fsanitize=${JM_SANITIZE} -fno-omit-frame-pointer
		-fno-sanitize-recover=all)
	add_link_options(-fsanitize=${JM_SANITIZE})
endif()
if(JM_WITH_FUZZERS)
	# Coverage of the whole library is what leads a fuzzer on.
	add_compile_options(-fsanitize=fuzzer-no-link)
	add_link_options(-fsanitize=fuzzer-no-link)
endif()
