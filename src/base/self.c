/* SPDX-License-Identifier: Apache-2.0 */
#include "base/self.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

static void cut_name(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash)
		*slash = '\0';
}

void jm_self_program(char ret_path[JM_PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", ret_path, JM_PATH_MAX - 1);

	ret_path[n > 0 ? n : 0] = '\0';
}

void jm_self_program_folder(char ret_path[JM_PATH_MAX])
{
	jm_self_program(ret_path);
	cut_name(ret_path);
}

int jm_self_library_folder(char ret_path[JM_PATH_MAX])
{
	static const char here; /* an address in the file that this code is part of */
	struct link_map *map = NULL;
	Dl_info info;

	ret_path[0] = '\0';
	if (!dladdr1(&here, &info, (void **)&map, RTLD_DL_LINKMAP) || !map || !map->l_name[0])
		return 0; /* the program itself has no name */
	jm_text_copy(ret_path, JM_PATH_MAX, map->l_name);
	cut_name(ret_path);
	return 1;
}
