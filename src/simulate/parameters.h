/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of a simulation as data. */
#ifndef JM_SIMULATE_PARAMETERS_H
#define JM_SIMULATE_PARAMETERS_H

#include <stddef.h>

enum jm_parameter_type {
	JM_PARAMETER_COUNT = 1, /* int64_t */
	JM_PARAMETER_REAL = 2,  /* double */
	JM_PARAMETER_CHOICE = 3 /* const char * */
};

struct jm_parameter {
	const char *name;
	enum jm_parameter_type type;
	size_t offset; /* in struct jm_simulate_config */
	double min, max;
	const char *const *choices; /* NULL-terminated, of a choice */
};

/* All of them, in the order of the table, ended by one with name NULL. */
const struct jm_parameter *jm_simulate_parameters(void);

#endif
