/* SPDX-License-Identifier: Apache-2.0 */
/* Whether two networks gave the same answer. */
#ifndef JM_ENGINES_ONNXRUNTIME_VALUES_H
#define JM_ENGINES_ONNXRUNTIME_VALUES_H

#include "engines/onnxruntime/api.h"
#include "joulemap/joulemap.h"

/*
 * 1 when both are the same, bit by bit: tensors of numbers and of strings, and
 * what is made of them; two optionals that hold nothing are the same. 0:
 * they differ, or cannot be looked at.
 */
int jm_ort_values_equal(const struct jm_ort *ort, struct OrtValue *a, struct OrtValue *b);

#endif
