/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wishes.h"

#include <string.h>

static const int signals[5] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ};

/* A handler reaches nothing but file-scope state. */
static volatile sig_atomic_t wishes;

static void count_wish(int signal_number)
{
	(void)signal_number;
	wishes++;
}

void jm_wishes_catch(struct jm_wishes_saved *ret_saved)
{
	int nested = 0;

	for (size_t i = 0; i < 3; i++) {
		sigaction(signals[i], NULL, &ret_saved->actions[i]);
		nested |= ret_saved->actions[i].sa_handler == count_wish;
	}
	if (!nested)
		wishes = 0;
	for (size_t i = 0; i < 5; i++) {
		struct sigaction action;

		memset(&action, 0, sizeof(action)); /* no SA_RESTART: waits end early */
		sigemptyset(&action.sa_mask);
		action.sa_handler = i < 3 ? count_wish : SIG_IGN;
		sigaction(signals[i], NULL, &ret_saved->actions[i]);
		if (ret_saved->actions[i].sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

int jm_wishes_count(void)
{
	return wishes;
}

void jm_wishes_restore(const struct jm_wishes_saved *saved)
{
	for (size_t i = 0; i < 5; i++)
		sigaction(signals[i], &saved->actions[i], NULL);
}

void jm_wishes_leave_to_parent(void)
{
	for (size_t i = 0; i < 5; i++)
		signal(signals[i], SIG_IGN);
}
