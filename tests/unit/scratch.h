/* SPDX-License-Identifier: Apache-2.0 */
/* Small files and random numbers for tests; include unit.h first. */
#ifndef JM_TESTS_SCRATCH_H
#define JM_TESTS_SCRATCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

/* A path in a folder of this process, which is removed by scratch_remove. */
static inline const char *scratch_path(const char *name)
{
	static char paths[4][128];
	static unsigned turn;
	char *path = paths[turn++ % 4];
	char folder[64];

	snprintf(folder, sizeof(folder), "scratch.%ld", (long)getpid());
	assert_int_equal(jm_folder_make(folder, NULL), 0);
	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

/* cmocka group teardown. */
static inline int scratch_remove(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf scratch.%ld", (long)getpid());
	return system(command) == 0 ? 0 : -1;
}

static inline const char *scratch_write(const char *name, const char *text)
{
	const char *path = scratch_path(name);

	assert_int_equal(jm_file_write(path, text, strlen(text), NULL), 0);
	return path;
}

/* Whole file as text; freed by the caller. */
static inline char *scratch_read(const char *path)
{
	struct jm_error error = {0};
	char *text = NULL;
	size_t size = 0;

	if (jm_file_read(path, (size_t)1 << 30, &text, &size, &error) < 0)
		fail_msg("%s", error.message);
	return text;
}

static inline void assert_same_files(const char *path, const char *expected_path)
{
	char *text = scratch_read(path), *expected = scratch_read(expected_path);

	if (strcmp(text, expected) != 0) {
		size_t i = 0, line = 1;

		for (; text[i] == expected[i]; i++)
			line += text[i] == '\n';
		fail_msg("%s differs from %s at byte %zu, line %zu", path, expected_path, i + 1,
			line);
	}
	free(text);
	free(expected);
}

static inline uint64_t scratch_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* A random number in [low, high). */
static inline double scratch_uniform(uint64_t *state, double low, double high)
{
	return low + (high - low) * (double)(scratch_random(state) >> 11) * 0x1p-53;
}

#endif
