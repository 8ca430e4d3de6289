/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layers of a trt_engine_info.json, one after the other. TensorRT and the
 * tools around it write more into that file than JSON allows: raw bytes in texts,
 * NaN, numbers without end, commas behind the last value. Only what is wanted is
 * looked at, so that what nobody needs may be anything; memory holds one layer.
 */
#ifndef JM_FORMATS_ENGINE_INFO_SCAN_H
#define JM_FORMATS_ENGINE_INFO_SCAN_H

#include <stddef.h>

#include "joulemap/joulemap.h"

/* One layer; texts are borrowed until the call returns. */
struct jm_engine_info_layer {
	const char *name;               /* NULL: it has none */
	const char *type;               /* NULL: not known */
	double macs, parameters, bytes; /* NaN: not known */
};

typedef int jm_engine_info_fn(
	void *context, const struct jm_engine_info_layer *layer, struct jm_error *reterr);

/*
 * Hands out every layer of the text. 0, the negative value that `layer` returned,
 * JM_ENOMEM; JM_EFORMAT names the line where the text is damaged, after the
 * layers before it were handed out, or says that there is no array "Layers".
 */
int jm_engine_info_scan(const char *name, const char *text, size_t size,
	jm_engine_info_fn *layer, void *context, struct jm_error *reterr);

#endif
