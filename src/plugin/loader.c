/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/build.h"
#include "base/error.h"
#include "engines/registry.h"
#include "plugin/shared_object.h"
#include "sensors/registry.h"

typedef const struct jm_plugin *entry_fn(void);

/*
 * What is loaded stays so until the process ends, as the registries do that
 * point into it: hence at file scope.
 */
static struct jm_loaded_plugin *loaded;
static size_t n_loaded, loaded_capacity;

const struct jm_loaded_plugin *jm_plugins(size_t *ret_n)
{
	*ret_n = n_loaded;
	return loaded;
}

/* ---- Is it one, and for this joulemap? -------------------------------------- */

static int fail(const char *path, const char *what, struct jm_error *reterr)
{
	return jm_fail(reterr, JM_EINVAL, "plug-in '%s' %s", path, what);
}

/* What each of them was built with is looked at where it is registered. */
static int check_lists(
	const char *path, const struct jm_plugin *plugin, struct jm_error *reterr)
{
	if (plugin->n_sensors && !plugin->sensors)
		return fail(path, "counts sensors but has none", reterr);
	if (plugin->n_engines && !plugin->engines)
		return fail(path, "counts engines but has none", reterr);
	for (size_t i = 0; i < plugin->n_sensors; i++)
		if (!plugin->sensors[i])
			return fail(path, "has a sensor that is NULL", reterr);
	for (size_t i = 0; i < plugin->n_engines; i++)
		if (!plugin->engines[i])
			return fail(path, "has an engine that is NULL", reterr);
	return 0;
}

/* Whom it was built for comes first: nothing else of it can be read before. */
static int check_plugin(
	const char *path, const struct jm_plugin *plugin, struct jm_error *reterr)
{
	const struct jm_build here = {JM_PLUGIN_ABI, sizeof(struct jm_plugin)};
	char what[300];
	int result;

	if (!plugin)
		return fail(path, "returns NULL from joulemap_plugin()", reterr);
	snprintf(what, sizeof(what), "plug-in '%.200s'", path);
	result = jm_build_check(
		what, "plugin.h", (struct jm_build){plugin->abi, plugin->size}, here, reterr);
	if (result < 0)
		return result;
	if (!plugin->name || !*plugin->name || !plugin->version || !*plugin->version)
		return fail(path, "has no name, or no version of its own", reterr);
	for (size_t i = 0; i < n_loaded; i++)
		if (strcmp(loaded[i].plugin->name, plugin->name) == 0)
			return jm_fail(reterr, JM_EINVAL,
				"plug-in '%.200s' is called '%.60s', as '%.200s' is, which is "
				"loaded: "
				"give it a name of its own",
				path, plugin->name, loaded[i].path);
	if (!plugin->n_sensors && !plugin->n_engines)
		return fail(path, "brings neither sensor nor engine", reterr);
	return check_lists(path, plugin, reterr);
}

/* ---- Loading ------------------------------------------------------------------ */

/* Everything it brings, or nothing. */
static int add_all(const char *path, const struct jm_plugin *plugin, struct jm_error *reterr)
{
	struct jm_error error = {.code = 0};
	size_t n_sensors, n_engines;
	int result = 0;

	jm_sensors(&n_sensors);
	jm_engines(&n_engines);
	for (size_t i = 0; i < plugin->n_sensors && result == 0; i++)
		result = jm_sensors_add(plugin->sensors[i], &error);
	for (size_t i = 0; i < plugin->n_engines && result == 0; i++)
		result = jm_engines_add(plugin->engines[i], &error);
	if (result == 0)
		return 0;
	jm_sensors_keep(n_sensors);
	jm_engines_keep(n_engines);
	return jm_fail(
		reterr, (enum jm_code)result, "plug-in '%.200s': %s", path, error.message);
}

static int open_object(const char *path, const char *real, void **ret_handle,
	entry_fn **ret_entry, struct jm_error *reterr)
{
	void *symbol;

	*ret_handle = dlopen(real, RTLD_NOW | RTLD_LOCAL);
	if (!*ret_handle)
		return jm_fail(reterr, JM_EFORMAT,
			"plug-in cannot be loaded, %s (a plug-in links all that it uses, and "
			"nothing of joulemap)",
			dlerror());
	symbol = dlsym(*ret_handle, "joulemap_plugin");
	if (!symbol)
		return jm_fail(reterr, JM_EFORMAT,
			"'%s' is no plug-in of joulemap: it has no function joulemap_plugin(), "
			"see joulemap/plugin.h",
			path);
	memcpy(ret_entry, &symbol, sizeof(*ret_entry));
	return 0;
}

static int load(const char *path, const char *real, struct jm_error *reterr)
{
	const struct jm_plugin *plugin = NULL;
	entry_fn *entry = NULL;
	void *handle = NULL;
	int result = open_object(path, real, &handle, &entry, reterr);

	if (result == 0) {
		plugin = entry();
		result = check_plugin(path, plugin, reterr);
	}
	if (result == 0)
		result = add_all(path, plugin, reterr);
	if (result == 0)
		loaded[n_loaded].plugin = plugin;
	else if (handle)
		dlclose(handle);
	return result;
}

static int is_loaded(const char *real)
{
	for (size_t i = 0; i < n_loaded; i++)
		if (strcmp(loaded[i].path, real) == 0)
			return 1;
	return 0;
}

/* Room for one more. */
static int make_room(struct jm_error *reterr)
{
	void *grown = jm_array_grow(loaded, &loaded_capacity, n_loaded + 1, sizeof(*loaded));

	if (!grown)
		return jm_fail_memory(reterr, "the plug-ins");
	loaded = grown;
	return 0;
}

int jm_plugin_load(const char *path, struct jm_error *reterr)
{
	char *real;
	int result = jm_shared_object_check(path, reterr);

	if (result < 0)
		return result;
	/* dlopen looks for names without '/' elsewhere. */
	real = realpath(path, NULL);
	if (!real)
		return jm_fail_errno(reterr, errno, "cannot open '%s'", path);
	if (is_loaded(real)) {
		free(real);
		return 0;
	}
	result = make_room(reterr);
	if (result == 0)
		result = load(path, real, reterr);
	if (result == 0)
		loaded[n_loaded++].path = real;
	else
		free(real);
	return result;
}
