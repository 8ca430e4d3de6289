/* SPDX-License-Identifier: Apache-2.0 */
/* Somebody's program as the thing to measure. */
#ifndef JM_WORKLOAD_COMMAND_H
#define JM_WORKLOAD_COMMAND_H

#include "workload/model.h"

/*
 * Finds what `command` would start, as a shell does. The run is named `name`
 * (NULL: after the program; what a path could trip over becomes '_').
 * JM_EUSAGE: the name cannot be a folder's. JM_ENOTFOUND, JM_EPERM, JM_EINVAL.
 */
int jm_command_find(const char *command, const char *name, struct jm_model_source *ret_source,
	struct jm_error *reterr);

#endif
