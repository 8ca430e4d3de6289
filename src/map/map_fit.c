/* SPDX-License-Identifier: Apache-2.0 */
#include "map/map_fit.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/known.h"
#include "data/cycles.h"
#include "formats/readings_file.h"

/* A response this many deviations from its calibration is doubtful. */
#define FAR 2.5
/* A calibration is dropped where the fit is likelier without by this factor (log). */
#define LIKELIER 3.0

/* Of the rail that is fitted, and simulated only where the run is. NULL: none. */
static const struct jm_calibration *find_calibration(const struct jm_run_subject *subject)
{
	const struct jm_run_rail *rail = subject->rail;

	if (rail && rail->calibrated && strcmp(rail->calibration.rail, rail->name) == 0 &&
		rail->calibration.simulated == subject->sensor->simulated)
		return &rail->calibration;
	return NULL;
}

int jm_map_fit_is_calibrated(const struct jm_run_subject *subject)
{
	return find_calibration(subject) != NULL;
}

/* What the sensor says of itself. */
static void read_sensor(const struct jm_run_subject *subject, struct jm_fit_prior *ret_prior)
{
	const struct jm_run_sensor *sensor = subject->sensor;

	if (!sensor)
		return;
	ret_prior->kind = (int)sensor->kind;
	ret_prior->round_ms = jm_known_or(sensor->round_ms, 0);
	ret_prior->window_ms = jm_known_or(sensor->window_ms, 0);
	ret_prior->samples = sensor->samples;
	ret_prior->stamped = sensor->stamped;
	ret_prior->blocking = sensor->blocking;
}

void jm_map_fit_prior(const struct jm_run_subject *subject, struct jm_fit_prior *ret_prior)
{
	const struct jm_calibration *calibration = find_calibration(subject);

	read_sensor(subject, ret_prior);
	if (calibration)
		jm_calibration_prior(calibration, ret_prior);
}

static int is_far(double found, double prior, double sd)
{
	return sd > 0 && fabs(found - prior) > FAR * sd;
}

/* The readings moved the response away from the calibration. */
static int contradicts(const struct jm_fit_response *response, const struct jm_fit_prior *prior)
{
	return is_far(response->delay_ms, prior->delay_ms, prior->delay_sd_ms) ||
	       is_far(response->tau_ms, prior->tau_ms, prior->tau_sd_ms) ||
	       is_far(response->window_ms, prior->window_ms, prior->window_sd_ms);
}

int jm_map_fit_run(struct jm_fit_input *input, const struct jm_run_subject *subject,
	struct jm_fit_result *ret_result, int *ret_dropped, struct jm_error *reterr)
{
	struct jm_fit_prior own = input->prior;
	struct jm_fit_result without;
	int result, contradiction;

	*ret_dropped = 0;
	jm_map_fit_prior(subject, &input->prior);
	result = jm_attribute_fit(input, ret_result, reterr);
	if (result < 0 || !find_calibration(subject))
		return result;
	contradiction = contradicts(&ret_result->response, &input->prior);
	if (!contradiction && ret_result->n_resolved == ret_result->n_layers &&
		ret_result->response.taps == 1)
		return result;
	read_sensor(subject, &own);
	input->prior = own;
	if (jm_attribute_fit(input, &without, NULL) < 0)
		return 0;
	*ret_dropped =
		contradiction || without.diagnostics.log_likelihood >
					 ret_result->diagnostics.log_likelihood + LIKELIER;
	if (*ret_dropped) {
		struct jm_fit_result with = *ret_result;

		*ret_result = without;
		without = with;
	}
	jm_fit_result_release(&without);
	return 0;
}

/* 0 where the sum is no time: the file is not what it should be. */
static int shift_time(int64_t *time_ns, int64_t shift_ns)
{
	if (shift_ns > 0 ? *time_ns > INT64_MAX - shift_ns : *time_ns < INT64_MIN - shift_ns)
		return 0;
	*time_ns += shift_ns;
	return 1;
}

int jm_map_fit_readings(const char *path, const struct jm_run *run, struct jm_power_log *log,
	struct jm_error *reterr)
{
	int64_t shift_ns;
	int result = jm_run_clock_shift(&run->clock, &shift_ns, reterr);

	if (result == 0)
		result = jm_readings_read(path, log, reterr);
	if (result < 0)
		return result;
	for (size_t r = 0; r < log->n_rails; r++)
		for (size_t i = 0; i < log->rails[r].n_readings; i++) {
			struct jm_reading *reading = &log->rails[r].readings[i];

			if (!shift_time(&reading->before_ns, shift_ns) ||
				!shift_time(&reading->after_ns, shift_ns))
				return jm_fail(reterr, JM_EFORMAT,
					"'%s': reading %zu of rail '%s' has a time that cannot "
					"be",
					path, i + 1, log->rails[r].name);
		}
	return 0;
}

/* The rows of a layer in one cycle. */
static int layer_rows(const struct jm_timeline *timeline, const struct jm_fit_result *result,
	size_t k, size_t cycle, double idle_uw, jm_cycle_power_fn *row, void *context)
{
	const struct jm_layer *layer = &timeline->layers[k];
	size_t end = jm_cycle_begin(layer, cycle + 1);
	struct jm_cycle_power own = {.cycle = cycle, .layer = k, .n_samples = 1};
	int status = 0;

	/* No figure where the data have none: the field stays empty. */
	own.power_uw = result->layers[k].resolved == JM_RESOLVED_NO
			       ? (double)NAN
			       : result->layers[k].power_w * 1e6;
	own.dynamic_power_uw = own.power_uw - idle_uw;
	for (size_t i = jm_cycle_begin(layer, cycle); i < end && status >= 0; i++) {
		own.duration_ms = layer->executions[i].duration_ms;
		status = row(context, &own);
	}
	return status;
}

int jm_map_fit_rows(const struct jm_timeline *timeline, const struct jm_fit_result *result,
	double idle_uw, jm_cycle_power_fn *row, void *context)
{
	size_t cycle = jm_timeline_next_cycle(timeline, 0);
	int status = 0;

	for (; cycle != SIZE_MAX && status >= 0;
		cycle = jm_timeline_next_cycle(timeline, cycle + 1))
		for (size_t k = 0; k < timeline->n_layers && status >= 0; k++)
			status = layer_rows(timeline, result, k, cycle, idle_uw, row, context);
	return status < 0 ? status : 0;
}
