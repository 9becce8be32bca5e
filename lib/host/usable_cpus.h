/* SPDX-License-Identifier: GPL-2.0-only */
/* Which CPUs of the host are ours to use: a container or taskset may leave fewer than there are. */
#ifndef KTSTR_HOST_USABLE_CPUS_H
#define KTSTR_HOST_USABLE_CPUS_H

#include "ktstr/cpuset.h"

/* Those that this process, and so its VMs, may run on. */
struct ktstr_error *ktstr_allowed_cpus(struct ktstr_cpus *allowed) KTSTR_CHECKED;
/* Their number; all that are online where they cannot be told. */
unsigned int ktstr_usable_cpus(void);

#endif
