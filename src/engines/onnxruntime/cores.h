/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JM_ENGINES_ONNXRUNTIME_CORES_H
#define JM_ENGINES_ONNXRUNTIME_CORES_H

/*
 * Physical cores that this process may use: processors of its affinity mask
 * that share no core with one before them. At least 1.
 */
int jm_physical_cores(void);

#endif
