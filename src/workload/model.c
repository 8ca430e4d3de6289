/* SPDX-License-Identifier: Apache-2.0 */
#include "workload/model.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"

void jm_model_name(const char *path, char ret_name[JM_NAME_MAX])
{
	size_t n;

	jm_text_copy(ret_name, JM_NAME_MAX, jm_path_name(path));
	n = strlen(ret_name);
	if (jm_text_ends_with(ret_name, ".onnx"))
		ret_name[n - 5] = '\0';
	for (char *c = ret_name; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.",
			    *c) ||
			(c == ret_name && *c == '.'))
			*c = '_';
	if (!ret_name[0])
		jm_text_copy(ret_name, JM_NAME_MAX, "model");
}

static int find_file(const char *path, struct jm_model_source *source, struct jm_error *reterr)
{
	if (strlen(path) >= sizeof(source->path))
		return jm_fail(reterr, JM_EINVAL, "path '%.60s...' is too long", path);
	jm_text_copy(source->path, sizeof(source->path), path);
	jm_model_name(path, source->name);
	if (jm_path_is_folder(path))
		return jm_fail(reterr, JM_EFORMAT,
			"model '%s' is a folder: give the .onnx file in it", path);
	if (access(path, R_OK) != 0)
		return jm_fail_errno(reterr, errno, "cannot read model '%s'", path);
	return jm_hash_file(path, source->sha256, reterr);
}

static int find_in_catalog(
	const char *name, struct jm_model_source *source, struct jm_error *reterr)
{
	struct jm_catalog_network network;
	int result = jm_catalog_folder(NULL, source->folder, reterr);

	if (result < 0)
		return result;
	result = jm_catalog_open(&network, source->folder, name, reterr);
	if (result < 0)
		return result;
	jm_text_copy(source->name, sizeof(source->name), network.entry.name);
	jm_catalog_release(&network);
	result = snprintf(source->path, sizeof(source->path), "%s/%s.model.gz", source->folder,
		source->name);
	if (result < 0 || (size_t)result >= sizeof(source->path))
		return jm_fail(
			reterr, JM_EINVAL, "path '%.60s...' is too long", source->folder);
	return jm_hash_file(source->path, source->sha256, reterr);
}

int jm_model_find(const char *text, struct jm_model_source *ret_source, struct jm_error *reterr)
{
	memset(ret_source, 0, sizeof(*ret_source));
	if (jm_text_ends_with(text, ".onnx") || strchr(text, '/'))
		return find_file(text, ret_source, reterr);
	return find_in_catalog(text, ret_source, reterr);
}

int jm_model_load(const struct jm_model_source *source, uint64_t seed,
	struct jm_model_data *ret_data, struct jm_error *reterr)
{
	int result;

	memset(ret_data, 0, sizeof(*ret_data));
	if (!source->folder[0]) {
		ret_data->model.name = source->name;
		ret_data->model.path = source->path;
		return 0;
	}
	result = jm_catalog_open(&ret_data->network, source->folder, source->name, reterr);
	if (result == 0)
		result = jm_catalog_make_weights(&ret_data->network, seed, reterr);
	if (result == 0)
		jm_catalog_get_model(&ret_data->network, &ret_data->model);
	return result;
}

void jm_model_release(struct jm_model_data *data)
{
	jm_catalog_release(&data->network);
	memset(data, 0, sizeof(*data));
}
