/* SPDX-License-Identifier: Apache-2.0 */
#include "run/fit_file.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "run/fit_keys.h"

#define FIT_FILE_MAX ((size_t)1 << 30)
#define ENDS_BYTES ((size_t)64 << 10)

void jm_fit_file_init(struct jm_fit_file *file)
{
	jm_keys_init(&jm_fit_file_keys, file);
	jm_timeline_init(&file->timeline);
}

void jm_fit_file_release(struct jm_fit_file *file)
{
	jm_timeline_release(&file->timeline);
	jm_keys_release(&jm_fit_file_keys, file);
}

int jm_fit_file_set_layers(
	struct jm_fit_file *file, const struct jm_timeline *timeline, struct jm_error *reterr)
{
	jm_timeline_release(&file->timeline);
	jm_timeline_init(&file->timeline);
	file->timeline.stamp = timeline->stamp;
	for (size_t i = 0; i < timeline->n_layers; i++) {
		const struct jm_layer *layer = &timeline->layers[i];
		int index = jm_timeline_add_layer(
			&file->timeline, layer->name, layer->type, reterr);

		if (index < 0)
			return index;
		file->timeline.layers[index].macs = layer->macs;
		file->timeline.layers[index].parameters = layer->parameters;
		file->timeline.layers[index].bytes = layer->bytes;
	}
	return 0;
}

struct jm_fit_of_rail *jm_fit_file_add(struct jm_fit_file *file)
{
	struct jm_fit_of_rail *fits =
		realloc(file->fits, (file->n_fits + 1) * sizeof(*file->fits));

	if (!fits)
		return NULL;
	file->fits = fits;
	jm_keys_init(&jm_fit_of_rail_keys, &fits[file->n_fits]);
	return &fits[file->n_fits++];
}

/* ---- What it was made from ------------------------------------------------------------ */

static int look_at(const char *path, struct jm_fit_source *source, struct jm_error *reterr)
{
	struct stat status;

	if (stat(path, &status) != 0)
		return jm_fail_errno(reterr, errno, "cannot look at '%s'", path);
	source->size_bytes = (int64_t)status.st_size;
	source->mtime_ns =
		(int64_t)status.st_mtim.tv_sec * JM_NS_PER_S + (int64_t)status.st_mtim.tv_nsec;
	return 0;
}

/* What follows `folder` in `path`, borrowed; NULL: it lies elsewhere. */
static const char *path_within(const char *path, const char *folder, size_t length)
{
	while (length > 1 && folder[length - 1] == '/')
		length--;
	if (strncmp(path, folder, length) != 0 || path[length] != '/')
		return NULL;
	path += length;
	while (*path == '/')
		path++;
	return path;
}

/* Relative to `folder`, where it lies in there or beside it; else from the root. */
static int name_source(struct jm_fit_source *source, const char *path, const char *folder,
	struct jm_error *reterr)
{
	const char *name = jm_path_name(folder);
	const char *within = path_within(path, folder, strlen(folder));
	char *whole;

	if (within) {
		jm_text_copy(source->path, sizeof(source->path), within);
		return 0;
	}
	if (name[0] && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
		within = name == folder ? path_within(path, ".", 1)
					: path_within(path, folder, (size_t)(name - folder));
	if (within && !strchr(within, '/')) {
		snprintf(
			source->path, sizeof(source->path), "../%.*s", JM_PATH_MAX - 4, within);
		return 0;
	}
	whole = realpath(path, NULL);
	if (!whole)
		return jm_fail_errno(reterr, errno, "cannot look at '%s'", path);
	jm_text_copy(source->path, sizeof(source->path), whole);
	free(whole);
	return 0;
}

int jm_fit_file_add_source(struct jm_fit_file *file, const char *what, const char *path,
	const char *folder, struct jm_error *reterr)
{
	struct jm_fit_source *sources =
		realloc(file->sources, (file->n_sources + 1) * sizeof(*sources));
	struct jm_fit_source *source;
	int result;

	if (!sources)
		return jm_fail_memory(reterr, "the files of a fit");
	file->sources = sources;
	source = &sources[file->n_sources++];
	memset(source, 0, sizeof(*source));
	jm_text_copy(source->what, sizeof(source->what), what);
	result = look_at(path, source, reterr);
	if (result == 0)
		result = name_source(source, path, folder, reterr);
	if (result == 0)
		result = jm_hash_file_ends(path, ENDS_BYTES, source->ends_hash, reterr);
	return result;
}

/* Also where it cannot be looked at any more. */
static int is_changed(const struct jm_fit_source *source, const char *folder)
{
	char path[JM_PATH_MAX], hash[65];
	struct jm_fit_source now;

	if (source->path[0] == '/')
		jm_text_copy(path, sizeof(path), source->path);
	else if (jm_path_join(path, folder, source->path, NULL) < 0)
		return 1;
	if (look_at(path, &now, NULL) < 0 || now.size_bytes != source->size_bytes)
		return 1;
	if (now.mtime_ns == source->mtime_ns)
		return 0;
	return jm_hash_file_ends(path, ENDS_BYTES, hash, NULL) < 0 ||
	       strcmp(hash, source->ends_hash) != 0;
}

int jm_fit_file_is_stale(const struct jm_fit_file *file, const char *folder,
	const struct jm_fit_source **ret_source)
{
	*ret_source = NULL;
	for (size_t i = 0; i < file->n_sources && !*ret_source; i++)
		if (is_changed(&file->sources[i], folder))
			*ret_source = &file->sources[i];
	return *ret_source != NULL;
}

/* ---- Writing ---------------------------------------------------------------------------- */

static json_t *layers_json(const struct jm_timeline *timeline)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < timeline->n_layers; i++) {
		const struct jm_layer *layer = &timeline->layers[i];
		json_t *json = json_pack("{s:o, s:o, s:o, s:o, s:o}", "name",
			jm_json_text(layer->name), "type", jm_json_text(layer->type), "macs",
			jm_json_number(layer->macs), "parameters",
			jm_json_number(layer->parameters), "bytes",
			jm_json_number(layer->bytes));

		if (json_array_append_new(list, json) == 0)
			continue;
		json_decref(list);
		return NULL;
	}
	return list;
}

char *jm_fit_file_format(const struct jm_fit_file *file)
{
	json_t *json =
		jm_json_with_schema(JM_FIT_FILE_SCHEMA, jm_keys_write(&jm_fit_file_keys, file));

	if (json && json_object_set_new(json, "layers", layers_json(&file->timeline)) != 0) {
		json_decref(json);
		json = NULL;
	}
	return jm_json_print_taken(json);
}

int jm_fit_file_write(const char *path, const struct jm_fit_file *file, struct jm_error *reterr)
{
	char *text = jm_fit_file_format(file);
	int result;

	if (!text)
		return jm_fail_memory(reterr, "the description of the fit");
	result = jm_file_write(path, text, strlen(text), reterr);
	free(text);
	return result;
}

/* ---- Reading ---------------------------------------------------------------------------- */

static int read_layers(const char *name, const json_t *list, struct jm_timeline *timeline,
	struct jm_error *reterr)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *json = json_array_get(list, i);
		const char *own = json_string_value(json_object_get(json, "name"));
		const char *type = json_string_value(json_object_get(json, "type"));
		int index;

		if (!own || !type)
			return jm_fail(reterr, JM_EFORMAT,
				"'%s': 'layers[%zu]' has no name or no type", name, i);
		index = jm_timeline_add_layer(timeline, own, type, reterr);
		if (index < 0)
			return index;
		timeline->layers[index].macs = jm_json_get_number(json, "macs");
		timeline->layers[index].parameters = jm_json_get_number(json, "parameters");
		timeline->layers[index].bytes = jm_json_get_number(json, "bytes");
	}
	return 0;
}

static int check(const char *name, const struct jm_fit_file *file, struct jm_error *reterr)
{
	for (size_t i = 0; i < file->n_fits; i++)
		if (file->fits[i].result.n_layers != file->timeline.n_layers)
			return jm_fail(reterr, JM_EFORMAT,
				"'%s': 'fits[%zu].result.layers' has %zu layers, 'layers' has "
				"%zu",
				name, i, file->fits[i].result.n_layers,
				file->timeline.n_layers);
	return 0;
}

static int read_file(
	const char *name, const json_t *json, struct jm_fit_file *file, struct jm_error *reterr)
{
	json_int_t schema = json_integer_value(json_object_get(json, "schema"));
	int result;

	if (schema > JM_FIT_FILE_SCHEMA)
		return jm_fail(reterr, JM_EUNSUPPORTED,
			"'%s' was written by a later version of joulemap (schema %lld): take "
			"that one, or 'joulemap map' again",
			name, (long long)schema);
	if (schema < 1)
		return jm_fail(
			reterr, JM_EFORMAT, "'%s': 'schema' is not a number from 1 on", name);
	result = jm_keys_read(&jm_fit_file_keys, json, name, "", file, reterr);
	if (result == 0)
		result = read_layers(
			name, json_object_get(json, "layers"), &file->timeline, reterr);
	return result < 0 ? result : check(name, file, reterr);
}

int jm_fit_file_parse(const char *name, const char *text, size_t size,
	struct jm_fit_file *ret_file, struct jm_error *reterr)
{
	json_t *json;
	int result = jm_json_parse(name, text, size, &json, reterr);

	jm_fit_file_init(ret_file);
	if (result == 0)
		result = read_file(name, json, ret_file, reterr);
	json_decref(json);
	return result;
}

int jm_fit_file_read(const char *path, struct jm_fit_file *ret_file, struct jm_error *reterr)
{
	json_t *json;
	int result = jm_json_read(path, FIT_FILE_MAX, &json, reterr);

	jm_fit_file_init(ret_file);
	if (result == 0)
		result = read_file(path, json, ret_file, reterr);
	json_decref(json);
	return result;
}
