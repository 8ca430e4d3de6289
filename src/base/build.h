/* SPDX-License-Identifier: Apache-2.0 */
/* Was it built with the public headers of this joulemap? */
#ifndef JM_BASE_BUILD_H
#define JM_BASE_BUILD_H

#include "joulemap/joulemap.h"

/* Version of a header, and size of its struct: first in every one of them. */
struct jm_build {
	uint32_t abi, size;
};

/*
 * 0 when both are the same; else JM_EUNSUPPORTED, which says what `what` ("the
 * sensor") was built with and that it is to be built again.
 */
int jm_build_check(const char *what, const char *header, struct jm_build there,
	struct jm_build here, struct jm_error *reterr);

#endif
