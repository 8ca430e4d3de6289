/* SPDX-License-Identifier: Apache-2.0 */
/* An earlier run in the same folder: kept, never overwritten. */
#ifndef JM_RUN_PREVIOUS_H
#define JM_RUN_PREVIOUS_H

#include "base/file.h"

/*
 * Moves the files of an earlier run, if there is one, to a new folder RUN_FOLDER/
 * previous/STAMP, or STAMP.2 and so on where there is one of that name: clocks
 * repeat. The file `place` tells its name from before the first move on, so that
 * a move that was cut off is continued into the same folder. Returns 1 when there
 * was one and writes where it is now, 0 when there was none.
 */
int jm_previous_keep(const char *run_folder, const char *stamp, const char *place,
	char ret_kept[JM_PATH_MAX], struct jm_error *reterr);

#endif
