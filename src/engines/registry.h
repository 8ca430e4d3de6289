/* SPDX-License-Identifier: Apache-2.0 */
/* All inference engines, the preferred one first. */
#ifndef JM_ENGINES_REGISTRY_H
#define JM_ENGINES_REGISTRY_H

#include "joulemap/engine.h"

/* Of our own and added ones together. */
#define JM_ENGINES_MAX 32

/* [*ret_n], valid until the process ends. */
const struct jm_engine_ops *const *jm_engines(size_t *ret_n);

/* NULL: none of that name. */
const struct jm_engine_ops *jm_engine_find(const char *name);

/*
 * Adds one from outside, after those that are there; `ops` must live as long
 * as the process. Not from several threads at a time. JM_EINVAL: built against
 * another engine.h (abi, size), a required function or a name is missing, the
 * name is taken, or there are too many.
 */
int jm_engines_add(const struct jm_engine_ops *ops, struct jm_error *reterr);

/* Forgets those that were added after the first n; our own stay. */
void jm_engines_keep(size_t n);

#endif
