/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JM_MAP_RECORDING_TIMELINE_H
#define JM_MAP_RECORDING_TIMELINE_H

#include "map/recording.h"

/*
 * Reads timeline.jmt of a recording whose run.json has been read: stamps are
 * ends, on the civil axis. 1, or 0 where there is none, or none that can be put
 * in relation to the power log; or an error.
 */
int jm_recording_read_timeline(struct jm_recording *recording,
	const struct jm_progress *progress, struct jm_error *reterr);

#endif
