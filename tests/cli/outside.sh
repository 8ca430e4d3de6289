#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A program outside of the tree: joulemap is installed, moved to another place,
# found there by CMake and by pkg-config, and used with a sensor of the program's own.
# shellcheck source=tests/cli/LIB.bash
. "$(dirname "$0")/LIB.bash"
unset JOULEMAP_SYSFS_ROOT JOULEMAP_CATALOG_DIR JOULEMAP_LIB_DIR
export JOULEMAP_CALIBRATION=$PWD/calibration.json
compiler=${JM_COMPILER:-cc}
read -r -a flags <<<"${JM_SANITIZER_FLAGS:-}"
# ONNX Runtime's threads were built without ThreadSanitizer, which cannot see their locks.
echo "race:libonnxruntime" >suppressions
export TSAN_OPTIONS="suppressions=$PWD/suppressions ${TSAN_OPTIONS:-}"

# try WHAT COMMAND...: runs it; its failure is one of the test.
try() {
	ran=$1
	shift
	checks=$((checks + 1))
	status=0
	"$@" >out 2>err </dev/null || status=$?
	[ "$status" = 0 ] || complain "$*"
}

try "cmake --install" cmake --install "$JM_BUILD" --prefix "$folder/first"
mv first moved
cp -r "$JM_SOURCE/examples/outside" source
plugin_flags=(-std=c99 -Wall -Wextra -Werror -fPIC -shared "${flags[@]}")

# ---- With CMake, by both spellings of the name
try "cmake with find_package" cmake -S source -B with-cmake -DCMAKE_C_COMPILER="$compiler" \
	-DCMAKE_C_FLAGS="${flags[*]}" -DCMAKE_PREFIX_PATH="$folder/moved"
try "cmake --build" cmake --build with-cmake
sed 's/find_package(joulemap/find_package(Joulemap/' source/CMakeLists.txt >CMakeLists.txt
cp CMakeLists.txt source/
try "cmake with a capital letter" cmake -S source -B capital \
	-DCMAKE_C_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$folder/moved"
sed -i 's/joulemap 0.1 REQUIRED/joulemap 9 REQUIRED/I' source/CMakeLists.txt
ran="cmake with a version that is not there"
checks=$((checks + 1))
! cmake -S source -B later -DCMAKE_C_COMPILER="$compiler" \
	-DCMAKE_PREFIX_PATH="$folder/moved" >out 2>err || complain "expected a failure"
expect_err_like 'version "9"'

# ---- With pkg-config; the program needs nothing but the library, the plug-in not even that
PKG_CONFIG_PATH=$(dirname "$(find moved -name joulemap.pc)")
export PKG_CONFIG_PATH
checks=$((checks + 1))
pkg-config --print-requires joulemap >out 2>err || complain "no joulemap.pc"
read -r -a includes < <(pkg-config --cflags joulemap)
read -r -a libraries < <(pkg-config --libs joulemap)
library_folder=$(realpath "$(pkg-config --variable=libdir joulemap)")
[[ $library_folder = $(realpath moved)/* ]] || complain "$library_folder is not the moved one"
mkdir with-pkg-config
try "cc with pkg-config" "$compiler" -std=c99 -Wall -Wextra -Werror "${flags[@]}" \
	source/program.c "${includes[@]}" "${libraries[@]}" "-Wl,-rpath,$library_folder" \
	-o with-pkg-config/outside
try "cc of a plug-in" "$compiler" "${plugin_flags[@]}" source/steps.c "${includes[@]}" \
	-o with-pkg-config/steps.so
ran="nm of a plug-in"
checks=$((checks + 1))
! nm -D --undefined-only with-cmake/steps.so | grep ' jm_' >out || complain "it needs joulemap"

# ---- What they do: a run with the plug-in's sensor, and a folder of the scripts
for way in with-cmake with-pkg-config; do
	try "$way: a run" "$way/outside" "$way/steps.so" steps lenet 3000 "$way/results"
	expect_out_like '^lenet: [0-9]+ layers, [0-9]+ resolved, [0-9.]+ mJ a cycle$'
	expect_file $way/results/lenet/run.json
	grep -q '"steps' $way/results/lenet/run.json || complain "run.json does not name the sensor"
	try "$way: a folder" "$way/outside" "$way/results/lenet"
	expect_out_like '^lenet: '
done
ran="outside nowhere"
status=0
with-cmake/outside nowhere >out 2>err || status=$?
expect_status 1
expect_err_like "nowhere"
# The installed command finds the same things beside itself. 4: measured, but not resolved.
ran="the moved command"
status=0
moved/bin/joulemap measure --plugin with-cmake/steps.so --sensor steps --model lenet --runs 2000 \
	--idle-duration 0.2 >out 2>err || status=$?
expect_status "0|4"
expect_out_like 'sensor steps:0 all$'
finish
