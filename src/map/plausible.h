/* SPDX-License-Identifier: Apache-2.0 */
/* Sources of a run against each other: which of them cannot be of one run. */
#ifndef JM_MAP_PLAUSIBLE_H
#define JM_MAP_PLAUSIBLE_H

#include "map/recording.h"

/*
 * Compares durations with stamps, power with idle power. What only looks odd is
 * noted; where nothing can be attributed, recording->implausible says why.
 */
void jm_recording_compare_sources(
	struct jm_recording *recording, const struct jm_progress *progress);

#endif
