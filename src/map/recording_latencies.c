/* SPDX-License-Identifier: Apache-2.0 */
/* The export of the first scripts' form, or their own file, and its inferences. */
#include "map/recording_latencies.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/progress.h"
#include "base/text.h"
#include "data/inferences.h"
#include "formats/latency_file.h"

/* Less than this in one log only is no clock that was set: lines were moved. */
#define JM_LONE_STEP_MIN_NS INT64_C(250000000)

/* How often layers run, where that is not once each. */
static void note_inferences(const struct jm_recording *recording,
	const struct jm_inferences *found, const struct jm_progress *progress)
{
	const struct jm_timeline *lists = &recording->as_read;
	const struct jm_layer *layer = &lists->layers[found->repeated];

	jm_note(progress,
		"%zu inferences, told apart by time: not every layer ran once in every "
		"inference",
		found->n_cycles);
	if (found->n_repeated)
		jm_note(progress,
			"%zu name%s repeated, '%.100s' runs %.3g times in an inference on "
			"average; where other layers run in between, each place has a row",
			found->n_repeated, found->n_repeated == 1 ? " is" : "s are",
			layer->name, (double)layer->n_executions / (double)found->n_cycles);
	if (found->n_optional)
		jm_note(progress, "%zu layer%s in some inferences only", found->n_optional,
			found->n_optional == 1 ? " runs" : "s run");
}

/* Puts the timeline by inference in the place of the file's lists. */
static void take_inferences(struct jm_recording *recording, struct jm_inferences *found,
	const struct jm_progress *progress)
{
	recording->as_read = recording->timeline;
	recording->timeline = found->timeline;
	recording->origin = found->origin;
	found->origin = NULL;
	jm_timeline_init(&found->timeline);
	note_inferences(recording, found, progress);
}

/* Inferences, and what the stamps mean. */
static int form_inferences(struct jm_recording *recording, const struct jm_progress *progress,
	int *ret_certain, struct jm_error *reterr)
{
	struct jm_inferences found;
	int result = jm_inferences_form(&recording->timeline, &found, &recording->unformed);

	if (result == JM_ENOMEM && reterr)
		*reterr = recording->unformed;
	if (result >= 0)
		memset(&recording->unformed, 0, sizeof(recording->unformed));
	if (result > 0) {
		*ret_certain = found.stamp_certain;
		take_inferences(recording, &found, progress);
	} else {
		recording->timeline.stamp =
			jm_timeline_detect_stamp(&recording->timeline, ret_certain);
	}
	jm_inferences_release(&found);
	return result == JM_ENOMEM ? result : 0;
}

/* 1 where the clock of the power log alone was set back once, and no lines were moved. */
static int is_lone_of_log(struct jm_recording *recording)
{
	const struct jm_clock_step *step = &recording->steps.item[0];
	const struct jm_rail *rail = &recording->log.rails[0];

	if (recording->steps.n != 1 || step->by_ns < JM_LONE_STEP_MIN_NS)
		return 0;
	for (size_t i = 1; i < rail->n_readings; i++) /* lines that were moved */
		if (rail->readings[i - 1].after_ns >= step->at_ns &&
			rail->readings[i].after_ns - rail->readings[i - 1].after_ns >
				step->by_ns / 2)
			return 0;
	recording->lone_step = (struct jm_lone_step){1, step->at_ns, step->by_ns};
	return 1;
}

/* The same of the lists, each of which has it: they are moved alike. */
static int is_lone_of_lists(
	struct jm_recording *recording, const struct jm_clock_steps *list_steps)
{
	struct jm_clock_steps one = {list_steps->item, 1, 1, {0}};
	struct jm_timeline *timeline = &recording->timeline;
	int64_t at_ns = INT64_MAX;

	if (list_steps->item[0].by_ns < JM_LONE_STEP_MIN_NS ||
		!jm_clock_settle_steps(&one, list_steps, timeline))
		return 0;
	for (size_t i = 0; i < list_steps->n; i++) {
		const struct jm_clock_step *step = &list_steps->item[i];
		const struct jm_layer *layer = &timeline->layers[step->layer];

		if (step->index < layer->n_executions &&
			layer->executions[step->index].stamp_ns < at_ns)
			at_ns = layer->executions[step->index].stamp_ns;
	}
	recording->lone_step = (struct jm_lone_step){0, at_ns, one.item[0].by_ns};
	return 1;
}

int jm_recording_settle_steps(struct jm_recording *recording,
	const struct jm_clock_steps *list_steps, const struct jm_progress *progress,
	struct jm_error *reterr)
{
	const struct jm_clock_steps *log_steps = &recording->steps;
	size_t listed = list_steps ? list_steps->n : 0;
	const struct jm_error *why;

	if (!log_steps->n && !listed)
		return 0;
	if (log_steps->n && listed &&
		jm_clock_settle_steps(log_steps, list_steps, &recording->timeline)) {
		for (size_t i = 0; i < log_steps->n; i++)
			jm_note(progress,
				"the clock was set back by %.3f s during the run: taken out of "
				"both logs",
				(double)log_steps->item[i].by_ns * 1e-9);
		return 0;
	}
	if (!listed && is_lone_of_log(recording))
		return 0;
	if (!log_steps->n && is_lone_of_lists(recording, list_steps))
		return 0;
	why = log_steps->n ? &log_steps->first : &list_steps->first;
	if (reterr)
		*reterr = *why;
	return why->code;
}

int jm_recording_read_latencies(struct jm_recording *recording, int given,
	const struct jm_progress *progress, int *ret_certain, struct jm_error *reterr)
{
	struct jm_latency_notes notes = {0};
	struct jm_clock_steps steps = {0};
	int result = jm_run_folder_need(&recording->files, JM_RUN_LATENCY, reterr);

	if (result == 0)
		result = jm_latency_read_stepping(recording->files.path[JM_RUN_LATENCY],
			&recording->timeline, &notes, &steps, reterr);
	if (result == 0)
		result = jm_recording_settle_steps(recording, &steps, progress, reterr);
	jm_clock_steps_release(&steps);
	if (result == 0)
		result = form_inferences(recording, progress, ret_certain, reterr);
	if (result < 0)
		return result;
	if (notes.unequal && !recording->as_read.n_layers)
		jm_note(progress, "not every layer ran in every cycle");
	if (recording->run.stamp && !given) {
		recording->timeline.stamp = recording->run.stamp; /* whoever wrote it says so */
		*ret_certain = 1;
	}
	recording->as_read.stamp = recording->timeline.stamp;
	return 0;
}

int jm_recording_copy_types(struct jm_recording *recording, struct jm_error *reterr)
{
	for (size_t k = 0; recording->origin && k < recording->timeline.n_layers; k++) {
		const struct jm_layer *from = &recording->as_read.layers[recording->origin[k]];
		struct jm_layer *own = &recording->timeline.layers[k];
		char *type = jm_text_duplicate(from->type);

		if (!type)
			return jm_fail_memory(reterr, "the type of a layer");
		free(own->type);
		own->type = type;
		own->macs = from->macs;
		own->parameters = from->parameters;
		own->bytes = from->bytes;
	}
	return 0;
}
