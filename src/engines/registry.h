/* SPDX-License-Identifier: Apache-2.0 */
/* All inference engines, the preferred one first. */
#ifndef JM_ENGINES_REGISTRY_H
#define JM_ENGINES_REGISTRY_H

#include "joulemap/engine.h"

/* Static storage: [*ret_n]. */
const struct jm_engine_ops *const *jm_engines(size_t *ret_n);

/* NULL: none of that name. */
const struct jm_engine_ops *jm_engine_find(const char *name);

#endif
