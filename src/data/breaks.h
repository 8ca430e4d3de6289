/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Breaks: where a log holds nothing for much longer than is usual in it, because
 * whoever wrote it was stopped, or because its clock was set.
 */
#ifndef JM_DATA_BREAKS_H
#define JM_DATA_BREAKS_H

#include "joulemap/joulemap.h"

struct jm_break {
	int64_t begin_ns, end_ns; /* what is before it ends, what is behind it begins */
	size_t next;              /* the first cycle or reading behind it */
};

struct jm_breaks {
	struct jm_break *item; /* [n], owned, in order of time */
	size_t n;
	int64_t usual_ns; /* median of all gaps */
};

/* When cycles ran, from the begin of their first layer to the end of their last. */
struct jm_cycle_spans {
	int64_t *begin_ns, *end_ns; /* [n], owned; begin above end: nothing ran in it */
	unsigned char *left_out;    /* [n], owned; 1: counts nowhere */
	size_t n;
};

/* JM_ENOMEM. */
int jm_cycle_spans_init(struct jm_cycle_spans *spans, const struct jm_timeline *timeline);
void jm_cycle_spans_release(struct jm_cycle_spans *spans);

/*
 * Leaves out cycles in which a break lies, as where the process was stopped within a
 * layer, and finds the breaks between the others. Returns how many cycles it left
 * out. JM_ENOMEM. Released with jm_breaks_release, after a failure too.
 */
int64_t jm_breaks_of_cycles(struct jm_cycle_spans *spans, struct jm_breaks *ret_breaks);

/* Between readings. JM_ENOMEM. */
int jm_breaks_of_rail(const struct jm_rail *rail, struct jm_breaks *ret_breaks);
void jm_breaks_release(struct jm_breaks *breaks);

#endif
