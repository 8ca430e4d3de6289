/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session that profiles itself into a file. The file has no name from the
 * moment it exists, so that nothing stays behind whatever happens.
 */
#ifndef JM_ENGINES_ONNXRUNTIME_PROFILED_H
#define JM_ENGINES_ONNXRUNTIME_PROFILED_H

#include "engines/onnxruntime/clock.h"
#include "engines/onnxruntime/profile.h"
#include "engines/onnxruntime/session.h"

/* What has to be added to wall-clock time to be on the caller's clock. */
struct jm_ort_clock_offset {
	int64_t realtime_ns, offset_ns;
};

struct jm_ort_profiled {
	struct jm_ort_session session;
	int profiling; /* the session still profiles, and fd is open */
	int fd;
	struct jm_ort_clock clock;
	struct jm_ort_clock_offset opened;
};

/* Opens a session that profiles all its runs. Released on failure. */
int jm_ort_profiled_open(struct jm_ort_profiled *profiled,
	const struct jm_ort_session_setup *setup, struct jm_ort_clock clock,
	struct jm_error *reterr);

/* Like a run of jm_ort_profile_read, with times in ns on the caller's clock. */
struct jm_ort_profiled_reader {
	size_t n_described;
	int (*run)(void *context, size_t run, const struct jm_ort_profile_node *nodes,
		const int64_t (*spans_ns)[2], size_t n, struct jm_error *reterr);
	void *context;
};

/*
 * Ends profiling and hands out the runs. The session lives on and profiles no
 * more. *ret_n_events: of the profile. Does nothing when it has ended already.
 */
int jm_ort_profiled_finish(struct jm_ort_profiled *profiled,
	const struct jm_ort_profiled_reader *reader, size_t *ret_n_events,
	struct jm_error *reterr);

/* Accepts a zeroed one. */
void jm_ort_profiled_close(struct jm_ort_profiled *profiled);

#endif
