/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the files of a run to power by layer and cycle: reads them, runs the
 * chosen method, writes power_runtime_mapping_layerwise.csv.
 */
#ifndef JM_MAP_MAP_H
#define JM_MAP_MAP_H

#include "attribute/summary.h"
#include "base/file.h"

enum jm_map_method { JM_MAP_FIT = 0, JM_MAP_WINDOW = 1 };

struct jm_map_config {
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
	const char *result_dir; /* NULL: into the run folder */
	enum jm_map_method method;
	int method_chosen;          /* 0: where a fit is not possible, the window method */
	enum jm_window_rules rules; /* of the window method */
	struct jm_fit_given given;  /* 0: find it; in ms */
	int given_response;         /* `given` counts */
	const struct jm_progress *progress; /* NULL: none; notes go there */
};

struct jm_map_result {
	struct jm_timeline timeline;
	struct jm_power_log log;
	struct jm_summary summary; /* borrows from timeline */
	struct jm_fit_result fit;  /* when fitted */
	int fitted;
	enum jm_stamp stamp;
	int stamp_certain;
	size_t rows;
	int simulated;
	double pause_max_ms; /* between cycles, as run.json tells it; 0: none known */
	char csv[JM_PATH_MAX];
	char energy_csv[JM_PATH_MAX]; /* "": none */
	char model[256];
	char engine[128];             /* "": not known */
	char sensor[2 * JM_NAME_MAX]; /* and its rail; "": not known */
};

/*
 * ret_result is released with jm_map_release, also after a failure.
 * JM_ETRUNCATED: the run was cut off and has to be recovered first.
 */
int jm_map_run(const struct jm_map_config *config, struct jm_map_result *ret_result,
	struct jm_error *reterr);

void jm_map_release(struct jm_map_result *result);

#endif
