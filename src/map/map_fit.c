/* SPDX-License-Identifier: Apache-2.0 */
#include "map/map_fit.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "formats/readings_file.h"
#include "joulemap/sensor.h"
#include "run/calibration.h"

/* A response this many deviations from its calibration is doubtful. */
#define FAR 2.5
/* A calibration is dropped where the fit is likelier without by this factor (log). */
#define LIKELIER 3.0

/* Of the rail that is mapped, and simulated only where the run is. */
static int find_calibration(const json_t *run, struct jm_calibration *ret_calibration)
{
	const json_t *sensor = json_object_get(run, "sensor");
	const json_t *rail = json_array_get(json_object_get(sensor, "rails"), 0);
	const char *name = json_string_value(json_object_get(rail, "name"));

	return jm_calibration_from_json(
		       json_object_get(sensor, "calibration"), ret_calibration) &&
	       name && strcmp(ret_calibration->rail, name) == 0 &&
	       ret_calibration->simulated == json_is_true(json_object_get(sensor, "simulated"));
}

/* What the sensor says of itself. */
static void read_sensor(const json_t *run, struct jm_fit_prior *ret_prior)
{
	const json_t *sensor = json_object_get(run, "sensor");
	const char *kind = json_string_value(json_object_get(sensor, "kind"));

	ret_prior->round_ms = json_number_value(json_object_get(sensor, "round_ms"));
	ret_prior->window_ms = json_number_value(json_object_get(sensor, "window_ms"));
	ret_prior->samples = (unsigned)json_integer_value(json_object_get(sensor, "samples"));
	ret_prior->stamped = json_is_true(json_object_get(sensor, "stamped"));
	if (kind && strcmp(kind, "counter") == 0)
		ret_prior->kind = JM_SENSOR_COUNTER;
	else if (kind && strcmp(kind, "window") == 0)
		ret_prior->kind = JM_SENSOR_WINDOW;
	else if (kind && strcmp(kind, "instant") == 0)
		ret_prior->kind = JM_SENSOR_INSTANT;
}

void jm_map_fit_prior(const json_t *run, struct jm_fit_prior *ret_prior)
{
	struct jm_calibration calibration;

	read_sensor(run, ret_prior);
	if (find_calibration(run, &calibration))
		jm_calibration_prior(&calibration, ret_prior);
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

int jm_map_fit_run(struct jm_fit_input *input, const json_t *run,
	struct jm_fit_result *ret_result, int *ret_dropped, struct jm_error *reterr)
{
	struct jm_fit_prior own = input->prior;
	struct jm_calibration calibration;
	struct jm_fit_result without;
	int result, contradiction;

	*ret_dropped = 0;
	jm_map_fit_prior(run, &input->prior);
	result = jm_attribute_fit(input, ret_result, reterr);
	if (result < 0 || !find_calibration(run, &calibration))
		return result;
	contradiction = contradicts(&ret_result->response, &input->prior);
	if (!contradiction && ret_result->n_resolved == ret_result->n_layers &&
		ret_result->response.taps == 1)
		return result;
	read_sensor(run, &own);
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

int jm_map_fit_readings(
	const char *path, const json_t *run, struct jm_power_log *log, struct jm_error *reterr)
{
	const json_t *clock = json_object_get(run, "clock");
	json_int_t monotonic = 0, realtime = 0, offset_s = 0, shift;
	json_t *mutable_clock = (json_t *)(uintptr_t)clock; /* jansson only reads it */
	int result;

	if (json_unpack(mutable_clock, "{s:I, s:I, s:I}", "monotonic_ns", &monotonic,
		    "realtime_ns", &realtime, "utc_offset_s", &offset_s) != 0)
		return jm_fail(reterr, JM_ENOTFOUND,
			"run.json does not relate the clock of '%s' to civil time", path);
	result = jm_readings_read(path, log, reterr);
	if (result < 0)
		return result;
	shift = realtime - monotonic + offset_s * 1000000000;
	for (size_t r = 0; r < log->n_rails; r++)
		for (size_t i = 0; i < log->rails[r].n_readings; i++) {
			log->rails[r].readings[i].before_ns += shift;
			log->rails[r].readings[i].after_ns += shift;
		}
	return 0;
}

int jm_map_fit_rows(const struct jm_timeline *timeline, const struct jm_fit_result *result,
	double idle_uw, jm_cycle_power_fn *row, void *context)
{
	size_t cycles = jm_timeline_cycles(timeline);
	int status = 0;

	for (size_t cycle = 0; cycle < cycles && status >= 0; cycle++)
		for (size_t k = 0; k < timeline->n_layers && status >= 0; k++) {
			const struct jm_layer *layer = &timeline->layers[k];
			struct jm_cycle_power own = {.cycle = cycle, .layer = k};

			if (cycle >= layer->n_executions)
				continue;
			/* No figure where the data have none: the field stays empty. */
			own.power_uw = result->layers[k].resolved == JM_RESOLVED_NO
					       ? (double)NAN
					       : result->layers[k].power_w * 1e6;
			own.dynamic_power_uw = own.power_uw - idle_uw;
			own.duration_ms = layer->executions[cycle].duration_ms;
			own.n_samples = 1;
			status = row(context, &own);
		}
	return status < 0 ? status : 0;
}
