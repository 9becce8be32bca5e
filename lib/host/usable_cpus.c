// SPDX-License-Identifier: GPL-2.0-only
/* The CPUs of this process's affinity mask. */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/usable_cpus.h"

struct ktstr_error *ktstr_allowed_cpus(struct ktstr_cpus *allowed)
{
	*allowed = (struct ktstr_cpus){ 0 };
	if (syscall(SYS_sched_getaffinity, 0, sizeof(allowed->bits), allowed->bits) < 0)
		return ktstr_error_sys(errno, "cannot tell which CPUs are allowed");
	return ktstr_cpus_count(allowed) ? NULL : ktstr_error_new(KTSTR_ERR_INVALID, "no CPU is allowed");
}

unsigned int ktstr_usable_cpus(void)
{
	struct ktstr_cpus allowed;
	_cleanup_error_ struct ktstr_error *error = ktstr_allowed_cpus(&allowed);
	long online = error ? sysconf(_SC_NPROCESSORS_ONLN) : 0;

	if (!error)
		return ktstr_cpus_count(&allowed);
	return online > 0 ? (unsigned int)online : 1;
}
