/* SPDX-License-Identifier: Apache-2.0 */
#include "workload/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"

/* Where a shell looks without a PATH. */
#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

static int is_program(const char *path)
{
	return access(path, X_OK) == 0 && !jm_path_is_folder(path);
}

static int search(const char *command, char ret_path[JM_PATH_MAX], struct jm_error *reterr)
{
	const char *at = getenv("PATH");

	for (at = at ? at : DEFAULT_PATH; *at;) {
		size_t length = strcspn(at, ":");
		int n = snprintf(ret_path, JM_PATH_MAX, "%.*s%s%s",
			length < JM_PATH_MAX ? (int)length : JM_PATH_MAX, at,
			length ? "/" : "./", command);

		if (n > 0 && n < JM_PATH_MAX && is_program(ret_path))
			return 0;
		at += length + (at[length] == ':');
	}
	return jm_fail(reterr, JM_ENOTFOUND, "there is no program '%s' in PATH", command);
}

static int find_program(
	const char *command, char ret_path[JM_PATH_MAX], struct jm_error *reterr)
{
	if (strlen(command) >= JM_PATH_MAX)
		return jm_fail(reterr, JM_EINVAL, "path '%.60s...' is too long", command);
	if (!strchr(command, '/'))
		return search(command, ret_path, reterr);
	jm_text_copy(ret_path, JM_PATH_MAX, command);
	if (jm_path_is_folder(command))
		return jm_fail(reterr, JM_EINVAL, "'%s' is a folder, no program", command);
	if (access(command, X_OK) != 0)
		return jm_fail_errno(reterr, errno, "cannot start '%s'", command);
	return 0;
}

int jm_command_find(const char *command, const char *name, struct jm_model_source *ret_source,
	struct jm_error *reterr)
{
	char safe[JM_NAME_MAX];
	int result;

	memset(ret_source, 0, sizeof(*ret_source));
	jm_model_name(name ? name : command, safe);
	if (name && strcmp(safe, name) != 0)
		return jm_fail(reterr, JM_EUSAGE,
			"--model '%s' cannot name the folder of a command's run: take letters, "
			"digits, '_', '-' and '.'",
			name);
	jm_text_copy(ret_source->name, sizeof(ret_source->name), safe);
	result = find_program(command, ret_source->path, reterr);
	/* A program that may be started need not be readable. */
	if (result == 0 && jm_hash_file(ret_source->path, ret_source->sha256, NULL) < 0)
		ret_source->sha256[0] = '\0';
	return result;
}
