/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JM_ATTRIBUTE_LANES_H
#define JM_ATTRIBUTE_LANES_H

#include "joulemap/joulemap.h"

/*
 * The fit knows one layer at a time. 0 when that holds; JM_EUNSUPPORTED when
 * spans of different lanes overlap, however little: what each of them draws is
 * not known. JM_ENOMEM.
 */
int jm_lanes_check(const struct jm_timeline *timeline, struct jm_error *reterr);

#endif
