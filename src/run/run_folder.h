/* SPDX-License-Identifier: Apache-2.0 */
/* Where the files of a run are. */
#ifndef JM_RUN_RUN_FOLDER_H
#define JM_RUN_RUN_FOLDER_H

#include "base/file.h"
#include "joulemap/joulemap.h"

/* Names inside a run folder. */
#define JM_RUN_LATENCY_NAME "trt_profiling/trt_layer_latency.json"
#define JM_RUN_TIMELINE_NAME "timeline.jmt"
#define JM_RUN_ENGINE_INFO_NAME "trt_profiling/trt_engine_info.json"
#define JM_RUN_JSON_NAME "run.json"
#define JM_RUN_READINGS_NAME "readings.csv"
#define JM_RUN_MAPPING_NAME "power_runtime_mapping_layerwise.csv"
#define JM_RUN_SESSION_NAME "spool/session.json" /* of a run that was cut off */
#define JM_IDLE_JSON_NAME "idling_power.json"

enum jm_run_part {
	JM_RUN_POWER_LOG,
	JM_RUN_LATENCY,
	JM_RUN_ENGINE_INFO,
	JM_RUN_IDLE,
	JM_RUN_BENCHMARK,
	JM_RUN_JSON,
	JM_RUN_READINGS,
	JM_RUN_TIMELINE,
	JM_RUN_N_PARTS
};

/* What was found; an empty path was not. Large: keep it off small stacks. */
struct jm_run_folder {
	char folder[JM_PATH_MAX];     /* RESULT_DIR/model, or "" when all are given */
	char result_dir[JM_PATH_MAX]; /* its parent */
	char model[256];              /* as run.json has it, else the folder's name */
	char path[JM_RUN_N_PARTS][JM_PATH_MAX];
	size_t n_power_logs; /* found in the folder: above 1, the newest was taken */
	size_t n_idle_logs;  /* the same for idle power logs, used without a json */
};

/*
 * Finds the parts of a run in `path`: a run folder, or a folder that holds
 * exactly one. Parts whose path is set already are left alone, so that options
 * can come first. A run.json that cannot be read is none here. JM_ENOTFOUND says
 * what was looked for, JM_EFORMAT which runs there are.
 */
int jm_run_folder_find(struct jm_run_folder *run, const char *path, struct jm_error *reterr);

/* 0 when the part was found; otherwise an error that says where it should be. */
int jm_run_folder_need(
	const struct jm_run_folder *run, enum jm_run_part part, struct jm_error *reterr);

#endif
