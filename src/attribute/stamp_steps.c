/* SPDX-License-Identifier: Apache-2.0 */
#include "attribute/stamp_steps.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Steps below this are fine enough; so many times are never multiples by chance. */
#define FINE_NS INT64_C(100000)
#define TIMES_MIN 16
/* So few readings may follow by another time, where some are missing. */
#define IRREGULAR_SHARE 0.02
/* Steps are too coarse from this share of what they should tell. */
#define COARSE_SHARE 0.2

/* The greatest step of times so far. */
struct steps {
	int64_t first_ns;
	int64_t step_ns; /* 0: all are equal */
	size_t n;
};

/* Returns 0 when nothing coarse can come out any more. */
static int add(struct steps *steps, int64_t time_ns)
{
	int64_t a = steps->step_ns, b;

	if (!steps->n++)
		steps->first_ns = time_ns;
	b = llabs(time_ns - steps->first_ns);
	while (b) {
		int64_t rest = a % b;

		a = b;
		b = rest;
	}
	steps->step_ns = a;
	return !a || a >= FINE_NS;
}

static double step_s(const struct steps *steps)
{
	return steps->n < TIMES_MIN || steps->step_ns < FINE_NS ? 0
								: (double)steps->step_ns * 1e-9;
}

/* As a sensor has them that stamps its values itself. */
static int is_regular(const struct jm_rail *rail, int64_t step_ns)
{
	const struct jm_reading *readings = rail->readings;
	size_t other = 0;

	for (size_t i = 1; i < rail->n_readings; i++)
		other += readings[i].after_ns - readings[i - 1].after_ns != step_ns;
	return (double)other <= IRREGULAR_SHARE * (double)rail->n_readings;
}

double jm_rail_stamp_step_s(const struct jm_rail *rail)
{
	struct steps steps = {0, 0, 0};

	for (size_t i = 0; i < rail->n_readings; i++)
		if (!add(&steps, rail->readings[i].before_ns) ||
			!add(&steps, rail->readings[i].after_ns))
			return 0;
	return is_regular(rail, steps.step_ns) ? 0 : step_s(&steps);
}

/* Durations have steps of their own, as where somebody made up the times. */
static int is_exact(const struct jm_timeline *timeline, struct steps steps)
{
	for (size_t k = 0; k < timeline->n_layers; k++)
		for (size_t i = 0; i < timeline->layers[k].n_executions; i++)
			if (!add(&steps, steps.first_ns + llround(timeline->layers[k]
									  .executions[i]
									  .duration_ms *
								  1e6)))
				return 0;
	return 1;
}

double jm_timeline_stamp_step_s(const struct jm_timeline *timeline)
{
	struct steps steps = {0, 0, 0};

	for (size_t k = 0; k < timeline->n_layers; k++)
		for (size_t i = 0; i < timeline->layers[k].n_executions; i++)
			if (!add(&steps, timeline->layers[k].executions[i].stamp_ns))
				return 0;
	return is_exact(timeline, steps) ? 0 : step_s(&steps);
}

/* Mean time between readings; repeated stamps do not make it shorter. */
static double reading_every_s(const struct jm_rail *rail)
{
	size_t n = rail->n_readings;

	return n > 1 ? (double)(rail->readings[n - 1].after_ns - rail->readings[0].after_ns) *
			       1e-9 / (double)(n - 1)
		     : 0;
}

/* Of the layers that ran. */
static double mean_runtime_s(const struct jm_timeline *timeline)
{
	double sum_ms = 0, n = 0;

	for (size_t k = 0; k < timeline->n_layers; k++) {
		n += (double)timeline->layers[k].n_executions;
		for (size_t i = 0; i < timeline->layers[k].n_executions; i++)
			sum_ms += timeline->layers[k].executions[i].duration_ms;
	}
	return n > 0 ? sum_ms * 1e-3 / n : 0;
}

/* Steps as long as what the stamps should tell; 0: there are none. */
struct coarse {
	double log_s, every_s; /* of readings, and between them */
	double layers_s, runtime_s;
};

static int find_coarse(const struct jm_fit *fit, struct coarse *ret)
{
	*ret = (struct coarse){.log_s = jm_rail_stamp_step_s(fit->input->rail),
		.layers_s = jm_timeline_stamp_step_s(fit->input->timeline)};
	if (!(ret->log_s > 0 || ret->layers_s > 0))
		return 0;
	ret->every_s = reading_every_s(fit->input->rail);
	ret->runtime_s = mean_runtime_s(fit->input->timeline);
	if (ret->log_s <= COARSE_SHARE * fmax(ret->every_s, ret->runtime_s))
		ret->log_s = 0;
	if (ret->layers_s <= COARSE_SHARE * ret->runtime_s)
		ret->layers_s = 0;
	return ret->log_s > 0 || ret->layers_s > 0;
}

int jm_fit_has_coarse_stamps(const struct jm_fit *fit)
{
	struct coarse coarse;

	return find_coarse(fit, &coarse);
}

int jm_fit_explain_stamps(const struct jm_fit *fit, struct jm_fit_result *result)
{
	char of_log[96] = "", of_layers[96] = "";
	struct coarse coarse;

	if (!find_coarse(fit, &coarse))
		return 0;
	if (coarse.log_s > 0)
		snprintf(of_log, sizeof(of_log),
			"the power log's have steps of %.4g ms, it has a line every %.3g ms",
			coarse.log_s * 1e3, coarse.every_s * 1e3);
	if (coarse.layers_s > 0)
		snprintf(of_layers, sizeof(of_layers),
			"the layers' have steps of %.4g ms, they last %.3g ms",
			coarse.layers_s * 1e3, coarse.runtime_s * 1e3);
	snprintf(result->advice, sizeof(result->advice), "%s%s%s: write them to the us", of_log,
		*of_log && *of_layers ? "; " : "", of_layers);
	return 1;
}
