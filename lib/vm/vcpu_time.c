// SPDX-License-Identifier: GPL-2.0-only
/* Reads the host's view of vCPU threads; see vcpu_time.h. */
#include <stdio.h>

#include "base/file.h"
#include "base/str.h"
#include "vm/vcpu_time.h"

struct ktstr_vcpu_time ktstr_vcpu_time_read(int qemu_pid, const int *tids, size_t count)
{
	struct ktstr_vcpu_time time = { 0 };

	for (size_t i = 0; i < count; i++) {
		_cleanup_free_ char *path = ktstr_xasprintf("/proc/%d/task/%d/schedstat", qemu_pid, tids[i]);
		_cleanup_free_ char *line = ktstr_read_line(path);
		unsigned long long on_cpu_ns, run_delay_ns;

		if (!line || sscanf(line, "%llu %llu", &on_cpu_ns, &run_delay_ns) != 2)
			continue;
		time.on_cpu_ns += on_cpu_ns;
		time.run_delay_ns += run_delay_ns;
		time.sampled_vcpus++;
	}
	return time;
}

struct ktstr_opt_f64 ktstr_vcpu_dilation(const struct ktstr_vcpu_time *first, const struct ktstr_vcpu_time *last)
{
	if (!first->sampled_vcpus || first->sampled_vcpus != last->sampled_vcpus || last->on_cpu_ns <= first->on_cpu_ns ||
	    last->run_delay_ns < first->run_delay_ns)
		return (struct ktstr_opt_f64)KTSTR_NONE;
	return (struct ktstr_opt_f64)KTSTR_SOME(1 + (double)(last->run_delay_ns - first->run_delay_ns) /
							 (double)(last->on_cpu_ns - first->on_cpu_ns));
}
