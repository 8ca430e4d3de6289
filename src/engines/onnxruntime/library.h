/* SPDX-License-Identifier: Apache-2.0 */
/* Finding and loading libonnxruntime, and our module that it loads. */
#ifndef JM_ENGINES_ONNXRUNTIME_LIBRARY_H
#define JM_ENGINES_ONNXRUNTIME_LIBRARY_H

#include "base/file.h"
#include "engines/onnxruntime/api.h"
#include "joulemap/joulemap.h"

/*
 * Loads the runtime from `wanted` (a file or a folder; NULL: search). Looks at
 * `wanted`, $JOULEMAP_ORT_LIBRARY, the system's libonnxruntime.so.1, the
 * installed copy, the copy of `make deps`, beside the executable, and where
 * `pip install onnxruntime` puts it. JM_ENOTFOUND, JM_EUNSUPPORTED (too old).
 */
int jm_ort_library_open(struct jm_ort *ort, const char *wanted, struct jm_error *reterr);

/*
 * The library in the package onnxruntime of the python3 on PATH, which is asked for
 * it (and does not load it). 0: there is none, or the program runs with more rights
 * than its user has.
 */
int jm_ort_library_find_in_python(char ret_path[JM_PATH_MAX]);

/* Accepts a zeroed or closed one. */
void jm_ort_library_close(struct jm_ort *ort);

/*
 * Path of joulemap_ort.so: $JOULEMAP_LIB_DIR, the executable's folder, the
 * folder above it, ../lib/joulemap, joulemap/ beside libjoulemap.so, the build
 * folder, the installed place. JM_ENOTFOUND.
 */
int jm_ort_module_find(char ret_path[JM_PATH_MAX], struct jm_error *reterr);

#endif
