/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of a simulation as data. */
#ifndef JM_SIMULATE_PARAMETERS_H
#define JM_SIMULATE_PARAMETERS_H

#include <stddef.h>

enum jm_simulate_type {
	JM_SIMULATE_COUNT = 1, /* int64_t */
	JM_SIMULATE_REAL = 2,  /* double */
	JM_SIMULATE_CHOICE = 3 /* const char * */
};

struct jm_simulate_parameter {
	const char *name;
	enum jm_simulate_type type;
	size_t offset; /* in struct jm_simulate_config */
	double min, max;
	const char *const *choices; /* NULL-terminated, of a choice */
};

/* All of them, in the order of the table, ended by one with name NULL. */
const struct jm_simulate_parameter *jm_simulate_parameters(void);

#endif
