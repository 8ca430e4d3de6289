/* SPDX-License-Identifier: Apache-2.0 */
/* Writing to a pipe or a terminal that nobody may read, without ever waiting. */
#ifndef JM_BASE_UNBLOCKED_H
#define JM_BASE_UNBLOCKED_H

/*
 * Opens what is behind a descriptor, if it is a pipe or a terminal, anew for
 * writes that fail with EAGAIN instead of waiting; O_NONBLOCK on `fd` itself would
 * be felt by all other programs that have it. The descriptor is above the standard
 * ones and closed by exec; -1: not to be had, as of sockets and other users' pipes.
 */
int jm_unblocked_open(int fd);

/* In a process of ours: puts it in the place of `fd`, where it can be had. */
void jm_unblocked_replace(int fd);

#endif
