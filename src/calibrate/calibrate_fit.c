/* SPDX-License-Identifier: Apache-2.0 */
#include "calibrate/calibrate_fit.h"

#include <math.h>

#include "attribute/resolve.h"
#include "base/error.h"

/* Less than this tells nothing. */
#define SPANS_MIN 20

/* The load's power must be this many deviations and this share above rest. */
#define STEP_DEVIATIONS 6.0
#define STEP_SHARE 0.01

/* Deviation of a window that the sensor states, as a share of it; and at least
 * this share of a round where it states none and a short one was found. */
#define WINDOW_SD 0.3
#define WINDOW_SD_ROUNDS 0.02

/* The fit is repeated around what it found until that is no likelier. */
#define PASSES 5
#define LIKELIER 0.5
/* Variances that differ by less than this share are taken for the same. */
#define ALIKE 0.1

/*
 * Below this share of the window a time constant hardly shows but by its
 * square: then it is known to itself at best, and the delay with it.
 */
#define TAU_SMALL 0.06

/* A response counts as known when its deviation is below this share of it. */
#define DELAY_SD_ROUNDS 0.25
#define TAU_SD_ROUNDS 0.5
#define WINDOW_SD_MAX 0.25
/* A window is also known by how little it may be, beside the time constant. */
#define WINDOW_SD_TAUS 0.1

/*
 * A load that warms the chip leaves residuals that go together. Where they are
 * below this share of it the response is right nevertheless, and deviations are
 * widened for it; but not beyond this.
 */
#define REST_SHARE 0.02

/*
 * The fit takes its steps in ms, as suits a sensor whose round is some ms long.
 * A slower one is shown to it in quick motion, as if its round were this long.
 */
#define ROUND_MS 6.6
#define SLOW_MS 10.0

static double step_of(const struct jm_fit_result *result)
{
	return result->layers[0].power_w - result->between.power_w;
}

static double step_sd_of(const struct jm_fit_result *result)
{
	return hypot(result->layers[0].power_sd_w, result->between.power_sd_w);
}

/*
 * What a response leaves of one conversion, in W^2. A wrong one looks like jitter
 * of the stamps: that lowers the weight of what does not fit, and likelihoods of
 * different weights cannot be compared.
 */
static double left_over(const struct jm_fit_result *result)
{
	double reach_ms = result->response.window_ms + result->response.tau_ms;
	double noise_w = result->diagnostics.noise_w, steep_w = 0;

	if (reach_ms > 0)
		steep_w = result->diagnostics.jitter_ms * step_of(result) / (2 * reach_ms);
	return noise_w * noise_w + steep_w * steep_w;
}

/* Near a window of 0 the last steps may lead beyond it, to where nothing is known. */
static int is_sound(const struct jm_fit_result *result)
{
	return result->response.window_ms >= 0 &&
	       step_of(result) > STEP_DEVIATIONS * step_sd_of(result);
}

static int is_better(const struct jm_fit_result *result, const struct jm_fit_result *best)
{
	double own, other;

	if (!best->n_layers)
		return 1;
	if (is_sound(result) != is_sound(best))
		return is_sound(result);
	if (result->diagnostics.jitter_ms > 0 || best->diagnostics.jitter_ms > 0) {
		own = left_over(result);
		other = left_over(best);
		if (own < (1 - ALIKE) * other || own > (1 + ALIKE) * other)
			return own < other;
	}
	return result->diagnostics.log_likelihood >=
	       best->diagnostics.log_likelihood + LIKELIER;
}

static int fit_once(
	const struct jm_fit_input *input, struct jm_fit_result *best, struct jm_error *reterr)
{
	struct jm_fit_result result;
	int status = jm_attribute_fit(input, &result, reterr);

	if (status < 0)
		return status;
	if (!is_better(&result, best)) {
		jm_fit_result_release(&result);
		return 0;
	}
	jm_fit_result_release(best);
	*best = result;
	return 1;
}

/* Where nobody states a window, or the search went astray: other ones to begin with. */
static int try_windows(struct jm_fit_input *input, double round_ms, struct jm_fit_result *best)
{
	static const double shares[] = {1.0, 1.0 / 2, 1.0 / 4, 1.0 / 6, 1.0 / 20};
	int result = 0;

	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]) && result >= 0; i++) {
		input->prior.window_ms = shares[i] * round_ms;
		input->prior.window_sd_ms = WINDOW_SD * input->prior.window_ms;
		result = fit_once(input, best, NULL);
	}
	return result;
}

/* Around what was found, as long as that is likelier: more steps, finer starts. */
static int refine(struct jm_fit_input *input, double window_sd_ms, struct jm_fit_result *best)
{
	int result = 1;

	for (int pass = 0; pass < PASSES && result > 0; pass++) {
		const struct jm_fit_response *response = &best->response;
		double reach_ms = response->window_ms + 2 * response->tau_ms;

		if (!(reach_ms > 0))
			break;
		input->prior.window_ms = response->window_ms;
		input->prior.window_sd_ms =
			window_sd_ms > 0 ? window_sd_ms
					 : fmax(WINDOW_SD * response->window_ms,
						   WINDOW_SD_ROUNDS * response->round_ms);
		input->prior.delay_min_ms = response->delay_ms - reach_ms;
		input->prior.delay_max_ms = response->delay_ms + reach_ms;
		result = fit_once(input, best, NULL);
	}
	return result;
}

static int fit_as_is(const struct jm_rail *rail, const struct jm_timeline *timeline,
	const struct jm_sensor_info *info, struct jm_fit_result *best, struct jm_error *reterr)
{
	struct jm_fit_input input;
	double window_sd_ms = WINDOW_SD * info->window_ms;
	int result;

	jm_fit_input_init(&input);
	input.rail = rail;
	input.timeline = timeline;
	input.keep_clock = 1;
	input.prior.kind = (int)info->kind;
	input.prior.round_ms = info->round_ms;
	input.prior.samples = info->samples;
	input.prior.stamped = (info->flags & JM_SENSOR_STAMPED) != 0;
	input.prior.blocking = (info->flags & JM_SENSOR_BLOCKING) != 0;
	input.prior.window_ms = info->window_ms;
	input.prior.window_sd_ms = window_sd_ms;
	result = fit_once(&input, best, reterr);
	if (result > 0 && best->response.round_ms > 0 &&
		(best->response.taps > 1 || !(info->window_ms > 0)))
		result = try_windows(&input, best->response.round_ms, best);
	if (result >= 0)
		result = refine(&input, window_sd_ms, best);
	return best->n_layers ? 0 : result;
}

static int64_t quick_ns(int64_t at_ns, int64_t origin_ns, double factor)
{
	return (int64_t)llround((double)(at_ns - origin_ns) * factor);
}

/* Everything `factor` times as fast; there is one layer. */
static int make_quick(const struct jm_rail *rail, const struct jm_timeline *timeline,
	double factor, struct jm_power_log *log, struct jm_timeline *quick)
{
	const struct jm_layer *layer = &timeline->layers[0];
	int64_t origin_ns = layer->executions[0].stamp_ns;
	int result = jm_power_log_add_rail(log, rail->name, rail->quantity, NULL);

	if (result >= 0)
		log->rails[result].range_uj = rail->range_uj;
	for (size_t i = 0; i < rail->n_readings && result >= 0; i++) {
		struct jm_reading reading = rail->readings[i];

		reading.before_ns = quick_ns(reading.before_ns, origin_ns, factor);
		reading.after_ns = quick_ns(reading.after_ns, origin_ns, factor);
		result = jm_power_log_append(log, 0, &reading, NULL);
	}
	quick->stamp = timeline->stamp;
	if (result >= 0)
		result = jm_timeline_add_layer(quick, layer->name, layer->type, NULL);
	for (size_t i = 0; i < layer->n_executions && result >= 0; i++) {
		struct jm_execution execution = layer->executions[i];

		execution.stamp_ns = quick_ns(execution.stamp_ns, origin_ns, factor);
		execution.duration_ms *= factor;
		result = jm_timeline_append(quick, 0, execution, NULL);
	}
	return result;
}

static void slow_down(struct jm_fit_response *response, double factor)
{
	double *const times_ms[] = {&response->round_ms, &response->window_ms,
		&response->window_sd_ms, &response->delay_ms, &response->delay_sd_ms,
		&response->tau_ms, &response->tau_sd_ms};

	for (size_t i = 0; i < sizeof(times_ms) / sizeof(times_ms[0]); i++)
		*times_ms[i] /= factor;
}

static int fit(const struct jm_rail *rail, const struct jm_timeline *timeline,
	const struct jm_sensor_info *info, struct jm_fit_result *best, struct jm_error *reterr)
{
	double factor = info->round_ms > SLOW_MS ? ROUND_MS / info->round_ms : 1.0;
	struct jm_sensor_info quick_info = *info;
	struct jm_power_log log;
	struct jm_timeline quick;
	int result;

	if (factor == 1.0)
		return fit_as_is(rail, timeline, info, best, reterr);
	quick_info.round_ms *= factor;
	quick_info.window_ms *= factor;
	jm_power_log_init(&log);
	jm_timeline_init(&quick);
	result = make_quick(rail, timeline, factor, &log, &quick);
	if (result < 0)
		result = jm_fail_memory(reterr, "the fit");
	else
		result = fit_as_is(&log.rails[0], &quick, &quick_info, best, reterr);
	if (result >= 0) {
		slow_down(&best->response, factor);
		best->advice[0] = '\0'; /* its times would be wrong */
	}
	jm_timeline_release(&quick);
	jm_power_log_release(&log);
	return result;
}

static int follows(const struct jm_fit_result *fitted, double step_w)
{
	const struct jm_fit_diagnostics *diagnostics = &fitted->diagnostics;

	if (fitted->layers[0].resolved == JM_RESOLVED_YES)
		return 1;
	return fitted->response.taps == 1 && diagnostics->noise_w < REST_SHARE * step_w &&
	       diagnostics->inflation < JM_FIT_INFLATION_MAX &&
	       diagnostics->robust_share < JM_FIT_DISTURBED_MAX;
}

/* Does the load show, and as the model says? */
static int check(const struct jm_rail *rail, const struct jm_fit_result *fitted,
	const struct jm_calibration *calibration, struct jm_error *reterr)
{
	double rest_w = fitted->between.power_w;

	if (!(calibration->step_w > STEP_DEVIATIONS * calibration->step_sd_w &&
		    calibration->step_w > STEP_SHARE * rest_w))
		return jm_fail(reterr, JM_EUNRESOLVED,
			"the load does not move rail '%s': %.4f W at rest, %+.4f +- %.4f W "
			"under "
			"load; another rail, another load (--load), or more threads may",
			rail->name, rest_w, calibration->step_w, calibration->step_sd_w);
	if (!follows(fitted, calibration->step_w))
		return jm_fail(reterr, JM_EUNRESOLVED,
			"rail '%s' does not follow the load as a supply would: %s", rail->name,
			fitted->advice[0] ? fitted->advice : "calibrate longer (--duration)");
	return 0;
}

/* Keeps a value with its deviation where that is narrow enough to be of use. */
static void keep(double value, double sd, double sd_max, double *ret_value, double *ret_sd)
{
	int known = isfinite(value) && sd > 0 && sd < sd_max;

	*ret_value = known ? value : (double)NAN;
	*ret_sd = known ? sd : (double)NAN;
}

/*
 * Deviations as the fit states them, widened by what its own checks found, by
 * how well edges are known, and where the time constant is small.
 */
static void take(const struct jm_fit_response *response, double inflation, double edge_ms,
	double stated_window_ms, struct jm_calibration *calibration)
{
	double delay_sd = hypot(response->delay_sd_ms * inflation, edge_ms);
	double tau_sd = hypot(response->tau_sd_ms * inflation, edge_ms);
	double window_sd = hypot(response->window_sd_ms * inflation, edge_ms);
	double scale_ms = fmax(response->round_ms, response->window_ms);

	if (response->tau_ms < TAU_SMALL * response->window_ms) {
		delay_sd = hypot(delay_sd, response->tau_ms);
		tau_sd = hypot(tau_sd, response->tau_ms);
	}
	keep(response->delay_ms, delay_sd, DELAY_SD_ROUNDS * scale_ms, &calibration->delay_ms,
		&calibration->delay_sd_ms);
	keep(response->tau_ms, tau_sd, TAU_SD_ROUNDS * fmax(scale_ms, response->tau_ms),
		&calibration->tau_ms, &calibration->tau_sd_ms);
	/* Where sensor and fit contradict each other, neither is quite right. */
	if (stated_window_ms > 0)
		window_sd = fmax(window_sd, 0.5 * fabs(response->window_ms - stated_window_ms));
	if (!(response->window_sd_ms > 0) || (response->taps > 1 && !(stated_window_ms > 0)))
		window_sd = (double)NAN; /* not looked for; or taps can stand for it */
	keep(response->window_ms, window_sd,
		fmax(WINDOW_SD_MAX * response->window_ms, WINDOW_SD_TAUS * response->tau_ms),
		&calibration->window_ms, &calibration->window_sd_ms);
}

static int check_known(const struct jm_rail *rail, const struct jm_calibration *calibration,
	struct jm_error *reterr)
{
	if (isfinite(calibration->delay_ms) || isfinite(calibration->tau_ms) ||
		isfinite(calibration->window_ms))
		return 0;
	return jm_fail(reterr, JM_EUNRESOLVED,
		"rail '%s' follows the load, but neither delay nor window nor time constant "
		"can be "
		"told: calibrate longer (--duration), or poll faster (--rate)",
		rail->name);
}

static void set_setting(const struct jm_sensor_info *info, struct jm_calibration *calibration)
{
	calibration->sensor_round_ms = info->round_ms > 0 ? info->round_ms : 0;
	calibration->sensor_window_ms = info->window_ms > 0 ? info->window_ms : 0;
	calibration->sensor_samples = info->samples;
}

int jm_calibrate_fit(const struct jm_rail *rail, const struct jm_timeline *timeline,
	const struct jm_sensor_info *info, double edge_ms,
	struct jm_calibration *ret_calibration, struct jm_error *reterr)
{
	struct jm_fit_result fitted = {.n_layers = 0};
	struct jm_error error;
	int result;

	if (timeline->n_layers != 1 || timeline->layers[0].n_executions < SPANS_MIN)
		return jm_fail(reterr, JM_EUNRESOLVED,
			"the load was on %zu times, which tells nothing: calibrate longer "
			"(--duration)",
			timeline->n_layers ? timeline->layers[0].n_executions : 0);
	result = fit(rail, timeline, info, &fitted, &error);
	if (result < 0)
		return result == JM_ENOMEM
			       ? jm_fail_memory(reterr, "the fit")
			       : jm_fail(reterr, JM_EUNRESOLVED, "%s", error.message);
	set_setting(info, ret_calibration);
	ret_calibration->step_w = step_of(&fitted);
	ret_calibration->step_sd_w = step_sd_of(&fitted);
	result = check(rail, &fitted, ret_calibration, reterr);
	if (result == 0) {
		ret_calibration->round_ms =
			fitted.response.ticks && fitted.response.round_ms > 0
				? fitted.response.round_ms
				: (double)NAN;
		ret_calibration->taps = fitted.response.taps;
		ret_calibration->shape = fitted.response.shape;
		ret_calibration->noise_w = fitted.diagnostics.noise_w;
		ret_calibration->conversions = fitted.diagnostics.conversions;
		ret_calibration->spans = timeline->layers[0].n_executions;
		take(&fitted.response, fitted.diagnostics.inflation, edge_ms, info->window_ms,
			ret_calibration);
		result = check_known(rail, ret_calibration, reterr);
	}
	jm_fit_result_release(&fitted);
	return result;
}
