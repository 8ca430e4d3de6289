# SPDX-License-Identifier: Apache-2.0
# The front door. CMake does the work; see CONTRIBUTING.md for its options.
#
#   make           build the command and the library
#   make demo      set up this machine if needed, then measure a real network
#   make test      set up this machine if needed, then run all tests
#   make bench     speed and memory, as in docs/benchmarks.md
#   make markers   tracing of all networks, with other runtimes (about 20 minutes)
#   make compare   random runs against the rules of the original scripts (a minute)
#   make accuracy  errors on simulated runs, into docs/accuracy.md (about an hour)
#   make accuracy-traced  what tracers do to energies, likewise (about half an hour)
#   make install   to PREFIX (default /usr/local)

BUILD ?= build
PREFIX ?= /usr/local
GENERATOR := $(shell command -v ninja >/dev/null 2>&1 && echo Ninja || echo "Unix Makefiles")
CMAKE_FLAGS ?=

all: $(BUILD)/CMakeCache.txt
	cmake --build $(BUILD) --parallel

$(BUILD)/CMakeCache.txt:
	cmake -S . -B $(BUILD) -G "$(GENERATOR)" -DCMAKE_INSTALL_PREFIX=$(PREFIX) $(CMAKE_FLAGS)

# Debian packages and ONNX Runtime, whatever of them is missing.
deps:
	tools/install_packages.sh build test
	tools/fetch_onnxruntime.sh .deps/onnxruntime

demo: deps
	$(MAKE) all
	tools/demo.sh $(BUILD)

test: deps
	$(MAKE) all
	ctest --test-dir $(BUILD) --output-on-failure -j2

bench: deps
	$(MAKE) all
	bench/run.sh $(BUILD)

# What it takes is told by bench/accuracy.py --help; ACCURACY="--seeds 1 --resume".
ACCURACY ?=
accuracy: all
	bench/accuracy.py --joulemap $(BUILD)/joulemap --results $(BUILD)/accuracy.jsonl \
		--markdown docs/accuracy.md --svg docs/accuracy.svg $(ACCURACY)

# Times are measured here, power is simulated: bench/accuracy_traced.py --help.
accuracy-traced: deps
	$(MAKE) all
	bench/accuracy_traced.py --build $(BUILD) --markdown docs/accuracy.md $(ACCURACY)

# Markers of the tracing, at length: make markers; all networks of the catalogue, a
# model above 2 GB, and RUNTIMES="libonnxruntime.so.1.19.2 ...".
RUNTIMES ?=
markers: all
	tools/check_markers.sh networks $(BUILD)
	tools/check_markers.sh large $(BUILD)
	tools/check_markers.sh runtimes $(BUILD) $(RUNTIMES)

# tests/original/compare.py --help; COMPARE="--runs 5000".
COMPARE ?=
compare: all
	tests/original/compare.py --joulemap $(BUILD)/joulemap --runs 2000 $(COMPARE)

# Every check that CI makes, on this machine.
check:
	.ci/run

# The fuzzers at length: 10 minutes each instead of CI's seconds.
fuzz: deps
	tools/install_packages.sh check
	fuzz/run.sh 600

install: all
	cmake --install $(BUILD)

clean:
	rm -rf $(BUILD) build-*

.PHONY: all deps demo test bench accuracy accuracy-traced markers check fuzz install clean compare
