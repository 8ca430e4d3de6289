/* SPDX-License-Identifier: Apache-2.0 */
/* The network to measure: one of the catalogue, or an .onnx file. */
#ifndef JM_WORKLOAD_MODEL_H
#define JM_WORKLOAD_MODEL_H

#include "base/file.h"
#include "catalog/catalog.h"
#include "joulemap/engine.h"

struct jm_model_source {
	char name[JM_NAME_MAX];   /* of the run folder: letters, digits, '_', '-', '.' */
	char path[JM_PATH_MAX];   /* of the file, the catalogue's too */
	char sha256[65];          /* of that file */
	char folder[JM_PATH_MAX]; /* of the catalogue; "": an .onnx file */
};

/*
 * Finds the network: a path when the text ends with ".onnx" or holds a '/',
 * else a name of the catalogue. JM_ENOTFOUND names what comes close.
 */
int jm_model_find(
	const char *text, struct jm_model_source *ret_source, struct jm_error *reterr);

/* The path's last part without ".onnx"; what a folder could trip over becomes '_'. */
void jm_model_name(const char *path, char ret_name[JM_NAME_MAX]);

/* A model as engines take it. */
struct jm_model_data {
	struct jm_model model;             /* borrows from this struct and its source */
	struct jm_catalog_network network; /* empty for an .onnx file */
};

/* Loads it, with random weights by `seed`. Released with jm_model_release. */
int jm_model_load(const struct jm_model_source *source, uint64_t seed,
	struct jm_model_data *ret_data, struct jm_error *reterr);

/* Accepts a zeroed or released one. */
void jm_model_release(struct jm_model_data *data);

#endif
