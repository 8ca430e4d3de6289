/* SPDX-License-Identifier: Apache-2.0 */
/* How a long job tells its user where it is. */
#ifndef JM_MEASURE_PROGRESS_H
#define JM_MEASURE_PROGRESS_H

#include <stdint.h>

struct jm_progress {
	/*
	 * `phase` ("loading", "measuring", ...) changes when a new part
	 * begins; done and total count in `unit`; total 0: not known.
	 */
	void (*update)(void *context, const char *phase, double done, double total,
		const char *unit);
	/* Something worth telling that is no error. */
	void (*note)(void *context, const char *text);
	void *context;
};

#endif
