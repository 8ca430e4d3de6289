/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/catalog.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/self.h"
#include "base/text.h"

#define SUFFIX ".model.gz"
#define FILE_MAX_BYTES ((size_t)16 << 20)
#define PROPOSALS_MAX 3

/* ---- Where it is --------------------------------------------------------------- */

/* share/joulemap/catalog of the prefix that `folder` is in, when it is there. */
static int find_beside(const char *folder, const char *prefix, char ret_path[JM_PATH_MAX])
{
	int length =
		snprintf(ret_path, JM_PATH_MAX, "%s/%s/share/joulemap/catalog", folder, prefix);

	return folder[0] && length < JM_PATH_MAX && jm_path_is_folder(ret_path);
}

/* Beside what runs; libraries may lie in lib/x86_64-linux-gnu. */
static int find_installed(char ret_path[JM_PATH_MAX])
{
	char program[JM_PATH_MAX], library[JM_PATH_MAX];

	jm_self_program_folder(program);
	jm_self_library_folder(library);
	return find_beside(program, "..", ret_path) || find_beside(library, "..", ret_path) ||
	       find_beside(library, "../..", ret_path);
}

int jm_catalog_folder(const char *option, char ret_path[JM_PATH_MAX], struct jm_error *reterr)
{
	const char *wanted = option ? option : getenv("JOULEMAP_CATALOG_DIR");
	char program[JM_PATH_MAX];

	jm_self_program(program);
	if (wanted && *wanted) {
		if (strlen(wanted) >= JM_PATH_MAX || !jm_path_is_folder(wanted))
			return jm_fail(reterr, JM_ENOTFOUND,
				"no catalogue of networks in '%.200s': there is no such folder",
				wanted);
		jm_text_copy(ret_path, JM_PATH_MAX, wanted);
		return 0;
	}
	if (jm_text_starts_with(program, JM_BINARY_DIR "/")) {
		jm_text_copy(ret_path, JM_PATH_MAX, JM_SOURCE_DIR "/catalog");
		if (jm_path_is_folder(ret_path))
			return 0;
	}
	if (find_installed(ret_path))
		return 0;
	jm_text_copy(ret_path, JM_PATH_MAX, JM_INSTALL_DATADIR "/joulemap/catalog");
	if (jm_path_is_folder(ret_path))
		return 0;
	return jm_fail(reterr, JM_ENOTFOUND,
		"no catalogue of networks in '%s'; set JOULEMAP_CATALOG_DIR to its folder",
		JM_INSTALL_DATADIR "/joulemap/catalog");
}

/* ---- Listing ------------------------------------------------------------------- */

/* Names of networks in a folder, as files tell them. */
struct names {
	char (*names)[JM_NAME_MAX];
	size_t n_names, capacity;
};

static int append_name(struct names *names, const char *file, struct jm_error *reterr)
{
	size_t length = strlen(file);

	if (length <= strlen(SUFFIX) || !jm_text_ends_with(file, SUFFIX) || file[0] == '.' ||
		length - strlen(SUFFIX) >= JM_NAME_MAX)
		return 0;
	if (names->n_names == names->capacity) {
		size_t capacity = names->capacity ? names->capacity * 2 : 32;
		void *larger = realloc(names->names, capacity * sizeof(*names->names));

		if (!larger)
			return jm_fail_memory(reterr, "the list of networks");
		names->names = larger;
		names->capacity = capacity;
	}
	jm_text_copy(names->names[names->n_names++], length - strlen(SUFFIX) + 1, file);
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* On success names->names is freed with free(). */
static int list_names(struct names *names, const char *folder, struct jm_error *reterr)
{
	struct dirent *file;
	DIR *stream = opendir(folder);
	int result = 0;

	memset(names, 0, sizeof(*names));
	if (!stream)
		return jm_fail_errno(reterr, errno, "cannot list '%s'", folder);
	while (result == 0 && (file = readdir(stream)) != NULL)
		result = append_name(names, file->d_name, reterr);
	closedir(stream);
	if (result == 0 && names->n_names == 0)
		result = jm_fail(reterr, JM_ENOTFOUND,
			"no network in '%s': no file ends with '" SUFFIX "'", folder);
	if (result < 0) {
		free(names->names);
		memset(names, 0, sizeof(*names));
		return result;
	}
	qsort(names->names, names->n_names, sizeof(*names->names), compare_names);
	return 0;
}

int jm_catalog_list(
	const char *folder, struct jm_catalog_entry **ret_entries, struct jm_error *reterr)
{
	struct jm_catalog_entry *entries = NULL;
	struct names names;
	int result = list_names(&names, folder, reterr);

	if (result < 0)
		return result;
	entries = calloc(names.n_names, sizeof(*entries));
	if (!entries)
		result = jm_fail_memory(reterr, "the list of networks");
	for (size_t i = 0; result == 0 && i < names.n_names; i++) {
		struct jm_catalog_network network;

		result = jm_catalog_open(&network, folder, names.names[i], reterr);
		if (result == 0)
			entries[i] = network.entry;
		jm_catalog_release(&network);
	}
	free(names.names);
	if (result < 0) {
		free(entries);
		return result;
	}
	*ret_entries = entries;
	return (int)names.n_names;
}

/* ---- Loading ------------------------------------------------------------------- */

/*
 * Similar names, nearest first: few edits for the length of the name, or a
 * name that begins like it ("resnet" -> "resnet101, resnet152, resnet18").
 */
static void propose(const struct names *names, const char *name, char *ret_text, size_t size)
{
	size_t limit = strnlen(name, 12) / 3 + 1, used = 0, n = 0;

	ret_text[0] = '\0';
	if (!*name)
		return;
	for (size_t distance = 0; distance <= limit + 1; distance++) {
		for (size_t i = 0; i < names->n_names && n < PROPOSALS_MAX; i++) {
			size_t d = jm_text_distance(name, names->names[i]);

			if (d > limit)
				d = jm_text_starts_with(names->names[i], name) ? limit + 1
									       : SIZE_MAX;
			if (d != distance)
				continue;
			used += (size_t)snprintf(ret_text + used, size - used, "%s'%s'",
				n++ ? ", " : "; did you mean ", names->names[i]);
		}
	}
}

static int fail_unknown(const char *folder, const char *name, struct jm_error *reterr)
{
	char proposals[(JM_NAME_MAX + 16) * PROPOSALS_MAX];
	struct names names;
	int result = list_names(&names, folder, reterr);

	if (result < 0)
		return result;
	propose(&names, name, proposals, sizeof(proposals));
	free(names.names);
	return jm_fail(reterr, JM_ENOTFOUND,
		"the catalogue has no network '%.60s'%s; 'joulemap catalog' shows all", name,
		proposals);
}

int jm_catalog_open(struct jm_catalog_network *network, const char *folder, const char *name,
	struct jm_error *reterr)
{
	char file[JM_NAME_MAX + sizeof(SUFFIX)], path[JM_PATH_MAX];
	char *data = NULL;
	size_t size = 0;
	int result;

	memset(network, 0, sizeof(*network));
	if (!*name || name[0] == '.' || strchr(name, '/') || strlen(name) >= JM_NAME_MAX)
		return fail_unknown(folder, name, reterr);
	snprintf(file, sizeof(file), "%s" SUFFIX, name);
	result = jm_path_join(path, folder, file, reterr);
	if (result < 0)
		return result;
	if (!jm_path_exists(path))
		return fail_unknown(folder, name, reterr);
	result = jm_file_read(path, FILE_MAX_BYTES, &data, &size, reterr);
	if (result < 0)
		return result;
	result = jm_catalog_parse_gzip(network, path, data, size, reterr);
	free(data);
	if (result == 0 && strcmp(network->entry.name, name) != 0) {
		result = jm_fail(reterr, JM_EFORMAT, "'%s' holds the network '%s'", path,
			network->entry.name);
		jm_catalog_release(network);
	}
	return result;
}

void jm_catalog_get_model(const struct jm_catalog_network *network, struct jm_model *ret_model)
{
	memset(ret_model, 0, sizeof(*ret_model));
	ret_model->name = network->entry.name;
	ret_model->bytes = network->onnx;
	ret_model->n_bytes = network->n_onnx_bytes;
	ret_model->weights = network->values;
	if (network->values)
		ret_model->n_weights_bytes = (size_t)network->weights_bytes;
}
