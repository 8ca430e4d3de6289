/* SPDX-License-Identifier: Apache-2.0 */
/* Filling struct jm_error. */
#ifndef JM_BASE_ERROR_H
#define JM_BASE_ERROR_H

#include "joulemap/joulemap.h"

/* Writes code and message into reterr (may be NULL) and returns code. */
int jm_fail(struct jm_error *reterr, enum jm_code code, const char *format, ...)
	JM_PRINTF(3, 4);

/*
 * The same for a failed system call: appends ": strerror(sys_errno)" and picks
 * the code that fits (JM_EPERM, JM_ENOSPC, JM_ENOTFOUND, JM_ENOMEM or JM_EIO).
 */
int jm_fail_errno(struct jm_error *reterr, int sys_errno, const char *format, ...)
	JM_PRINTF(3, 4);

/* JM_ENOMEM, naming what there was no memory for. */
int jm_fail_memory(struct jm_error *reterr, const char *what);

#ifdef __clang_analyzer__
/* Tells the static analyser what it cannot see from here: failures are < 0. */
#define jm_fail(reterr, code, ...) ((void)(reterr), (int)(code))
#define jm_fail_errno(reterr, sys_errno, ...) ((void)(reterr), (void)(sys_errno), JM_EIO)
#define jm_fail_memory(reterr, what) ((void)(reterr), (void)(what), JM_ENOMEM)
#endif

/* Exit status of the command line tool for a code; 0 for 0 and above. */
int jm_code_exit_status(int code);

#endif
