/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the files of a run to power by layer and cycle: reads them, runs the
 * chosen method, writes power_runtime_mapping_layerwise.csv.
 */
#ifndef JM_MAP_MAP_H
#define JM_MAP_MAP_H

#include "attribute/summary.h"
#include "base/file.h"
#include "map/rail_fits.h"
#include "map/recording.h"

enum jm_map_method { JM_MAP_FIT = 0, JM_MAP_WINDOW = 1 };

struct jm_map_config {
	struct jm_recording_paths paths;
	const char *result_dir; /* NULL: into the run folder */
	enum jm_map_method method;
	int method_chosen;          /* 0: where a fit is not possible, the window method */
	enum jm_window_rules rules; /* of the window method */
	struct jm_fit_given given;  /* 0: find it; in ms */
	int given_response;         /* `given` counts */
	const char *rail;           /* that has to be there, or "all"; NULL: only the total */
	const struct jm_progress *progress; /* NULL: none; notes go there */
};

struct jm_map_result {
	struct jm_recording *recording; /* owned */
	struct jm_summary summary;      /* borrows from the recording */
	struct jm_rail_fits rails;      /* when fitted: of the total, then of each rail */
	int fitted;
	size_t rows;
	char csv[JM_PATH_MAX];
	char energy_csv[JM_PATH_MAX];  /* "": none */
	char by_rail_csv[JM_PATH_MAX]; /* "": there is one rail, or none was fitted */
};

/*
 * ret_result is released with jm_map_release, also after a failure.
 * JM_ETRUNCATED: the run was cut off and has to be recovered first.
 */
int jm_map_run(const struct jm_map_config *config, struct jm_map_result *ret_result,
	struct jm_error *reterr);

void jm_map_release(struct jm_map_result *result);

#endif
