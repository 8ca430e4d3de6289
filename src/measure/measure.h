/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main job: idle, then network and power logger side by side, then the
 * run folder. Mapping (map/map.h) follows on what is then on disk.
 */
#ifndef JM_MEASURE_MEASURE_H
#define JM_MEASURE_MEASURE_H

#include "joulemap/joulemap.h"

/*
 * What jm_measure() does, with options that were checked and without its care for
 * SIGCHLD. On failure with cycles > 0 in the result the run folder holds what had been
 * measured until then, complete and mappable.
 */
int jm_measure_run(const struct jm_measure_options *options,
	struct jm_measure_outcome *ret_outcome, struct jm_error *reterr);

#endif
