/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JM_MAP_RECORDING_LATENCIES_H
#define JM_MAP_RECORDING_LATENCIES_H

#include "map/recording.h"

/*
 * Reads the file of latencies of a recording whose run.json has been read (given: a
 * file that run.json tells nothing of), and forms its inferences; where that cannot
 * be done, recording->unformed says why. *ret_certain: the meaning of its stamps.
 */
int jm_recording_read_latencies(struct jm_recording *recording, int given,
	const struct jm_progress *progress, int *ret_certain, struct jm_error *reterr);

/*
 * What to do about a clock that was set back: of both logs, taken out; of one, once,
 * noted in recording->lone_step. JM_EFORMAT with the reason: neither. list_steps:
 * those of the timeline, NULL: its clock cannot be set.
 */
int jm_recording_settle_steps(struct jm_recording *recording,
	const struct jm_clock_steps *list_steps, const struct jm_progress *progress,
	struct jm_error *reterr);

/* What was read of layers of the file, for each of their places. */
int jm_recording_copy_types(struct jm_recording *recording, struct jm_error *reterr);

#endif
