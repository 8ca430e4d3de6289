/* SPDX-License-Identifier: Apache-2.0 */
/* Networks in ONNX format, run by ONNX Runtime. */
#ifndef JM_ENGINES_ONNXRUNTIME_ONNXRUNTIME_H
#define JM_ENGINES_ONNXRUNTIME_ONNXRUNTIME_H

#include "joulemap/engine.h"

extern const struct jm_engine_ops jm_engine_onnxruntime;

#endif
