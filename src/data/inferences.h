/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files keyed by the names of layers hold one list for each name, in order of time.
 * The n-th entry of a list is of the n-th inference only where every layer has a
 * name of its own and runs once in each. Elsewhere inferences are formed from time.
 */
#ifndef JM_DATA_INFERENCES_H
#define JM_DATA_INFERENCES_H

#include "joulemap/joulemap.h"

struct jm_inferences {
	struct jm_timeline timeline; /* with cycles of its own where they are needed */
	size_t *origin;              /* [timeline.n_layers], owned; layer of the file */
	size_t n_cycles;
	size_t repeated;   /* layer of the file that runs most often in an inference */
	size_t n_repeated; /* layers of the file that run several times in one */
	size_t n_optional; /* that not every inference has */
	int stamp_certain; /* timeline.stamp is what the data tell */
};

/*
 * Forms inferences out of lists as they are in a file. 0: the n-th entry is of the
 * n-th inference, nothing else is done. 1: it is not; `as_read` then has cycles,
 * of which a layer may have several entries or none, and *ret has a layer of its
 * own for each place in the inference at which a name stands ("name", "name (2)").
 * JM_EUNSUPPORTED: it cannot be told, with the reason. JM_ENOMEM.
 * Released with jm_inferences_release, always.
 */
int jm_inferences_form(
	struct jm_timeline *as_read, struct jm_inferences *ret, struct jm_error *reterr);
void jm_inferences_release(struct jm_inferences *inferences);

#endif
