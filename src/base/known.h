/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Not known" of a quantity that is above 0 where it is known: a round, a
 * window, a quantum. Public structs may say it as 0 or as NaN; inside it is
 * NaN, so that nothing computes with it by mistake, and JSON says null.
 */
#ifndef JM_BASE_KNOWN_H
#define JM_BASE_KNOWN_H

#include <math.h>

/* The value, or `unknown` for 0, NaN, and what cannot be. */
static inline double jm_known_or(double value, double unknown)
{
	return value > 0 ? value : unknown;
}

static inline double jm_known(double value)
{
	return jm_known_or(value, (double)NAN);
}

#endif
