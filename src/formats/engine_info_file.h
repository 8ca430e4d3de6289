/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trt_engine_info.json: {"Layers": [{"Name", "LayerType", "Inputs", "Outputs",
 * ...}], "Bindings": [...]}, as TensorRT's engine inspector writes it; with
 * "MACs", "Parameters" and "BytesMoved" where joulemap wrote it.
 */
#ifndef JM_FORMATS_ENGINE_INFO_FILE_H
#define JM_FORMATS_ENGINE_INFO_FILE_H

#include <stddef.h>

#include "joulemap/engine.h"
#include "joulemap/joulemap.h"

/*
 * Fills in types (and macs, parameters, bytes where given) of the timeline's
 * layers by name. Layers that only the file has are ignored; of those that
 * only the timeline has, *ret_unknown (may be NULL) says how many, also after
 * a failure: they stay as they are. Layers given as plain names have no type.
 * What nobody needs may be anything (engine_info_scan.h); of a damaged file the
 * layers before the damage are filled in, then it is JM_EFORMAT.
 */
int jm_engine_info_read(const char *path, struct jm_timeline *timeline, size_t *ret_unknown,
	struct jm_error *reterr);

/* The same from text; `name` is for messages. */
int jm_engine_info_apply(const char *name, const char *text, size_t size,
	struct jm_timeline *timeline, size_t *ret_unknown, struct jm_error *reterr);

/* Adds all layers of the text to a timeline, in order, without executions. */
int jm_engine_info_add_layers(const char *name, const char *text, size_t size,
	struct jm_timeline *timeline, struct jm_error *reterr);

/*
 * JSON text of a graph, freed with free(); NULL after a failure. Dimensions
 * and attributes have 2 or 4 entries, as the original's scripts want them:
 * 1 and 3 are filled up with 1 (padding with 0), more than 4 are folded into
 * the last one, and the true ones are given as "Shape".
 */
char *jm_engine_info_format(const struct jm_graph *graph, struct jm_error *reterr);

/* Writes that text to a file. */
int jm_engine_info_write(
	const char *path, const struct jm_graph *graph, struct jm_error *reterr);

#endif
