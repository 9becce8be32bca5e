/* SPDX-License-Identifier: GPL-2.0-only */
/* How many CPUs of the host are ours to use. */
#ifndef KTSTR_HOST_USABLE_CPUS_H
#define KTSTR_HOST_USABLE_CPUS_H

/* Those that this process, and so its VMs, may run on: a container or taskset may leave fewer than there are. */
unsigned int ktstr_usable_cpus(void);

#endif
