/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the host's scheduler treated the threads that are a guest's CPUs: time on a CPU, and time spent runnable without
 * one. From /proc/<pid>/task/<tid>/schedstat.
 */
#ifndef KTSTR_VM_VCPU_TIME_H
#define KTSTR_VM_VCPU_TIME_H

#include <stddef.h>
#include <stdint.h>

#include "ktstr/units.h"

struct ktstr_vcpu_time {
	uint64_t on_cpu_ns, run_delay_ns; /* sums over the threads since they began */
	unsigned int sampled_vcpus; /* threads that could be read */
};

struct ktstr_vcpu_time ktstr_vcpu_time_read(int qemu_pid, const int *tids, size_t count);
/*
 * 1 + run delay / time on CPU between two readings: a guest second of work took so many of the host's. Unset when no
 * thread could be read, or none ran.
 */
struct ktstr_opt_f64 ktstr_vcpu_dilation(const struct ktstr_vcpu_time *first, const struct ktstr_vcpu_time *last);

#endif
