/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/calibrate_fit.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

/* Less than this tells nothing. */
#define SPANS_MIN 20

/* The load's power must be this many deviations and this share above rest. */
#define STEP_DEVIATIONS 6.0
#define STEP_SHARE 0.01

/* Deviation of a window that the sensor states, as a share of it. */
#define WINDOW_SD 0.3

/* The fit is repeated around what it found until that is no likelier. */
#define PASSES 5
#define LIKELIER 0.5

/*
 * Below this share of the window a time constant hardly shows but by its
 * square: then it is known to itself at best, and the delay with it.
 */
#define TAU_SMALL 0.06

/* A response counts as known when its deviation is below this share of it. */
#define DELAY_SD_ROUNDS 0.25
#define TAU_SD_ROUNDS 0.5
#define WINDOW_SD_MAX 0.25

static int fit_once(
	const struct jm_fit_input *input, struct jm_fit_result *best, struct jm_error *reterr)
{
	struct jm_fit_result result;
	int status = jm_attribute_fit(input, &result, reterr);

	if (status < 0)
		return status;
	if (best->n_layers && result.diagnostics.log_likelihood <
				      best->diagnostics.log_likelihood + LIKELIER) {
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
	static const double shares[] = {1.0, 1.0 / 2, 1.0 / 4, 1.0 / 6};
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
			window_sd_ms > 0 ? window_sd_ms : WINDOW_SD * response->window_ms;
		input->prior.delay_min_ms = response->delay_ms - reach_ms;
		input->prior.delay_max_ms = response->delay_ms + reach_ms;
		result = fit_once(input, best, NULL);
	}
	return result;
}

static int fit(const struct jm_rail *rail, const struct jm_timeline *timeline,
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
	input.prior.stamped = info->stamped;
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
	if (fitted->layers[0].resolved != JM_RESOLVED_YES)
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
	keep(response->window_ms, window_sd, WINDOW_SD_MAX * response->window_ms,
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
	ret_calibration->step_w = fitted.layers[0].power_w - fitted.between.power_w;
	ret_calibration->step_sd_w =
		hypot(fitted.layers[0].power_sd_w, fitted.between.power_sd_w);
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
