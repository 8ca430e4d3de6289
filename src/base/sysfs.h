/* SPDX-License-Identifier: Apache-2.0 */
/* Small text files of sysfs and procfs. */
#ifndef JM_BASE_SYSFS_H
#define JM_BASE_SYSFS_H

#include <stddef.h>
#include <sys/types.h>

#include "joulemap/joulemap.h"

/*
 * Reads FOLDER/NAME into ret_text, cut at size - 1 bytes, white space and '\0'
 * at its end removed. Returns the length or the error of open or read.
 */
int jm_sysfs_text(const char *folder, const char *name, char *ret_text, size_t size,
	struct jm_error *reterr);

/* First line of a small file, without its end; 0 when there is none, else 1. */
int jm_sysfs_line(const char *path, char *ret_text, size_t size);

/* As jm_sysfs_text, for one integer. 0; JM_EFORMAT when it holds anything else. */
int jm_sysfs_integer(
	const char *folder, const char *name, double *ret_value, struct jm_error *reterr);

/* Strict: digits with an optional '-' before and one "\n" behind. 1 or 0. */
int jm_sysfs_parse(const char *text, size_t length, double *ret_value);

/* What one pread of a sensor's file came to. */
enum jm_sysfs_result {
	JM_SYSFS_VALUE = 0,
	JM_SYSFS_NO_DATA = 1, /* the channel has no value now: gated or switched off */
	JM_SYSFS_FAILED = 2,  /* see *ret_errno */
	JM_SYSFS_GARBAGE = 3  /* no number there */
};

/*
 * Reads an open file at offset 0. *ret_value is NaN unless JM_SYSFS_VALUE.
 * No allocation; called thousands of times a second.
 */
enum jm_sysfs_result jm_sysfs_poll(int fd, double *ret_value, int *ret_errno);

#endif
