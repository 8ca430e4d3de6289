/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rails of all sensors of a run, numbered through: those of the first
 * sensor, of the second, ... as in its power spool and its readings.
 */
#ifndef JM_RUN_RAILS_H
#define JM_RUN_RAILS_H

#include "data/rail_names.h"
#include "data/total.h"
#include "run/run.h"

size_t jm_run_count_rails(const struct jm_run *run);

/* Rail `index`, borrowed from the run; all of it NULL where there is none. */
void jm_run_rail_get(const struct jm_run *run, size_t index, struct jm_run_subject *ret_rail);

/* Their names in its log: [jm_run_count_rails], freed with free(). JM_ENOMEM. */
int jm_run_rail_names(
	const struct jm_run *run, struct jm_rail_name **ret_names, struct jm_error *reterr);

/* Which of the first n rails make up the total. jm_total_release(); JM_ENOMEM. */
int jm_run_total_init(const struct jm_run *run, size_t n, struct jm_total *ret_total,
	struct jm_error *reterr);

/* Ids of the sensors that the total is made of, "nvml:0+nvml:1"; "": not known. */
void jm_run_total_id(const struct jm_run *run, char *ret_id, size_t size);

/*
 * 1 when what was measured with sensor `id` ("nvml:0+nvml:1" of a set) is the run's
 * total too: it names all of the run's sensors, or those that the total is made of.
 */
int jm_run_has_total_of(const struct jm_run *run, const char *id);

#endif
