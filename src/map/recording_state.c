/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a recording's sources when it was opened. */
#include "map/recording.h"

const struct jm_timeline *jm_recording_lists(const struct jm_recording *recording)
{
	return recording->as_read.n_layers ? &recording->as_read : &recording->timeline;
}

const struct jm_power_log *jm_recording_log_as_read(const struct jm_recording *recording)
{
	return recording->log_as_read.n_rails ? &recording->log_as_read : &recording->log;
}

const struct jm_error *jm_recording_refusal(const struct jm_recording *recording)
{
	if (recording->unformed.code)
		return &recording->unformed;
	return recording->implausible.code ? &recording->implausible : NULL;
}
