/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fit, on small runs that bytes make up: a plausible run first, so that its
 * later stages are reached, then whatever the bytes do to single stamps,
 * durations, readings and to what is known of the sensor.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "joulemap/joulemap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	LAYERS_MAX = 5,
	CYCLES_MAX = 96,
	READINGS_MAX = 260,
	CHANGES_MAX = 60 /* of single values */
};

/* Bytes of the input; 0 when they have run out. */
struct bytes {
	const uint8_t *data;
	size_t size;
};

static uint8_t take(struct bytes *bytes)
{
	if (!bytes->size)
		return 0;
	bytes->size--;
	return *bytes->data++;
}

static unsigned take16(struct bytes *bytes)
{
	unsigned high = take(bytes);

	return high << 8 | take(bytes);
}

/* A hostile number. */
static double take_number(struct bytes *bytes)
{
	static const double odd[] = {0, -0.0, 1, -1, 1e-9, 1e-300, 1e300, -1e300, 5e-324, 1024,
		1e9, 1e18, 0.5, 6.6, 1.1, 1e-3, 1e-6, 250, 3600e3};
	uint8_t which = take(bytes);

	if (which == 254)
		return (double)NAN;
	if (which == 255)
		return HUGE_VAL;
	if (which < sizeof(odd) / sizeof(odd[0]))
		return odd[which];
	return ldexp((double)(int8_t)take(bytes), (int)(which % 64) - 40);
}

static int64_t take_time(struct bytes *bytes)
{
	static const int64_t odd[] = {0, INT64_MAX, INT64_MIN, 1, -1, INT64_MAX / 2,
		INT64_C(1700000000000000000), INT64_C(3600000000000)};
	uint8_t which = take(bytes);

	if (which < sizeof(odd) / sizeof(odd[0]))
		return odd[which];
	return (int64_t)take16(bytes) << (which % 44);
}

struct run {
	struct jm_timeline timeline;
	struct jm_power_log log;
	double power_w[LAYERS_MAX];
	double duration_ms[LAYERS_MAX];
	double poll_ms, round_ms, window_ms, pause_ms, noise_w;
	size_t layers, cycles;
	uint64_t seed;
};

static double uniform(struct run *run)
{
	uint64_t z = run->seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static void draw(struct run *run, struct bytes *bytes)
{
	static const double times_ms[] = {0.3, 0, 1e-6, 0.02, 1, 5, 40, 0.0005};

	run->layers = 1 + take(bytes) % LAYERS_MAX;
	run->cycles = 1 + take(bytes) % CYCLES_MAX;
	run->seed = take(bytes);
	run->poll_ms = 0.1 + 0.02 * take(bytes);
	run->round_ms = 0.5 + 0.05 * take(bytes);
	run->window_ms = run->round_ms * (1 + take(bytes)) / 256;
	run->pause_ms = 0.01 * take(bytes);
	run->noise_w = 0.001 * take(bytes);
	for (size_t k = 0; k < run->layers; k++) {
		uint8_t which = take(bytes);

		run->duration_ms[k] = which < sizeof(times_ms) / sizeof(times_ms[0])
					      ? times_ms[which]
					      : 0.02 * which;
		run->power_w[k] = 0.05 * take(bytes);
	}
}

/* Energy in J up to at_ms, by whole cycles that are all alike. */
static double energy_at(const struct run *run, double at_ms)
{
	double cycle_ms = run->pause_ms, cycle_mj = run->pause_ms, rest, mj;

	for (size_t k = 0; k < run->layers; k++) {
		cycle_ms += run->duration_ms[k];
		cycle_mj += run->duration_ms[k] * run->power_w[k];
	}
	if (!(cycle_ms > 0))
		return at_ms * 1e-3;
	rest = at_ms - cycle_ms * floor(at_ms / cycle_ms);
	mj = floor(at_ms / cycle_ms) * cycle_mj;
	for (size_t k = 0; k < run->layers; k++) {
		double own = fmin(rest, run->duration_ms[k]);

		mj += own * run->power_w[k];
		rest -= own;
	}
	return (mj + rest) * 1e-3;
}

static double make_timeline(struct run *run, struct bytes *bytes)
{
	static const char *const types[] = {"conv", NULL, "pool", "Unknown", "conv"};
	enum jm_stamp stamp = (enum jm_stamp)(1 + take(bytes) % 3);
	int whole = take(bytes) & 1;
	double at_ms = 0, jitter_ms = 0.001 * (take(bytes) % 32);

	run->timeline.stamp = stamp;
	for (size_t k = 0; k < run->layers; k++) {
		char name[16];

		snprintf(name, sizeof(name), "layer %zu", k);
		jm_timeline_add_layer(&run->timeline, name, types[k], NULL);
	}
	for (size_t cycle = 0; cycle < run->cycles; cycle++) {
		for (size_t k = 0; k < run->layers; k++) {
			double d = run->duration_ms[k], ms = at_ms + jitter_ms * uniform(run);
			struct jm_execution execution = {0, d};

			if (stamp != JM_STAMP_BEGIN)
				ms += d;
			execution.stamp_ns = (int64_t)(ms * 1e6);
			if (whole)
				execution.stamp_ns -= execution.stamp_ns % 1000;
			jm_timeline_append(&run->timeline, k, execution, NULL);
			at_ms += d;
		}
		at_ms += run->pause_ms;
	}
	return at_ms;
}

static void make_log(struct run *run, struct bytes *bytes, double end_ms)
{
	enum jm_quantity quantity = (enum jm_quantity)(1 + take(bytes) % 3);
	double quantum_w = 0.002 * take(bytes), delay_ms = 0.02 * take(bytes), value = 0;
	double lead_ms = take(bytes), poll_ms = run->poll_ms;
	double at_ms = -lead_ms, tick_ms = at_ms;
	double scale = (take(bytes) & 7) == 1 ? take_number(bytes) : 1;

	poll_ms = fmax(poll_ms, (end_ms + 2 * lead_ms) / READINGS_MAX);
	jm_power_log_add_rail(&run->log, "rail", quantity, NULL);
	for (; at_ms < end_ms + lead_ms; at_ms += poll_ms * (1 + 0.1 * uniform(run))) {
		int64_t ns = (int64_t)(at_ms * 1e6);
		struct jm_reading reading = {ns, ns + 20000, {0, 0}};

		if (tick_ms + run->round_ms <= at_ms) {
			tick_ms += run->round_ms * floor((at_ms - tick_ms) / run->round_ms);
			value = energy_at(run, tick_ms - delay_ms);
			if (quantity != JM_QUANTITY_UJ)
				value = (value - energy_at(run,
							 tick_ms - delay_ms - run->window_ms)) /
						run->window_ms * 1e3 +
					run->noise_w * uniform(run);
			if (quantum_w > 0)
				value = quantum_w * round(value / quantum_w);
		}
		reading.value[0] = quantity == JM_QUANTITY_MV_MA ? 5000 : value * 1e6 * scale;
		reading.value[1] = value * 200 * scale;
		jm_power_log_append(&run->log, 0, &reading, NULL);
	}
}

static void change_execution(struct run *run, struct bytes *bytes)
{
	struct jm_layer *layer = &run->timeline.layers[take(bytes) % run->layers];
	uint8_t how = take(bytes);
	struct jm_execution *execution, *other;

	if (!layer->n_executions)
		return;
	execution = &layer->executions[take(bytes) % layer->n_executions];
	other = &layer->executions[take(bytes) % layer->n_executions];
	switch (how % 7) {
	case 0:
		execution->stamp_ns = take_time(bytes);
		break;
	case 1:
		execution->duration_ms = take_number(bytes);
		break;
	case 2:
		execution->stamp_ns = other->stamp_ns;
		break;
	case 3:
		layer->n_executions = (size_t)(execution - layer->executions);
		break;
	case 4: /* faster from here on */
		for (; execution < layer->executions + layer->n_executions; execution++)
			execution->duration_ms *= 0.8;
		break;
	case 5:
		execution->stamp_ns += (int16_t)take16(bytes) * INT64_C(1000);
		break;
	default:
		for (size_t j = 0; j < layer->n_executions; j++)
			layer->executions[j].duration_ms = execution->duration_ms;
		break;
	}
}

static void change_reading(struct run *run, struct bytes *bytes)
{
	struct jm_rail *rail = &run->log.rails[0];
	struct jm_reading *reading, *other;
	uint8_t how = take(bytes);
	double number;

	if (!rail->n_readings)
		return;
	reading = &rail->readings[take16(bytes) % rail->n_readings];
	other = &rail->readings[take16(bytes) % rail->n_readings];
	switch (how % 8) {
	case 0:
		reading->after_ns = take_time(bytes);
		break;
	case 1:
		reading->before_ns = take_time(bytes);
		break;
	case 2:
		reading->value[take(bytes) & 1] = take_number(bytes);
		break;
	case 3:
		reading->after_ns = other->after_ns;
		break;
	case 4:
		rail->n_readings = (size_t)(reading - rail->readings);
		break;
	case 5: /* constant, or a step, from here on */
		number = take_number(bytes);
		for (; reading < rail->readings + rail->n_readings; reading++)
			reading->value[1] = reading->value[0] = number;
		break;
	case 6: /* as one that has read since long before */
		for (; reading < rail->readings + rail->n_readings; reading++)
			reading->before_ns = other->before_ns;
		break;
	default:
		*reading = *other;
		break;
	}
}

static void draw_prior(struct jm_fit_input *input, struct bytes *bytes)
{
	struct jm_fit_prior *prior = &input->prior;
	double *const numbers[] = {&prior->round_ms, &prior->window_ms, &prior->delay_min_ms,
		&prior->delay_max_ms, &prior->delay_ms, &prior->delay_sd_ms, &prior->tau_ms,
		&prior->tau_sd_ms, &prior->window_sd_ms, &input->given.delay_ms,
		&input->given.tau_ms, &input->given.window_ms, &input->given.round_ms,
		&input->idle_power_w};
	static const unsigned samples[] = {0, 1, 4, 64, 1024, 2, 16, UINT32_MAX};
	uint8_t flags = take(bytes), n = take(bytes) % 8;

	prior->blocking = (flags & 7) == 1;
	prior->stamped = (flags & 7) == 2;
	input->keep_clock = flags >> 3 & 1;
	prior->samples = samples[flags >> 5];
	for (uint8_t i = 0; i < n; i++) {
		size_t which = take(bytes) % (sizeof(numbers) / sizeof(numbers[0]));

		*numbers[which] = take_number(bytes);
	}
}

static void expect(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fit: not so: %s\n", what);
	abort();
}

#define EXPECT(condition) expect(condition, #condition)

static int is_sd(double sd)
{
	return isnan(sd) || (sd >= 0 && isfinite(sd));
}

static void check_row(const struct jm_fit_layer *row)
{
	EXPECT(is_sd(row->power_sd_w));
	EXPECT(is_sd(row->energy_sd_mj));
	EXPECT(is_sd(row->readings));
	EXPECT(isnan(row->power_w) || isfinite(row->power_w));
	EXPECT(isnan(row->power_w) == isnan(row->power_sd_w));
	EXPECT(isnan(row->power_w) ||
		(row->power_lo_w <= row->power_w && row->power_w <= row->power_hi_w));
	EXPECT(row->resolved == JM_RESOLVED_NO || isfinite(row->power_w));
	EXPECT(row->resolved == JM_RESOLVED_NO || isfinite(row->energy_mj) ||
		isnan(row->runtime_ms)); /* outside of cycles */
	EXPECT(isnan(row->energy_share) || isfinite(row->energy_share));
	EXPECT((row->resolved == JM_RESOLVED_GROUP) == (row->group >= 0));
	EXPECT(row->group < 0 || (row->group_energy_sd_mj >= 0 && row->group_energy_mj > 0));
}

static void check(const struct jm_fit_result *result)
{
	const struct jm_fit_diagnostics *diagnostics = &result->diagnostics;
	const struct jm_fit_response *response = &result->response;
	size_t resolved = 0;

	for (size_t k = 0; k < result->n_layers; k++) {
		check_row(&result->layers[k]);
		resolved += result->layers[k].resolved == JM_RESOLVED_YES;
	}
	check_row(&result->gap);
	check_row(&result->between);
	check_row(&result->idle);
	EXPECT(resolved == result->n_resolved);
	EXPECT(memchr(result->advice, 0, sizeof(result->advice)) != NULL);
	EXPECT((result->advice[0] != 0) == (result->n_resolved < result->n_layers));
	EXPECT((result->cause != JM_CAUSE_NONE) == (result->n_resolved < result->n_layers));
	EXPECT(isnan(result->cycles_needed) || result->cycles_needed >= 1);
	EXPECT(isfinite(response->delay_ms) && is_sd(response->delay_sd_ms));
	EXPECT(response->tau_ms >= 0 && is_sd(response->tau_sd_ms));
	EXPECT(response->window_ms > 0 && is_sd(response->window_sd_ms));
	EXPECT(response->round_ms >= 0 && response->shape >= 0);
	EXPECT(diagnostics->inflation >= 1 && isfinite(diagnostics->inflation));
	EXPECT(diagnostics->noise_w >= 0 && isfinite(diagnostics->noise_w));
	EXPECT(diagnostics->quantum_w >= 0 && isfinite(diagnostics->quantum_w));
	EXPECT(fabs(diagnostics->autocorrelation) <= 1.0001);
	EXPECT(diagnostics->robust_share >= 0 && diagnostics->robust_share <= 1);
	EXPECT(diagnostics->phase_fill >= 0 && diagnostics->phase_fill <= 1);
	EXPECT(diagnostics->drift_w >= 0 && isfinite(diagnostics->log_likelihood));
	EXPECT(isfinite(result->closure.cycle_ms));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = {data, size};
	struct run run = {.layers = 0};
	struct jm_fit_result result;
	struct jm_fit_input input;
	struct jm_error error = {0};
	int code;

	jm_timeline_init(&run.timeline);
	jm_power_log_init(&run.log);
	draw(&run, &bytes);
	make_log(&run, &bytes, make_timeline(&run, &bytes));
	jm_fit_input_init(&input);
	input.rail = &run.log.rails[0];
	input.timeline = &run.timeline;
	draw_prior(&input, &bytes);
	for (int i = 0; i < CHANGES_MAX && bytes.size; i++) {
		if (take(&bytes) & 1)
			change_execution(&run, &bytes);
		else
			change_reading(&run, &bytes);
	}
	code = jm_attribute_fit(&input, &result, &error);
	if (code == 0)
		check(&result);
	else
		EXPECT(code == JM_EINVAL && error.code == code && error.message[0]);
	jm_fit_result_release(&result);
	jm_timeline_release(&run.timeline);
	jm_power_log_release(&run.log);
	return 0;
}
