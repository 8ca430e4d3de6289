/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run opened from disk: ours, or a folder of the original scripts. What
 * joulemap/joulemap.h hands out as an opaque struct jm_recording.
 */
#ifndef JM_MAP_RECORDING_H
#define JM_MAP_RECORDING_H

#include "base/file.h"
#include "data/clock_change.h"
#include "map/mending.h"
#include "run/fit_file.h"
#include "run/run.h"
#include "run/run_folder.h"

struct jm_recording {
	struct jm_run_folder files;
	struct jm_run run;           /* nothing known without a run.json */
	struct jm_timeline timeline; /* by inference, a layer for each of its places */
	/*
	 * Where that is not what the file of latencies holds: its own lists, with the
	 * inference of each entry, for the window method. No layers: it is the same.
	 */
	struct jm_timeline as_read;
	size_t *origin; /* [timeline.n_layers], owned; layer of as_read; NULL: the same */
	struct jm_error unformed; /* why inferences cannot be told apart; code 0: they can */
	struct jm_error
		implausible;     /* why its sources cannot be of one run; code 0: they can */
	struct jm_power_log log; /* the file in the original's format, one rail */
	struct jm_power_log log_as_read; /* before it was mended; no rails: it was not */
	struct jm_mending mending;
	struct jm_clock_steps steps; /* back, of the clock of the power log */
	struct jm_lone_step lone_step;
	double idle_uw; /* NaN: not known, nothing is subtracted */
	int simulated;
	int own_timeline;  /* 1: of timeline.jmt; 0: of the latency file */
	int idle_of_file;  /* 1: idle power came from its file, not from run.json */
	int own_power_log; /* 1: the folder's, so that its readings may be used instead */
	char model[256];
	char engine[2 * JM_NAME_MAX + 2]; /* "onnxruntime 1.30.0"; "": not known */
	char sensor[2 * JM_NAME_MAX];     /* and its rail; "": not known */
};

/* What a run is opened from. */
struct jm_recording_paths {
	/* A run folder, or RESULT_DIR with one; NULL: the paths below. */
	const char *folder;
	/* Each NULL: the one found in the folder. */
	const char *power_log;
	const char *latency;
	const char *engine_info; /* NULL and none found: types are "Unknown" */
	/*
	 * NULL: what the run itself recorded, else what is in the folder or
	 * above it, if that is of the run's sensor. None: nothing is subtracted.
	 */
	const char *idle;
};

/*
 * Opens; what is worth knowing goes to progress->note. JM_ETRUNCATED: the run
 * was cut off and has to be recovered first. JM_EUNSUPPORTED: of a later version
 * of joulemap. *ret_recording is freed with jm_recording_close.
 */
int jm_recording_load(const struct jm_recording_paths *paths,
	const struct jm_progress *progress, struct jm_recording **ret_recording,
	struct jm_error *reterr);

/* Stores fits of a recording, the total's first, as fit.json in a folder. */
int jm_recording_store_fits(const struct jm_recording *recording,
	const struct jm_fit_of_rail *fits, size_t n, const char *folder,
	struct jm_error *reterr);

/* The power log before it was mended. */
const struct jm_power_log *jm_recording_log_as_read(const struct jm_recording *recording);

/* Why nothing can be attributed; NULL: it can. Borrowed. */
const struct jm_error *jm_recording_refusal(const struct jm_recording *recording);

/* The lists of the file of latencies, for whoever goes by them. */
const struct jm_timeline *jm_recording_lists(const struct jm_recording *recording);

#endif
