/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over every file of a folder: replay FOLDER. */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *folder, const char *name)
{
	struct jm_error error;
	char path[JM_PATH_MAX], *data;
	size_t size;

	if (jm_path_join(path, folder, name, &error) < 0 || jm_path_is_folder(path))
		return 0;
	if (jm_file_read(path, (size_t)1 << 30, &data, &size, &error) < 0) {
		fprintf(stderr, "%s\n", error.message);
		return -1;
	}
	LLVMFuzzerTestOneInput((const uint8_t *)data, size);
	free(data);
	return 1;
}

int main(int argc, char **argv)
{
	DIR *stream = argc == 2 ? opendir(argv[1]) : NULL;
	const struct dirent *entry;
	int files = 0;

	if (!stream) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	while ((entry = readdir(stream)) != NULL) {
		int result = replay(argv[1], entry->d_name);

		if (result < 0)
			return 1;
		files += result;
	}
	closedir(stream);
	printf("%d files\n", files);
	return files ? 0 : 1;
}
