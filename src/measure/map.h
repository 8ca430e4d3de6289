/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the files of a run to power by layer and cycle: reads them, runs the
 * chosen method, writes power_runtime_mapping_layerwise.csv.
 */
#ifndef JM_MEASURE_MAP_H
#define JM_MEASURE_MAP_H

#include "base/file.h"
#include "measure/progress.h"
#include "report/summary.h"
#include "report/table.h"

struct jm_map_config {
	/* A run folder, or RESULT_DIR with one; NULL: the paths below. */
	const char *folder;
	/* Each NULL: the one found in the folder. */
	const char *power_log;
	const char *latency;
	const char *engine_info; /* NULL and none found: types are "Unknown" */
	const char *idle;        /* NULL and none found: nothing is subtracted */
	const char *result_dir;  /* NULL: into the run folder */
	enum jm_window_rules rules;
	const struct jm_progress *progress; /* NULL: none; notes go there */
};

struct jm_map_result {
	struct jm_timeline timeline;
	struct jm_power_log log;
	struct jm_summary summary; /* borrows from timeline */
	enum jm_stamp stamp;
	int stamp_certain;
	size_t rows;
	int simulated;
	char csv[JM_PATH_MAX];
	char model[JM_NAME_MAX];
	char engine[128]; /* "": not known */
	char sensor[128]; /* "": not known */
};

/* ret_result is released with jm_map_release, also after a failure. */
int jm_map_run(const struct jm_map_config *config, struct jm_map_result *ret_result,
	struct jm_error *reterr);

void jm_map_release(struct jm_map_result *result);

/* What stands above the result's table; borrows from it. */
void jm_map_get_header(const struct jm_map_result *result, enum jm_window_rules rules,
	struct jm_table_header *ret_header);

#endif
