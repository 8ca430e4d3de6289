/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest sensor: one rail whose power goes up and down in steps. */
#include <joulemap/plugin.h>

#include <stdio.h>
#include <string.h>

struct steps {
	struct jm_sensor_info info;
	struct jm_rail_info rail;
	int64_t (*now_ns)(void *clock);
	void *clock;
};

static void describe(struct steps *steps)
{
	snprintf(steps->rail.name, sizeof(steps->rail.name), "all");
	steps->rail.quantity = JM_QUANTITY_UW;
	steps->rail.parent = -1;
	snprintf(steps->info.id, sizeof(steps->info.id), "steps:0");
	snprintf(steps->info.path, sizeof(steps->info.path), "nowhere");
	snprintf(steps->info.provenance, sizeof(steps->info.provenance), "made up");
	steps->info.kind = JM_SENSOR_INSTANT;
	steps->info.scope = JM_SCOPE_OTHER;
	steps->info.flags = JM_SENSOR_ON_REQUEST;
	steps->info.poll_ms = 2;
	steps->info.rails = &steps->rail;
	steps->info.n_rails = 1;
}

static int probe(const struct jm_sensor_options *options, const struct jm_sensor_found *found,
	struct jm_error *reterr)
{
	struct steps steps;
	int result;

	(void)options;
	(void)reterr;
	memset(&steps, 0, sizeof(steps));
	describe(&steps);
	result = found->found(found->context, &steps.info);
	return result < 0 ? result : 1;
}

static int open_steps(void *state, const struct jm_sensor_info *info,
	const struct jm_sensor_options *options, struct jm_error *reterr)
{
	struct steps *steps = state;

	(void)info;
	(void)reterr;
	describe(steps);
	steps->now_ns = options->now_ns;
	steps->clock = options->clock;
	return 0;
}

static const struct jm_sensor_info *info_of(const void *state)
{
	return &((const struct steps *)state)->info;
}

static int read_steps(void *state, const struct jm_reading_sink *sink, struct jm_error *reterr)
{
	struct steps *steps = state;
	struct jm_reading reading;

	(void)reterr;
	reading.before_ns = steps->now_ns(steps->clock);
	reading.value[0] = 4e6 + 1e5 * (double)(reading.before_ns / 10000000 % 8);
	reading.value[1] = 0;
	reading.after_ns = steps->now_ns(steps->clock);
	return sink->reading(sink->context, 0, &reading);
}

static void close_steps(void *state)
{
	(void)state;
}

static const struct jm_sensor_ops ops = {
	.abi = JM_SENSOR_ABI,
	.size = sizeof(struct jm_sensor_ops),
	.name = "steps",
	.summary = "made-up power that goes up and down",
	.state_size = sizeof(struct steps),
	.probe = probe,
	.open = open_steps,
	.info = info_of,
	.read = read_steps,
	.close = close_steps,
};

static const struct jm_sensor_ops *const sensors[] = {&ops};

const struct jm_plugin *joulemap_plugin(void)
{
	static const struct jm_plugin plugin = {
		.abi = JM_PLUGIN_ABI,
		.size = sizeof(struct jm_plugin),
		.name = "steps",
		.version = "0.1",
		.sensors = sensors,
		.n_sensors = 1,
	};

	return &plugin;
}
