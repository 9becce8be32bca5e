// SPDX-License-Identifier: GPL-2.0-only
/* The CPUs of this process's affinity mask. */
#include <sched.h>
#include <unistd.h>

#include "host/usable_cpus.h"

unsigned int ktstr_usable_cpus(void)
{
	cpu_set_t cpus;
	long online;

	if (!sched_getaffinity(0, sizeof(cpus), &cpus))
		return (unsigned int)CPU_COUNT(&cpus);
	/* More than a cpu_set_t holds. */
	online = sysconf(_SC_NPROCESSORS_ONLN);
	return online > 0 ? (unsigned int)online : 1;
}
