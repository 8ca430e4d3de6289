/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The places of an inference at which layers stand: a name that comes at several
 * of them is of several layers. What is repeated in place is one.
 */
#ifndef JM_DATA_PLACES_H
#define JM_DATA_PLACES_H

#include <stddef.h>
#include <stdint.h>

struct jm_place {
	uint32_t layer;   /* of the file */
	uint32_t ordinal; /* among the places of that layer */
	size_t n;         /* executions there */
};

struct jm_places {
	struct jm_place *place; /* [n], owned; in the order of the inference */
	size_t n;
	uint32_t *of; /* [executions], owned; place of each */
};

/* Executions in order of time; begin[i] where an inference begins. JM_ENOMEM. */
int jm_places_find(struct jm_places *places, const uint32_t *layers, const unsigned char *begin,
	size_t n, size_t n_layers);
void jm_places_release(struct jm_places *places);

#endif
