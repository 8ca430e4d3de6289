/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/plugin.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "engines/onnxruntime/library.h"
#include "engines/onnxruntime/status.h"
#include "engines/onnxruntime/trace.h"

#define VENDOR "joulemap"

_Static_assert(offsetof(struct jm_ort_ep, create_profiler) == 16 * sizeof(void *),
	"slot 16 of an execution provider creates its profiler");
_Static_assert(offsetof(struct jm_ort_ep_factory, is_stream_aware) == 12 * sizeof(void *),
	"slot 12 of a factory tells whether it knows streams");

/* ---- Profiler ------------------------------------------------------------------ */

static void profiler_release(struct jm_ort_ep_profiler *profiler)
{
	(void)profiler; /* lives in the plug-in */
}

static struct OrtStatus *start_profiling(struct jm_ort_ep_profiler *profiler, int64_t offset_ns)
{
	(void)profiler;
	(void)offset_ns;
	return NULL;
}

static struct OrtStatus *start_event(struct jm_ort_ep_profiler *profiler, uint64_t id)
{
	(void)profiler;
	(void)id;
	jm_ort_trace_start_event();
	return NULL;
}

static struct OrtStatus *stop_event(
	struct jm_ort_ep_profiler *profiler, uint64_t id, const struct OrtProfilingEvent *event)
{
	(void)profiler;
	(void)id;
	jm_ort_trace_stop_event(event);
	return NULL;
}

static struct OrtStatus *end_profiling(
	struct jm_ort_ep_profiler *profiler, struct OrtProfilingEventsContainer *container)
{
	(void)profiler;
	(void)container;
	return NULL;
}

/* ---- Execution provider ---------------------------------------------------------- */

static const char *ep_name(const struct jm_ort_ep *ep)
{
	return ep->plugin->name;
}

static struct OrtStatus *get_capability(
	struct jm_ort_ep *ep, const struct OrtGraph *graph, void *support)
{
	(void)support; /* claims no node */
	if (ep->plugin->capture)
		jm_ort_capture_take(ep->plugin->capture, ep->plugin->ort, graph);
	return NULL;
}

static struct OrtStatus *create_profiler(
	struct jm_ort_ep *ep, struct jm_ort_ep_profiler **ret_profiler)
{
	*ret_profiler = ep->plugin->callbacks ? &ep->plugin->profiler : NULL;
	return NULL;
}

/* ---- Factory --------------------------------------------------------------------- */

static const char *factory_name(const struct jm_ort_ep_factory *factory)
{
	return factory->plugin->name;
}

static const char *factory_vendor(const struct jm_ort_ep_factory *factory)
{
	(void)factory;
	return VENDOR;
}

static const char *factory_version(const struct jm_ort_ep_factory *factory)
{
	(void)factory;
	return JM_VERSION;
}

static uint32_t factory_vendor_id(const struct jm_ort_ep_factory *factory)
{
	(void)factory;
	return 0;
}

static struct OrtStatus *get_devices(struct jm_ort_ep_factory *factory,
	const struct OrtHardwareDevice *const *hardware, size_t n, struct OrtEpDevice **devices,
	size_t max, size_t *ret_n)
{
	const struct jm_ort *ort = factory->plugin->ort;

	*ret_n = 0;
	for (size_t i = 0; i < n && max; i++) {
		struct OrtStatus *status;

		if (jm_ort_hardware_type_fn(ort)(hardware[i]) != 0) /* a CPU */
			continue;
		status = jm_ort_create_ep_device_fn(ort)(
			factory, hardware[i], NULL, NULL, &devices[0]);
		if (status)
			return status;
		*ret_n = 1;
		return NULL;
	}
	return NULL;
}

static struct OrtStatus *create_ep(struct jm_ort_ep_factory *factory,
	const struct OrtHardwareDevice *const *hardware,
	const struct OrtKeyValuePairs *const *metadata, size_t n,
	const struct OrtSessionOptions *options, const void *logger, struct jm_ort_ep **ret_ep)
{
	(void)hardware;
	(void)metadata;
	(void)n;
	(void)options;
	(void)logger;
	*ret_ep = &factory->plugin->ep;
	return NULL;
}

static struct OrtStatus *create_data_transfer(
	struct jm_ort_ep_factory *factory, void **ret_transfer)
{
	(void)factory;
	*ret_transfer = NULL;
	return NULL;
}

static bool is_stream_aware(const struct jm_ort_ep_factory *factory)
{
	(void)factory;
	return false;
}

static void release_ep(struct jm_ort_ep_factory *factory, struct jm_ort_ep *ep)
{
	(void)factory; /* both live in the plug-in */
	(void)ep;
}

/* ---- Registration ------------------------------------------------------------------ */

/*
 * The plug-in that is being registered: CreateEpFactories has no argument for
 * it. Set only while jm_ort_plugin_open runs, which one thread does at a time.
 */
static struct jm_ort_plugin *registering;

/* Makes names of providers unique in the process. */
static unsigned serial;

static struct OrtStatus *create_factories(const char *name, const void *base,
	const void *logger, struct jm_ort_ep_factory **ret_factories, size_t max, size_t *ret_n)
{
	(void)name;
	(void)base;
	(void)logger;
	*ret_n = 0;
	if (!max || !registering)
		return NULL;
	ret_factories[0] = &registering->factory;
	*ret_n = 1;
	return NULL;
}

static struct OrtStatus *release_factory(struct jm_ort_ep_factory *factory)
{
	(void)factory;
	return NULL;
}

static void fill(struct jm_ort_plugin *plugin)
{
	uint32_t version = plugin->ort->api_version;

	plugin->factory = (struct jm_ort_ep_factory){.version = version,
		.get_name = factory_name,
		.get_vendor = factory_vendor,
		.get_devices = get_devices,
		.create_ep = create_ep,
		.release_ep = release_ep,
		.get_vendor_id = factory_vendor_id,
		.get_version = factory_version,
		.create_data_transfer = create_data_transfer,
		.is_stream_aware = is_stream_aware,
		.plugin = plugin};
	plugin->ep = (struct jm_ort_ep){.version = version,
		.get_name = ep_name,
		.get_capability = get_capability,
		.create_profiler = create_profiler,
		.plugin = plugin};
	plugin->profiler = (struct jm_ort_ep_profiler){.version = version,
		.release = profiler_release,
		.start_profiling = start_profiling,
		.start_event = start_event,
		.stop_event = stop_event,
		.end_profiling = end_profiling};
}

static int load_module(
	struct jm_ort_plugin *plugin, char ret_path[JM_PATH_MAX], struct jm_error *reterr)
{
	struct jm_ort_module *module;
	int result = jm_ort_module_find(ret_path, reterr);

	if (result < 0)
		return result;
	plugin->module = dlopen(ret_path, RTLD_NOW | RTLD_LOCAL);
	if (!plugin->module)
		return jm_fail(reterr, JM_ENOTFOUND, "cannot load '%s': %s; build it again",
			ret_path, dlerror());
	module = dlsym(plugin->module, "joulemap_ort_module");
	if (!module)
		return jm_fail(reterr, JM_EFORMAT,
			"'%s' is not joulemap's module; build it again, or unset "
			"JOULEMAP_LIB_DIR",
			ret_path);
	module->create = create_factories;
	module->release = release_factory;
	return 0;
}

static int find_device(struct jm_ort_plugin *plugin, struct jm_error *reterr)
{
	const struct jm_ort *ort = plugin->ort;
	const struct OrtEpDevice *const *devices = NULL;
	size_t n = 0;
	int result = jm_ort_check(ort, jm_ort_ep_devices_fn(ort)(plugin->env, &devices, &n),
		reterr, "cannot list execution providers");

	for (size_t i = 0; result == 0 && i < n; i++)
		if (strcmp(jm_ort_ep_name_fn(ort)(devices[i]), plugin->name) == 0)
			plugin->device = devices[i];
	if (result == 0 && !plugin->device)
		result = jm_fail(reterr, JM_EENGINE,
			"ONNX Runtime %s does not offer joulemap's execution provider; give "
			"--engine-option tracing=profile to do without it",
			ort->version);
	return result;
}

int jm_ort_plugin_open(struct jm_ort_plugin *plugin, const struct jm_ort *ort,
	struct OrtEnv *env, int callbacks, struct jm_error *reterr)
{
	char path[JM_PATH_MAX];
	int result;

	memset(plugin, 0, sizeof(*plugin));
	plugin->ort = ort;
	plugin->env = env;
	plugin->callbacks = callbacks;
	snprintf(plugin->name, sizeof(plugin->name), "joulemap.%u", ++serial);
	fill(plugin);
	result = load_module(plugin, path, reterr);
	if (result < 0)
		return result;
	registering = plugin;
	result = jm_ort_check(ort, jm_ort_register_ep_library_fn(ort)(env, plugin->name, path),
		reterr, "cannot register '%s'", path);
	registering = NULL;
	if (result < 0)
		return result;
	plugin->registered = 1;
	return find_device(plugin, reterr);
}

void jm_ort_plugin_close(struct jm_ort_plugin *plugin)
{
	const struct jm_ort *ort = plugin->ort;

	if (plugin->registered)
		jm_ort_ignore(
			ort, jm_ort_unregister_ep_library_fn(ort)(plugin->env, plugin->name));
	if (plugin->module)
		dlclose(plugin->module);
	memset(plugin, 0, sizeof(*plugin));
}

int jm_ort_plugin_append(const struct jm_ort_plugin *plugin, struct OrtSessionOptions *options,
	struct jm_error *reterr)
{
	const struct jm_ort *ort = plugin->ort;

	return jm_ort_check(ort,
		jm_ort_append_ep_fn(ort)(
			options, plugin->env, &plugin->device, 1, NULL, NULL, 0),
		reterr, "cannot add joulemap's execution provider");
}
