/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated sensor from outside: 3 W, and 8 W while the first layer runs. */
#include <joulemap/plugin.h>

#include <stdio.h>
#include <string.h>

struct made {
	struct jm_sensor_info info;
	struct jm_rail_info rail;
	int64_t (*now_ns)(void *clock);
	void *clock;
};

static void describe(struct made *made)
{
	snprintf(made->rail.name, sizeof(made->rail.name), "all");
	made->rail.quantity = JM_QUANTITY_UW;
	made->rail.parent = -1;
	snprintf(made->info.id, sizeof(made->info.id), "made:0");
	snprintf(made->info.path, sizeof(made->info.path), "made up");
	snprintf(made->info.provenance, sizeof(made->info.provenance), "made up");
	made->info.kind = JM_SENSOR_INSTANT;
	made->info.scope = JM_SCOPE_BOARD;
	made->info.flags = JM_SENSOR_SIMULATED | JM_SENSOR_ON_REQUEST;
	made->info.poll_ms = 1;
	made->info.rails = &made->rail;
	made->info.n_rails = 1;
}

static int probe(const struct jm_sensor_options *options, const struct jm_sensor_found *found,
	struct jm_error *reterr)
{
	struct made made;
	int result;

	(void)options;
	(void)reterr;
	memset(&made, 0, sizeof(made));
	describe(&made);
	result = found->found(found->context, &made.info);
	return result < 0 ? result : 1;
}

static int open_made(void *state, const struct jm_sensor_info *info,
	const struct jm_sensor_options *options, struct jm_error *reterr)
{
	struct made *made = state;

	(void)info;
	(void)reterr;
	describe(made);
	made->now_ns = options->now_ns;
	made->clock = options->clock;
	return 0;
}

static const struct jm_sensor_info *info_of(const void *state)
{
	return &((const struct made *)state)->info;
}

static int read_made(void *state, const struct jm_reading_sink *sink, struct jm_error *reterr)
{
	struct made *made = state;
	struct jm_reading reading = {0, 0, {3e6, 0}};

	(void)reterr;
	reading.before_ns = made->now_ns(made->clock);
	reading.after_ns = made->now_ns(made->clock);
	return sink->reading(sink->context, 0, &reading);
}

static void close_made(void *state)
{
	(void)state;
}

static int runs_at(const struct jm_layer *layer, enum jm_stamp stamp, int64_t at_ns)
{
	for (size_t i = 0; i < layer->n_executions; i++) {
		int64_t stamp_ns = layer->executions[i].stamp_ns;
		int64_t length_ns = (int64_t)(layer->executions[i].duration_ms * 1e6);
		int64_t begin_ns = stamp == JM_STAMP_BEGIN ? stamp_ns : stamp_ns - length_ns;

		if (begin_ns <= at_ns && at_ns < begin_ns + length_ns)
			return 1;
	}
	return 0;
}

static int complete(const struct jm_sensor_info *info, uint64_t seed, struct jm_power_log *log,
	const struct jm_timeline *timeline, const char *truth_path, struct jm_error *reterr)
{
	struct jm_rail *rail = &log->rails[0];
	FILE *truth;

	(void)info;
	(void)seed;
	(void)reterr;
	for (size_t i = 0; i < rail->n_readings; i++)
		rail->readings[i].value[0] = runs_at(&timeline->layers[0], timeline->stamp,
						     rail->readings[i].after_ns)
						     ? 8e6
						     : 3e6;
	truth = truth_path ? fopen(truth_path, "w") : NULL;
	if (truth)
		fprintf(truth, "{\"made_w\": [3, 8]}\n");
	return truth_path && (!truth || fclose(truth) != 0) ? JM_EIO : 0;
}

static const struct jm_sensor_ops made = {
	.abi = JM_SENSOR_ABI,
	.size = sizeof(struct jm_sensor_ops),
	.name = "made",
	.summary = "made-up power",
	.state_size = sizeof(struct made),
	.probe = probe,
	.open = open_made,
	.info = info_of,
	.read = read_made,
	.close = close_made,
	.complete = complete,
};

static const struct jm_sensor_ops *const sensors[] = {&made};

const struct jm_plugin *joulemap_plugin(void)
{
	static const struct jm_plugin plugin = {
		.abi = JM_PLUGIN_ABI,
		.size = sizeof(struct jm_plugin),
		.name = "simulated",
		.version = "2.0",
		.sensors = sensors,
		.n_sensors = 1,
	};

	return &plugin;
}
