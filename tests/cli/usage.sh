#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Help, and everything that can be wrong about arguments.
# shellcheck source=tests/cli/LIB.bash
. "$(dirname "$0")/LIB.bash"

run version
expect_status 0
expect_out_like '^joulemap [0-9]+\.[0-9]+\.[0-9]+$'
run --version
expect_status 0
for words in "" help --help -h; do
	# shellcheck disable=SC2086
	run $words
	expect_status 0
	expect_out_like '^usage: joulemap COMMAND'
	expect_err ""
done
for command in measure idle calibrate map recover sensors doctor catalog simulate; do
	run help $command
	expect_status 0
	expect_out_like "^usage: joulemap $command"
	expect_out_like '^examples:'
	run $command --help
	expect_status 0
	expect_out_like "^usage: joulemap $command"
done

run help version
expect_status 0
expect_out_like '^usage: joulemap version$'
run help help
expect_status 0
expect_out_like '^usage: joulemap help'
for words in help "help map" --help version "map --help" "recover --help" catalog; do
	status=0
	# shellcheck disable=SC2086
	"$JOULEMAP" $words >/dev/full 2>err || status=$?
	: >out
	ran="joulemap $words >/dev/full"
	expect_error 1 "cannot write the output: No space left on device"
done
run version foo
expect_error 2 "unexpected argument 'foo', see 'joulemap help'"
run help map foo
expect_error 2 "unexpected argument 'foo', see 'joulemap help'"
run $'\x1b[2J'
expect_error 2 "unknown command '?[2J', see 'joulemap help'"
run sensors --sensor sim --interval 1
expect_error 2 "--interval needs --watch"

run meassure
expect_error 2 "unknown command 'meassure', did you mean 'measure'?"
run frobnicate
expect_error 2 "unknown command 'frobnicate', see 'joulemap help'"
run help frobnicate
expect_error 2 "unknown command 'frobnicate', see 'joulemap help'"
run measure --rums 5
expect_error 2 "unknown option '--rums', did you mean '--runs'?"
run measure --completely-else
expect_error 2 "unknown option '--completely-else', see 'joulemap measure --help'"
run measure -x
expect_error 2 "unknown option '-x', options begin with '--'"
run measure --runs
expect_error 2 "--runs needs a value: --runs N"
run measure --runs many
expect_error 2 "--runs needs a whole number, got 'many'"
run measure --runs -5
expect_error 2 "--runs must be 1 to 100000000, got '-5'"
run measure --runs 99999999999999999999
expect_error 2 "--runs must be 1 to 100000000, got '99999999999999999999'"
run measure --runs 0
expect_error 2 "--runs must be 1 to 100000000, got '0'"
run measure --warmup 1.5
expect_error 2 "--warmup needs a whole number, got '1.5'"
run measure --rate nan
expect_error 2 "--rate needs a number, got 'nan'"
run measure --idle-duration -1
expect_error 2 "--idle-duration must be 0 to 86400, got '-1'"
run measure --input-shape 1 3 0 224
expect_error 2 "--input-shape needs positive dimensions such as 1 3 224 224, got '0'"
run measure --input-shape 1x3x224y224
expect_error 2 "--input-shape needs dimensions such as 1 3 224 224, got '1x3x224y224'"
run measure --input-shape 1 1 1 1 1 1 1 1 1
expect_error 2 "--input-shape takes at most 8 dimensions"
run measure --dtype int3
expect_error 2 "--dtype must be one of float32, float16, bfloat16, got 'int3'"
run measure --optimization-level 6
expect_error 2 "--optimization-level must be 0 to 5, got '6'"
run measure --idle-again=1
expect_error 2 "--idle-again takes no value"
run measure --model ""
expect_error 2 "--model needs a value that is not empty"
run measure --engine-help onnxruntime
expect_status 0
expect_out_like '^engine onnxruntime: '
expect_out_like '^  library=FILE '
expect_out_like '^  tracing=auto\|markers\|callbacks\|profile'
run measure --engine-help onnxruntim
expect_error 2 "there is no engine 'onnxruntim'; there are: onnxruntime"
run measure --sensor sim --engine-option spining=1
expect_error 2 "engine 'onnxruntime' has no option 'spining', did you mean 'spinning'?"
run measure --sensor sim --engine onnxruntime --engine-option spinning
expect_error 2 "option 'spinning' of engine 'onnxruntime' needs a value: spinning=0|1"
run measure --sensor sim --engine-option spinning=1 --engine-option spinning=0
expect_error 2 "option 'spinning' of engine 'onnxruntime' is given twice"
run measure --sensor sim --engine-option library=a.so --ort-library b.so
expect_error 2 "option 'library' of engine 'onnxruntime' is given twice"
run measure --sensor sim --engine-option ""
expect_error 2 "--engine-option needs a value that is not empty"
run measure extra
expect_error 2 "unexpected argument 'extra', see 'joulemap measure --help'"
run map
expect_error 2 "map needs a run folder, or --power-log-path and --trt-layer-latency-path"
run map --method fitted-by-hand x
expect_error 2 "--method must be one of fit, window, got 'fitted-by-hand'"
run recover
expect_error 2 "recover needs a run folder: joulemap recover results/mobilenet_v2"
run recover nowhere
expect_error 1 "there is no run folder 'nowhere'"
mkdir empty
run recover empty
expect_error 1 "'empty' holds no run that was cut off, nothing to recover"

run catalog --format csv
expect_status 0
expect_out_like '^mobilenet_v2,3504872,[0-9]+,1x3x224x224$'
run catalog --catalog-dir nowhere
expect_status 1

finish
