/* SPDX-License-Identifier: Apache-2.0 */
/* The values of simulated sensors, computed from what really happened. */
#ifndef JM_MEASURE_COMPLETE_H
#define JM_MEASURE_COMPLETE_H

#include "run/session_load.h"

/*
 * Fills in the values of every simulated sensor of a run. The truth behind the
 * first of them is written to truth.json in `folder`, of the n-th to
 * truth_n.json; NULL: nowhere. JM_EUNSUPPORTED: a sensor that this program does
 * not have.
 */
int jm_complete_simulated(
	struct jm_session_data *data, const char *folder, struct jm_error *reterr);

#endif
