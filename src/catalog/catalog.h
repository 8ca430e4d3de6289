/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogue: networks that come with joulemap, without their weights,
 * which are made up here. docs/catalog.md describes the files.
 */
#ifndef JM_CATALOG_CATALOG_H
#define JM_CATALOG_CATALOG_H

#include "base/file.h"
#include "joulemap/engine.h"

#define JM_CATALOG_SYMBOL_MAX 8

/* What is known of a network without loading it. */
struct jm_catalog_entry {
	char name[JM_NAME_MAX];
	char input[JM_NAME_MAX]; /* name of the only input, a float32 tensor */
	size_t n_dims;
	int64_t dims[JM_DIMS_MAX]; /* default shape, each at least 1 */
	/* Symbol of a dimension that may be another; "": it may not. */
	char symbols[JM_DIMS_MAX][JM_CATALOG_SYMBOL_MAX];
	uint64_t parameters; /* learnable */
	uint64_t macs;       /* multiply-accumulates at the default shape */
	uint64_t file_bytes;
};

enum jm_weight_kind {
	JM_WEIGHT_NORMAL = 1, /* a: mean, b: standard deviation */
	JM_WEIGHT_UNIFORM = 2 /* a: low, b: high */
};

/* `times` tensors of `count` float32 each. */
struct jm_catalog_weight {
	enum jm_weight_kind kind;
	float a, b;
	uint64_t count;
	uint32_t times;
};

struct jm_catalog_network {
	struct jm_catalog_entry entry;
	struct jm_catalog_weight *weights; /* [n_weights], owned */
	size_t n_weights;
	uint64_t weights_bytes;
	void *onnx; /* [n_onnx_bytes], owned */
	size_t n_onnx_bytes;
	float *values; /* [weights_bytes / 4], owned; NULL: none made yet */
};

/*
 * Finds the folder: `option` if not NULL, else $JOULEMAP_CATALOG_DIR, else
 * beside the installed program, else where it was to be installed; a program
 * that runs in its build tree uses the source tree. JM_ENOTFOUND.
 */
int jm_catalog_folder(const char *option, char ret_path[JM_PATH_MAX], struct jm_error *reterr);

/*
 * Lists a folder in the order of names. Returns the number of *ret_entries,
 * which is freed with free(). JM_ENOTFOUND, JM_EFORMAT, JM_ETRUNCATED, ...
 */
int jm_catalog_list(
	const char *folder, struct jm_catalog_entry **ret_entries, struct jm_error *reterr);

/*
 * Reads one network, without making weights. On failure the network is
 * empty. JM_ENOTFOUND (the message proposes similar names), JM_EFORMAT, ...
 */
int jm_catalog_open(struct jm_catalog_network *network, const char *folder, const char *name,
	struct jm_error *reterr);

/* Makes the weights; the same for the same seed on every machine. */
int jm_catalog_make_weights(
	struct jm_catalog_network *network, uint64_t seed, struct jm_error *reterr);

/* What engines take; borrows everything from the network until release. */
void jm_catalog_get_model(const struct jm_catalog_network *network, struct jm_model *ret_model);

/* Accepts a zeroed or half-built network. */
void jm_catalog_release(struct jm_catalog_network *network);

/* ---- Parts, for tests ---------------------------------------------------- */

/* Reads a whole file: gzip data, or what is inside. `path` is for messages. */
int jm_catalog_parse_gzip(struct jm_catalog_network *network, const char *path,
	const void *data, size_t size, struct jm_error *reterr);
int jm_catalog_parse(struct jm_catalog_network *network, const char *path, const char *data,
	size_t size, struct jm_error *reterr);

/* Fills ret_values[count] with stream number `stream` of a seed. */
void jm_weights_fill(const struct jm_catalog_weight *weight, uint64_t seed, uint64_t stream,
	float *ret_values);

/* Bytes that a tensor takes up in the buffer, its padding included. */
uint64_t jm_weights_padded_bytes(uint64_t count);

#endif
