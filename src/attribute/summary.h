/* SPDX-License-Identifier: Apache-2.0 */
/* A run by layer: means over its cycles, and what they leave unexplained. */
#ifndef JM_ATTRIBUTE_SUMMARY_H
#define JM_ATTRIBUTE_SUMMARY_H

#include "joulemap/joulemap.h"

struct jm_layer_summary {
	const char *name; /* borrowed from the timeline */
	const char *type; /* borrowed from the timeline */
	size_t executions;
	size_t cycles_with_power; /* in which at least one sample lay in the layer */
	size_t samples;
	double per_cycle; /* executions in a cycle: below 1 where not every one has it */
	double runtime_ms, runtime_sd_ms;
	double power_w;         /* mean over cycles with power; NaN: none */
	double power_se_w;      /* standard error of that mean; NaN: unknown */
	double dynamic_power_w; /* above idle */
	double energy_mj;       /* per execution: power x runtime */
	double dynamic_energy_mj;
};

struct jm_summary {
	struct jm_layer_summary *layers; /* [n_layers], owned */
	size_t n_layers;
	size_t cycles;          /* that have rows and lie within the power log */
	size_t timeline_cycles; /* all of the run */
	int log_ends_early;     /* that is why there are fewer */
	double idle_power_w;    /* NaN: not known */
	double cycle_ms;        /* from one cycle to the next; NaN: only one there */
	double layers_ms;       /* of it inside layers */
	/* Over those cycles, by all samples. NaN: none there. */
	double sensor_power_w;
	double sensor_energy_mj; /* per cycle */
	double layers_energy_mj; /* per cycle, sum of the layers that have power */
	size_t layers_without_power;
	double reading_ms; /* median time between readings */
	double repeat;     /* readings per change of value: >1 means copies */
	/* Layers whose time is shorter than that between two changes of value. */
	size_t layers_too_short;
	double change_ms; /* mean time between changes of value */
};

/*
 * Prepares a summary for `timeline` (borrowed as long as the summary lives).
 * Rows of jm_attribute_window are then given to jm_summary_add, and
 * jm_summary_close computes the means.
 */
int jm_summary_init(struct jm_summary *summary, const struct jm_timeline *timeline,
	struct jm_error *reterr);
void jm_summary_add(struct jm_summary *summary, const struct jm_cycle_power *row);

/*
 * `rail` is the one whose samples were mapped; idle_power_uw may be NaN. What
 * the stamps mean is taken from timeline->stamp.
 */
void jm_summary_close(struct jm_summary *summary, const struct jm_timeline *timeline,
	const struct jm_rail *rail, double idle_power_uw);
void jm_summary_release(struct jm_summary *summary);

#endif
