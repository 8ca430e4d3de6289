/* SPDX-License-Identifier: Apache-2.0 */
/* Plug-ins that must not be loaded: one each, chosen by -DCASE_NAME. */
#include <joulemap/plugin.h>

static int probe_engine(const struct jm_engine_options *options,
	struct jm_engine_info *ret_info, struct jm_error *reterr)
{
	(void)options;
	(void)ret_info;
	(void)reterr;
	return 0;
}

static int open_engine(void *state, const struct jm_engine_options *options,
	struct jm_engine_info *ret_info, struct jm_error *reterr)
{
	(void)state;
	return probe_engine(options, ret_info, reterr);
}

static const struct jm_graph *graph(const void *state)
{
	(void)state;
	return NULL;
}

#ifndef CASE_ENGINE_WITHOUT_RUN
static int run(void *state, const struct jm_span_sink *sink, struct jm_error *reterr)
{
	(void)state;
	(void)sink;
	(void)reterr;
	return 0;
}
#endif

static void close_state(void *state)
{
	(void)state;
}

static int probe_sensor(const struct jm_sensor_options *options,
	const struct jm_sensor_found *found, struct jm_error *reterr)
{
	(void)options;
	(void)found;
	(void)reterr;
	return 0;
}

static int open_sensor(void *state, const struct jm_sensor_info *info,
	const struct jm_sensor_options *options, struct jm_error *reterr)
{
	(void)state;
	(void)info;
	(void)options;
	(void)reterr;
	return 0;
}

static const struct jm_sensor_info *info_of(const void *state)
{
	(void)state;
	return NULL;
}

#ifndef CASE_SENSOR_WITHOUT_READ
static int read_sensor(void *state, const struct jm_reading_sink *sink, struct jm_error *reterr)
{
	(void)state;
	(void)sink;
	(void)reterr;
	return 0;
}
#endif

static const struct jm_engine_ops engine = {
#ifdef CASE_OTHER_ENGINE_ABI
	.abi = JM_ENGINE_ABI + 1,
#else
	.abi = JM_ENGINE_ABI,
#endif
#ifdef CASE_OTHER_ENGINE_SIZE
	.size = sizeof(struct jm_engine_ops) - 8,
#else
	.size = sizeof(struct jm_engine_ops),
#endif
#ifdef CASE_ENGINE_NAME_TAKEN
	.name = "onnxruntime",
#else
	.name = "broken",
#endif
	.summary = "an engine for tests",
	.state_size = 1,
	.probe = probe_engine,
	.open = open_engine,
	.graph = graph,
#ifndef CASE_ENGINE_WITHOUT_RUN
	.run = run,
#endif
	.close = close_state,
};

static const struct jm_sensor_ops sensor = {
#ifdef CASE_OTHER_SENSOR_ABI
	.abi = JM_SENSOR_ABI - 1,
#else
	.abi = JM_SENSOR_ABI,
#endif
	.size = sizeof(struct jm_sensor_ops),
#ifdef CASE_SENSOR_NAME_TAKEN
	.name = "sim",
#else
	.name = "broken",
#endif
	.summary = "a sensor for tests",
	.state_size = 1,
	.probe = probe_sensor,
	.open = open_sensor,
	.info = info_of,
#ifndef CASE_SENSOR_WITHOUT_READ
	.read = read_sensor,
#endif
	.close = close_state,
};

#ifdef CASE_NULL_SENSOR
static const struct jm_sensor_ops *const sensors[] = {&sensor, NULL};
#else
static const struct jm_sensor_ops *const sensors[] = {&sensor, &sensor};
#endif
static const struct jm_engine_ops *const engines[] = {&engine};

static const struct jm_plugin plugin = {
#ifdef CASE_OTHER_PLUGIN_ABI
	.abi = JM_PLUGIN_ABI + 1,
#else
	.abi = JM_PLUGIN_ABI,
#endif
#ifdef CASE_OTHER_PLUGIN_SIZE
	.size = sizeof(struct jm_plugin) + 8,
#else
	.size = sizeof(struct jm_plugin),
#endif
#ifndef CASE_NAMELESS
	.name = "broken",
#endif
	.version = "0.0",
#ifndef CASE_WITHOUT_LIST
	.sensors = sensors,
#endif
	.engines = engines,
#if defined(CASE_SAME_SENSOR_TWICE) || defined(CASE_NULL_SENSOR)
	.n_sensors = 2,
#elif !defined(CASE_EMPTY)
	.n_sensors = 1,
#endif
#ifndef CASE_EMPTY
	.n_engines = 1,
#endif
};

#ifdef CASE_UNDEFINED_SYMBOL
extern void jm_nobody_has_this(void);
#endif

#ifdef CASE_NO_FUNCTION
#define joulemap_plugin not_joulemap_plugin
JM_PLUGIN_EXPORT const struct jm_plugin *joulemap_plugin(void);
#endif

const struct jm_plugin *joulemap_plugin(void)
{
#ifdef CASE_UNDEFINED_SYMBOL
	jm_nobody_has_this();
#endif
	(void)sensors; /* one case does not name them */
#ifdef CASE_NOTHING
	(void)plugin;
	return NULL;
#else
	return &plugin;
#endif
}
