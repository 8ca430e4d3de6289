/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main job: idle, then network and power logger side by side, then the
 * run folder. Mapping (map/map.h) follows on what is then on disk.
 */
#ifndef JM_MEASURE_MEASURE_H
#define JM_MEASURE_MEASURE_H

#include "base/file.h"
#include "joulemap/engine.h"

struct jm_measure_config {
	const char *model; /* catalogue name or .onnx file; with a command its run's name */
	/*
	 * A program that reports its layers itself, argv, ends with NULL; NULL: a
	 * network. With it nothing that is an engine's is looked at.
	 */
	char *const *command;
	double ready_s; /* of a command, until it is ready; 0: for ever */
	const char *result_dir;
	const char *sensor;                /* as given to jm_sensor_set_select; NULL: best */
	const char *engine;                /* NULL: best */
	const char *const *engine_options; /* [n_engine_options], "NAME=VALUE" */
	size_t n_engine_options;
	const char *dtype; /* NULL: the model's */
	int64_t input_shape[JM_SHAPE_MAX];
	size_t n_input_shape;
	int optimization_level; /* -1: default */
	int threads;
	uint32_t runs;
	uint32_t warmup;
	double idle_s;    /* 0: only use an idle power that is there */
	int idle_again;   /* measure idle power though one is there */
	double rate_hz;   /* 0: the sensor's own */
	double jitter_ms; /* longest pause between cycles; 0: none; NaN: chosen */
	uint64_t seed;
	const struct jm_progress *progress; /* NULL: none */
};

struct jm_measure_result {
	char run_folder[JM_PATH_MAX];
	uint32_t cycles;
	int interrupted; /* the user ended it; what was measured is there */
	int simulated;
};

/*
 * On failure with cycles > 0 in the result the run folder holds what had been
 * measured until then, complete and mappable.
 */
int jm_measure_run(const struct jm_measure_config *config, struct jm_measure_result *ret_result,
	struct jm_error *reterr);

#endif
