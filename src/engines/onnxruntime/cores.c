/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/cores.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/sysfs.h"

/* The lowest processor that shares the core; the processor itself if unknown. */
static size_t first_sibling(size_t cpu)
{
	char path[96], text[32];

	snprintf(path, sizeof(path),
		"/sys/devices/system/cpu/cpu%zu/topology/thread_siblings_list", cpu);
	return jm_sysfs_line(path, text, sizeof(text)) ? strtoul(text, NULL, 10) : cpu;
}

int jm_physical_cores(void)
{
	cpu_set_t allowed, seen;
	int n = 0;

	CPU_ZERO(&seen);
	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		return 1;
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		size_t core;

		if (!CPU_ISSET(cpu, &allowed))
			continue;
		core = first_sibling(cpu);
		if (core >= CPU_SETSIZE || CPU_ISSET(core, &seen))
			continue;
		CPU_SET(core, &seen);
		n++;
	}
	return n ? n : 1;
}
