/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions that measure: joulemap.h over what this folder does. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "joulemap/engine.h"
#include "measure/idle_run.h"
#include "measure/measure.h"
#include "sensors/registry.h"

_Static_assert(JM_MEASURE_DIMS_MAX == JM_SHAPE_MAX, "the same shapes");

/* ---- Options of any version ------------------------------------------------------ */

/*
 * Lays the caller's options, of `size` bytes as its headers had them, over
 * defaults. Those of a later version ask for what is not here.
 */
static int take_options(void *own, size_t own_size, const void *theirs, size_t size,
	const char *init, struct jm_error *reterr)
{
	if (size < 2 * sizeof(size_t))
		return jm_fail(
			reterr, JM_EINVAL, "the options were not initialised with %s()", init);
	if (size > own_size)
		return jm_fail(reterr, JM_EUNSUPPORTED,
			"the program was built with a later version than joulemap %s: install "
			"that library too",
			jm_version());
	memcpy(own, theirs, size);
	return 0;
}

/* Writes no more than the caller has room for. */
static void give_defaults(void *theirs, size_t size, const void *defaults, size_t own_size)
{
	memcpy(theirs, defaults, size < own_size ? size : own_size);
	memcpy(theirs, &size, sizeof(size));
}

/* ---- Idle power -------------------------------------------------------------------- */

static const struct jm_idle_options idle_defaults = {
	.size = sizeof(struct jm_idle_options), .seconds = 10, .seed = 1};

void jm_idle_options_init(struct jm_idle_options *options, size_t size)
{
	give_defaults(options, size, &idle_defaults, sizeof(idle_defaults));
}

int jm_idle(const struct jm_idle_options *options, struct jm_idle_outcome *ret_outcome,
	struct jm_error *reterr)
{
	struct jm_idle_options own = idle_defaults;
	struct jm_sensor_options sensor_options;
	struct jm_sensor_set set;
	struct jm_idle_config config = {.set = &set};
	struct jm_idle_power power;
	int result = take_options(
		&own, sizeof(own), options, options->size, "jm_idle_options_init", reterr);

	if (result < 0)
		return result;
	if (!(own.seconds > 0 && own.seconds <= 86400))
		return jm_fail(reterr, JM_EINVAL,
			"idle power takes more than 0 s and at most "
			"86400 s");
	config.result_dir = own.result_dir;
	config.seconds = own.seconds;
	config.progress = own.progress;
	jm_sensor_options_init(&sensor_options, own.seed);
	jm_sensor_set_init(&set);
	result = jm_sensor_set_select(&set, own.sensor, &sensor_options, reterr);
	if (result == 0)
		result = jm_idle_run(&config, &power, reterr);
	if (result == 0)
		*ret_outcome = (struct jm_idle_outcome){.power_w = power.mean_uw * 1e-6,
			.error_w = power.error_uw * 1e-6,
			.readings = power.readings,
			.conversions = power.conversions,
			.simulated = jm_sensor_set_has(&set, JM_SENSOR_SIMULATED)};
	jm_sensor_set_release(&set);
	return result;
}

/* ---- A run --------------------------------------------------------------------------- */

static const struct jm_measure_options measure_defaults = {
	.size = sizeof(struct jm_measure_options),
	.model = "mobilenet_v2",
	.result_dir = "results",
	.optimization_level = -1,
	.runs = 30000,
	.warmup = 50,
	.idle_seconds = 10,
	.jitter_ms = (double)NAN,
	.seed = 1,
	.ready_seconds = 600};

void jm_measure_options_init(struct jm_measure_options *options, size_t size)
{
	give_defaults(options, size, &measure_defaults, sizeof(measure_defaults));
}

static int check(const struct jm_measure_options *options, struct jm_error *reterr)
{
	if (options->command && !options->command[0])
		return jm_fail(reterr, JM_EINVAL, "command names no program");
	if (!(options->ready_seconds >= 0 && options->ready_seconds <= 86400))
		return jm_fail(reterr, JM_EINVAL, "ready_seconds must be 0 to 86400");
	if ((!options->model && !options->command) || !options->result_dir)
		return jm_fail(reterr, JM_EINVAL, "a measurement needs model and result_dir");
	if (!options->runs)
		return jm_fail(reterr, JM_EINVAL, "a measurement needs runs of at least 1");
	if (options->n_input_shape > JM_MEASURE_DIMS_MAX)
		return jm_fail(reterr, JM_EINVAL, "input_shape has at most %d dimensions",
			JM_MEASURE_DIMS_MAX);
	if (!(options->idle_seconds >= 0 && options->idle_seconds <= 86400))
		return jm_fail(reterr, JM_EINVAL, "idle_seconds must be 0 to 86400");
	if (!(options->rate_hz == 0 || (options->rate_hz >= 0.1 && options->rate_hz <= 1e5)))
		return jm_fail(reterr, JM_EINVAL, "rate_hz must be 0.1 to 100000, or 0");
	if (options->jitter_ms < 0 || options->jitter_ms > 10000)
		return jm_fail(reterr, JM_EINVAL, "jitter_ms must be 0 to 10000, or NaN");
	return 0;
}

int jm_measure(const struct jm_measure_options *options, struct jm_measure_outcome *ret_outcome,
	struct jm_error *reterr)
{
	struct jm_measure_options own = measure_defaults;
	int result;

	memset(ret_outcome, 0, sizeof(*ret_outcome));
	result = take_options(
		&own, sizeof(own), options, options->size, "jm_measure_options_init", reterr);
	if (result == 0)
		result = check(&own, reterr);
	return result < 0 ? result : jm_measure_run(&own, ret_outcome, reterr);
}
