/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attribution without files: from arrays of readings and executions to power
 * by layer. A made-up board stands in for the two logs.
 *
 *     cc attribute_arrays.c $(pkg-config --cflags --libs joulemap) -lm
 */
#include <stdio.h>
#include <stdlib.h>

#include <joulemap/joulemap.h>

#define CYCLES 20000
#define LAYERS 3
#define CYCLE_NS 2400000
#define ROUND_NS 6600000
#define WINDOW_NS 1100000
#define POLL_NS 1330000

static const char *const names[LAYERS] = {"conv1", "pool1", "fc1"};
static const double power_w[LAYERS] = {9.5, 5.5, 7.0};
static const int64_t duration_ns[LAYERS] = {600000, 150000, 250000};
static const double idle_w = 4.2;

/* Where cycle `i` begins: a random pause keeps it from following the sensor. */
static int64_t cycle_begin(int64_t i)
{
	uint64_t z = (uint64_t)i * UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 31)) * UINT64_C(0x94d049bb133111eb);
	return 500000000 + i * CYCLE_NS + (int64_t)((z >> 40) % 1200000);
}

/* Energy that layers of one cycle draw above idle up to a moment, W ns. */
static double cycle_energy(int64_t cycle, int64_t until_ns)
{
	int64_t at = cycle_begin(cycle);
	double sum = 0;

	for (int k = 0; k < LAYERS; k++) {
		int64_t run = until_ns - at;

		run = run < 0 ? 0 : run < duration_ns[k] ? run : duration_ns[k];
		sum += (power_w[k] - idle_w) * (double)run;
		at += duration_ns[k];
	}
	return sum;
}

/* What the sensor says of the window that ends at end_ns, in uW. */
static double conversion_uw(int64_t end_ns)
{
	int64_t first = (end_ns - 500000000) / CYCLE_NS - 2;
	double sum = idle_w * WINDOW_NS;

	for (int64_t i = first < 0 ? 0 : first; i < first + 4 && i < CYCLES; i++)
		sum += cycle_energy(i, end_ns) - cycle_energy(i, end_ns - WINDOW_NS);
	return 1e3 * (double)(int64_t)(sum / WINDOW_NS * 1e3 + 0.5); /* whole mW */
}

static int make_timeline(struct jm_timeline *timeline, struct jm_error *error)
{
	int result = 0;

	for (int k = 0; k < LAYERS && result >= 0; k++)
		result = jm_timeline_add_layer(timeline, names[k], NULL, error);
	for (int64_t i = 0; i < CYCLES && result >= 0; i++) {
		int64_t at = cycle_begin(i);

		for (size_t k = 0; k < LAYERS && result >= 0; k++) {
			struct jm_execution execution = {at, (double)duration_ns[k] * 1e-6};

			result = jm_timeline_append(timeline, k, execution, error);
			at += duration_ns[k];
		}
	}
	timeline->stamp = JM_STAMP_BEGIN;
	return result;
}

static int make_log(struct jm_power_log *log, struct jm_error *error)
{
	int64_t end = cycle_begin(CYCLES) + 400000000;
	int result = jm_power_log_add_rail(log, "VDD_IN", JM_QUANTITY_UW, error);

	for (int64_t at = 20000000; at < end && result >= 0; at += POLL_NS) {
		struct jm_reading reading = {at - 400000, at, {0, 0}};

		reading.value[0] = conversion_uw((at - 300000) / ROUND_NS * ROUND_NS);
		result = jm_power_log_append(log, 0, &reading, error);
	}
	return result;
}

static void print(const struct jm_fit_result *result)
{
	for (size_t k = 0; k < result->n_layers; k++) {
		const struct jm_fit_layer *layer = &result->layers[k];

		printf("%-6s %6.3f +- %.3f W (%.1f W drawn), %.4f mJ, resolved: %s\n", names[k],
			layer->power_w, layer->power_sd_w, power_w[k], layer->energy_mj,
			jm_resolved_name(layer->resolved));
	}
	printf("delay %.3f ms, closure %+.2f %%\n", result->response.delay_ms,
		100 * result->closure.difference_mj / result->closure.measured_mj);
}

int main(void)
{
	struct jm_timeline timeline;
	struct jm_power_log log;
	struct jm_fit_input input;
	struct jm_fit_result result;
	struct jm_error error;
	int status;

	jm_timeline_init(&timeline);
	jm_power_log_init(&log);
	status = make_timeline(&timeline, &error);
	if (status >= 0)
		status = make_log(&log, &error);
	if (status >= 0) {
		jm_fit_input_init(&input);
		input.rail = &log.rails[0];
		input.timeline = &timeline;
		input.prior.window_ms = 1.1; /* what is known of the sensor */
		status = jm_attribute_fit(&input, &result, &error);
	}
	if (status >= 0) {
		print(&result);
		jm_fit_result_release(&result);
	} else {
		fprintf(stderr, "%s\n", error.message);
	}
	jm_timeline_release(&timeline);
	jm_power_log_release(&log);
	return status < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
