/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JM_BASE_HASH_H
#define JM_BASE_HASH_H

#include "joulemap/joulemap.h"

/* SHA-256 of a file as 64 lower case hex digits and '\0'. */
int jm_hash_file(const char *path, char ret_hex[65], struct jm_error *reterr);

/* The same of its first and its last n bytes alone: quick, whatever its size. */
int jm_hash_file_ends(const char *path, size_t n, char ret_hex[65], struct jm_error *reterr);

#endif
