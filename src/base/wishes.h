/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user's wishes to end (Ctrl-C, a closed terminal, a service's stop),
 * counted instead of obeyed, so that what was measured is always completed.
 */
#ifndef JM_BASE_WISHES_H
#define JM_BASE_WISHES_H

#include <signal.h>

struct jm_wishes_saved {
	struct sigaction actions[5];
};

/*
 * From now on SIGINT, SIGTERM and SIGHUP are counted (but for those that the
 * process was started to ignore, as under nohup), SIGPIPE and SIGXFSZ ignored:
 * the calls that meet them fail instead. The count begins at 0, but goes on
 * where it is being kept already.
 */
void jm_wishes_catch(struct jm_wishes_saved *ret_saved);

/* How often the user wished to end. */
int jm_wishes_count(void);

void jm_wishes_restore(const struct jm_wishes_saved *saved);

/* In a child of such a process: the parent decides, all five are ignored. */
void jm_wishes_leave_to_parent(void);

#endif
