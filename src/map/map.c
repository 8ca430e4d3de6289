/* SPDX-License-Identifier: Apache-2.0 */
#include "map/map.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/progress.h"
#include "base/text.h"
#include "formats/layer_energy_file.h"
#include "formats/mapping_csv.h"
#include "map/map_fit.h"
#include "map/recording.h"

/*
 * A log of few readings may begin or end this far from a run of its own, whose rows
 * then have no power; those of other runs and of other time zones are further away.
 */
#define APART_S 1.0

/* What one mapping holds on its way. */
struct mapping {
	const struct jm_map_config *config;
	struct jm_map_result *result;
	const struct jm_recording *recording;
	struct jm_mapping_writer writer;
	char folder[JM_PATH_MAX]; /* of what is written */
};

/* ---- Where to ------------------------------------------------------------------ */

static int choose_output(struct mapping *mapping, struct jm_error *reterr)
{
	const struct jm_map_config *config = mapping->config;
	int result = 0;

	if (!config->result_dir && mapping->recording->files.folder[0]) {
		jm_text_copy(mapping->folder, sizeof(mapping->folder),
			mapping->recording->files.folder);
	} else {
		result = jm_path_join(mapping->folder,
			config->result_dir ? config->result_dir : "results",
			mapping->recording->model, reterr);
		if (result == 0)
			result = jm_folder_make(mapping->folder, reterr);
	}
	return result < 0 ? result
			  : jm_path_join(mapping->result->csv, mapping->folder,
				    JM_RUN_MAPPING_NAME, reterr);
}

static int take_row(void *context, const struct jm_cycle_power *row)
{
	struct mapping *mapping = context;

	jm_summary_add(&mapping->result->summary, row);
	return jm_mapping_writer_row(&mapping->writer, row);
}

/* A row of the n-th entry of a list: the file counts those, the summary inferences. */
static int take_listed_row(void *context, const struct jm_cycle_power *row)
{
	struct mapping *mapping = context;
	const struct jm_mending *mending = &mapping->recording->mending;
	struct jm_cycle_power own = *row;

	own.cycle =
		jm_execution_cycle(&mapping->recording->as_read.layers[row->layer], row->cycle);
	if (mending->any)
		own.cycle = mending->number[own.cycle];
	if (own.cycle != SIZE_MAX)
		jm_summary_add(&mapping->result->summary, &own);
	return jm_mapping_writer_row(&mapping->writer, row);
}

/* What the layers of a run reach over at most, whatever its stamps mean. */
struct reach {
	double begin_s, end_s;
	size_t n;
};

static void widen(struct reach *reach, const struct jm_layer *layer)
{
	for (size_t j = 0; j < layer->n_executions; j++) {
		double stamp_s = (double)layer->executions[j].stamp_ns * 1e-9;
		double duration_s = layer->executions[j].duration_ms * 1e-3;

		reach->begin_s = fmin(reach->begin_s, stamp_s - duration_s);
		reach->end_s = fmax(reach->end_s, stamp_s + duration_s);
		reach->n++;
	}
}

/* A log and a run that have nothing to do with each other lie far apart. */
static int check_overlap(const struct mapping *mapping, struct jm_error *reterr)
{
	const struct jm_rail *rail = &jm_recording_log_as_read(mapping->recording)->rails[0];
	const struct jm_timeline *timeline = jm_recording_lists(mapping->recording);
	struct reach reach = {HUGE_VAL, -HUGE_VAL, 0};
	double log_begin, log_end;

	for (size_t i = 0; i < timeline->n_layers; i++)
		widen(&reach, &timeline->layers[i]);
	if (!rail->n_readings || !reach.n)
		return jm_fail(reterr, JM_ETRUNCATED, "there are no %s to map",
			rail->n_readings ? "layer executions" : "power readings");
	log_begin = (double)rail->readings[0].after_ns * 1e-9;
	log_end = (double)rail->readings[rail->n_readings - 1].after_ns * 1e-9;
	if (log_begin > reach.end_s + APART_S)
		return jm_fail(reterr, JM_EFORMAT,
			"the power log begins %.3f s after the last layer ended: logs of "
			"different runs or time zones?",
			log_begin - reach.end_s);
	if (reach.begin_s > log_end + APART_S)
		return jm_fail(reterr, JM_EFORMAT,
			"the power log ends %.3f s before the first layer began: logs of "
			"different runs or time zones?",
			reach.begin_s - log_end);
	return 0;
}

/* Fits where that is possible; a short run has only samples. */
static int fit_or_not(struct mapping *mapping, struct jm_error *reterr)
{
	const struct jm_map_config *config = mapping->config;
	struct jm_error error;
	int result = jm_rail_fits_make(mapping->recording,
		config->given_response ? &config->given : NULL, 1, config->progress,
		&mapping->result->rails, &error);

	if (result == 0 && config->rail && strcmp(config->rail, JM_RAIL_ALL) != 0 &&
		!jm_rail_fits_find(&mapping->result->rails, config->rail))
		result = jm_fail(&error, JM_ENOTFOUND,
			"no readings of rail '%.60s' were kept: there is only the power log",
			config->rail);
	mapping->result->fitted = result == 0;
	if (result < 0 && result != JM_ENOMEM && !config->method_chosen && !config->rail &&
		!jm_recording_refusal(mapping->recording)) {
		jm_note(config->progress, "no fit: %s; using the window method", error.message);
		return 0;
	}
	if (result < 0 && reterr)
		*reterr = error;
	return result;
}

/* What each rail draws, where there are several. */
static int write_by_rail(struct mapping *mapping, struct jm_error *reterr)
{
	struct jm_map_result *ret = mapping->result;
	int result = 0;

	if (ret->rails.n < 2)
		return 0;
	result = jm_path_join(
		ret->by_rail_csv, mapping->folder, JM_LAYER_ENERGY_BY_RAIL_NAME, reterr);
	return result < 0 ? result
			  : jm_rail_fits_write(ret->by_rail_csv, &ret->rails,
				    &mapping->recording->timeline, reterr);
}

/* Rows of the fit; beside them the tables of layers, and all that was found. */
static int write_fit(struct mapping *mapping, struct jm_error *reterr)
{
	const struct jm_recording *recording = mapping->recording;
	struct jm_map_result *ret = mapping->result;
	const struct jm_fit_result *fit = &ret->rails.fits[0].result;
	int result = jm_map_fit_rows(
		&recording->timeline, fit, recording->idle_uw, take_row, mapping);

	if (result == 0)
		result = jm_path_join(
			ret->energy_csv, mapping->folder, JM_LAYER_ENERGY_NAME, reterr);
	if (result == 0)
		result = jm_layer_energy_write(
			ret->energy_csv, &recording->timeline, fit, reterr);
	if (result == 0)
		result = write_by_rail(mapping, reterr);
	return result < 0 ? result
			  : jm_recording_store_fits(recording, ret->rails.fits, ret->rails.n,
				    mapping->folder, reterr);
}

/* Layers of a timeline, copied to be changed and freed; what they own is borrowed. */
static int borrow_layers(
	const struct jm_timeline *timeline, struct jm_timeline *ret, struct jm_error *reterr)
{
	*ret = *timeline;
	ret->layers = malloc((timeline->n_layers + 1) * sizeof(*ret->layers));
	if (!ret->layers)
		return jm_fail_memory(reterr, "the layers of the run");
	memcpy(ret->layers, timeline->layers, timeline->n_layers * sizeof(*ret->layers));
	return 0;
}

/* The window method goes by the lists of the file, whatever inferences they are of. */
static int write_window(struct mapping *mapping, struct jm_error *reterr)
{
	const struct jm_recording *recording = mapping->recording;
	const struct jm_timeline *lists = jm_recording_lists(recording);
	const struct jm_power_log *log = jm_recording_log_as_read(recording);
	int listed = recording->as_read.n_layers > 0;
	struct jm_timeline plain;
	int result = borrow_layers(lists, &plain, reterr);

	for (size_t i = 0; i < plain.n_layers && result == 0 && listed; i++)
		plain.layers[i].cycles = NULL;
	if (result == 0)
		result = jm_attribute_window(&log->rails[0], &plain, mapping->config->rules,
			recording->idle_uw, listed ? take_listed_row : take_row, mapping,
			reterr);
	free(plain.layers);
	return result;
}

/* Rows have the names of the file, which others look for in its engine info. */
static int open_writer(struct mapping *mapping, struct jm_error *reterr)
{
	const struct jm_recording *recording = mapping->recording;
	struct jm_map_result *ret = mapping->result;
	struct jm_timeline named;
	int result;

	if (!ret->fitted || !recording->origin)
		return jm_mapping_writer_open(&mapping->writer, ret->csv,
			ret->fitted ? &recording->timeline : jm_recording_lists(recording),
			reterr);
	result = borrow_layers(&recording->timeline, &named, reterr);
	if (result < 0)
		return result;
	for (size_t k = 0; k < named.n_layers; k++)
		named.layers[k].name = recording->as_read.layers[recording->origin[k]].name;
	result = jm_mapping_writer_open(&mapping->writer, ret->csv, &named, reterr);
	free(named.layers);
	return result;
}

/* The summary counts what the mended logs hold. */
static int close_summary(
	struct mapping *mapping, const struct jm_timeline *timeline, struct jm_error *reterr)
{
	const struct jm_recording *recording = mapping->recording;
	struct jm_summary *summary = &mapping->result->summary;
	const struct jm_rail *rail = &recording->log.rails[0];
	struct jm_timeline mended;
	int result;

	if (mapping->result->fitted || !recording->mending.any) {
		jm_summary_close(summary, timeline, rail, recording->idle_uw);
		return 0;
	}
	result = jm_timeline_copy(timeline, &mended, reterr);
	if (result == 0)
		result = jm_mending_apply_timeline(&recording->mending, &mended, reterr);
	if (result == 0)
		jm_summary_close(summary, &mended, rail, recording->idle_uw);
	jm_timeline_release(&mended);
	return result;
}

static int attribute(struct mapping *mapping, struct jm_error *reterr)
{
	return mapping->result->fitted ? write_fit(mapping, reterr)
				       : write_window(mapping, reterr);
}

static int map(struct mapping *mapping, struct jm_error *reterr)
{
	const struct jm_recording *recording = mapping->recording;
	struct jm_map_result *ret = mapping->result;
	const struct jm_timeline *timeline =
		ret->fitted ? &recording->timeline : jm_recording_lists(recording);
	int result = choose_output(mapping, reterr);

	if (result == 0)
		result = jm_summary_init(&ret->summary, timeline, reterr);
	if (result == 0)
		result = open_writer(mapping, reterr);
	if (result < 0)
		return result;
	result = attribute(mapping, reterr);
	ret->rows = mapping->writer.rows;
	if (result == JM_EINVAL) { /* what it refuses came out of the files */
		result = JM_EFORMAT;
		if (reterr)
			reterr->code = JM_EFORMAT;
	}
	if (result < 0) {
		jm_mapping_writer_abandon(&mapping->writer);
		return result;
	}
	result = close_summary(mapping, timeline, reterr);
	if (result < 0) {
		jm_mapping_writer_abandon(&mapping->writer);
		return result;
	}
	return jm_mapping_writer_commit(&mapping->writer, reterr);
}

/* The window method goes on: it is the scripts' own. */
static void note_refusal(const struct mapping *mapping)
{
	const struct jm_error *refusal = jm_recording_refusal(mapping->recording);

	if (refusal)
		jm_note(mapping->config->progress, "%s%s", refusal->message,
			refusal == &mapping->recording->unformed
				? "; cycles are counted as in the lists of the file"
				: "");
}

int jm_map_run(const struct jm_map_config *config, struct jm_map_result *ret_result,
	struct jm_error *reterr)
{
	struct mapping mapping = {.config = config, .result = ret_result};
	int result;

	memset(ret_result, 0, sizeof(*ret_result));
	result = jm_recording_load(
		&config->paths, config->progress, &ret_result->recording, reterr);
	if (result < 0)
		return result;
	mapping.recording = ret_result->recording;
	if (config->rail)
		result = jm_rail_fits_check(mapping.recording, config->rail, reterr);
	if (config->method == JM_MAP_WINDOW)
		note_refusal(&mapping);
	if (result == 0 && config->method == JM_MAP_FIT)
		result = fit_or_not(&mapping, reterr);
	if (result == 0 && !ret_result->fitted)
		result = check_overlap(&mapping, reterr);
	return result < 0 ? result : map(&mapping, reterr);
}

void jm_map_release(struct jm_map_result *result)
{
	jm_summary_release(&result->summary);
	jm_rail_fits_release(&result->rails);
	jm_recording_close(result->recording);
}
