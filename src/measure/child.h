/* SPDX-License-Identifier: Apache-2.0 */
/* One process of a measurement, as its parent holds it. */
#ifndef JM_MEASURE_CHILD_H
#define JM_MEASURE_CHILD_H

#include <stdint.h>

#include "base/process.h"
#include "workload/link.h"

/*
 * Forks; returns 1 in the child, called `name` then, and 0 in the parent, each
 * with its own ends of the pipes. The child leaves signals to its parent, and
 * gets death_signal (0: none) when that dies.
 */
int jm_child_start(struct jm_process *child, struct jm_pipes *pipes, const char *name,
	int death_signal, struct jm_error *reterr);

/* Closes its control pipe, waits, kills it if it does not end, closes the rest. */
void jm_child_end(struct jm_process *child, struct jm_pipes *pipes, int64_t patience_ns);

/* Says why it ended early, from its own words (code 0: none) or its wait status. */
int jm_child_fail(const struct jm_process *child, const char *name,
	const struct jm_error *words, uint32_t cycles, struct jm_error *reterr);

/* The same for a command, with when: "before it was ready", "after 7 cycles". */
int jm_child_fail_command(const struct jm_process *child, const char *name, const char *when,
	struct jm_error *reterr);

#endif
