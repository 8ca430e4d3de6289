/* SPDX-License-Identifier: Apache-2.0 */
/* Is this file a shared object for the machine that we run on? */
#ifndef JM_PLUGIN_SHARED_OBJECT_H
#define JM_PLUGIN_SHARED_OBJECT_H

#include "joulemap/joulemap.h"

/*
 * 0, or in words that dlopen does not have: JM_ENOTFOUND, JM_EPERM, no such
 * file; JM_EFORMAT, no shared object; JM_EUNSUPPORTED, one for another machine.
 */
int jm_shared_object_check(const char *path, struct jm_error *reterr);

#endif
