/* SPDX-License-Identifier: Apache-2.0 */
/* Where this code lies: what belongs to it is looked for beside it. */
#ifndef JM_BASE_SELF_H
#define JM_BASE_SELF_H

#include "base/file.h"

/* The running program, "" when unknown. */
void jm_self_program(char ret_path[JM_PATH_MAX]);

/* Folder of the running program without '/' at its end, "" when unknown. */
void jm_self_program_folder(char ret_path[JM_PATH_MAX]);

/*
 * Folder of libjoulemap.so, likewise. 0 when this code is part of the program
 * itself, else 1.
 */
int jm_self_library_folder(char ret_path[JM_PATH_MAX]);

#endif
