/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What came of a run, for a test's callbacks that look at it on the host when the VM is gone (.post_vm,
 * .post_vm_unconditional). They run in a process of their own: the test program again, with another role. Claims work as
 * in a body: KTSTR_CLAIM(vm, vm->periodic_real, at_least, 2u).
 */
#ifndef KTSTR_VM_RESULT_H
#define KTSTR_VM_RESULT_H

#include <ktstr/disk.h>
#include <ktstr/monitor.h>
#include <ktstr/network.h>
#include <ktstr/sample.h>
#include <ktstr/snapshot_bridge.h>
#include <ktstr/verdict.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ktstr_verifier_stat {
	const char *name; /* of a struct_ops program; the kernel keeps 15 characters */
	uint64_t verified_insns;
};

/* The watchdog's limit: what was written, and what the kernel then had. */
struct ktstr_watchdog_observation {
	bool set; /* one was written */
	uint64_t expected_jiffies, observed_jiffies;
};

/* All but `result` is read-only; texts are "" rather than NULL. */
struct ktstr_vm_result {
	const char *entry_name; /* of the test */
	const char *topology, *scheduler, *kernel_version, *resolve_source;
	bool success; /* the test passed, and its program ended by itself */
	int exit_code; /* of the program; -1 = it was ended */
	bool timed_out;
	uint64_t duration_ns;
	const char *final_guest_phase; /* "boot", "attach", "body", "teardown", "done" */
	const char *crash_message; /* of the guest's kernel; "" = it did not crash */
	unsigned int vcpus, cpu_budget;

	const char *output; /* of the program, its last 16 KiB */
	const char *guest_kmsg, *scheduler_log; /* the serial console, and the scheduler's own words */
	const char *failure_dump_path; /* "" = there is none */
	struct ktstr_assert_result guest_assert_result; /* the verdict so far, with statistics and phases */

	bool has_monitor;
	struct ktstr_monitor_summary monitor;
	struct ktstr_watchdog_observation watchdog;
	bool has_virtio_blk_counters; /* it had a disk, and the VM was there to be asked when the program had ended */
	struct ktstr_virtio_blk_counters_snapshot virtio_blk_counters;
	struct ktstr_verifier_stat *verifier_stats;
	size_t verifier_stats_count;

	struct ktstr_snapshot_bridge *snapshot_bridge; /* what was captured, to be drained */
	/* When the steps of the (first) scenario began: for ktstr_sample_series_by_stimulus_phase(). */
	struct ktstr_step_start *step_starts;
	size_t step_starts_count;
	unsigned int periodic_target, periodic_fired, periodic_real; /* fired: placeholders, too */
	/* Of the test's .networks, in their order; all of none when no VM has run. */
	struct ktstr_virtio_net_counters_snapshot *networks;
	size_t networks_count;
	struct ktstr_opt_u64 bpf_map_writes_delivered; /* 1 = all of .bpf_map_write; unset = there were none */

	struct ktstr_assert_result result; /* what the callback finds */
	struct ktstr_sample_series *captures; /* see ktstr_vm_result_captures_series() */
};

/* All captures in the order they were taken; drains the bridge at the first call. Borrowed. */
struct ktstr_sample_series *ktstr_vm_result_captures_series(struct ktstr_vm_result *vm);
/* The periodic ones of them, a series of its own; destroy it. */
struct ktstr_sample_series *ktstr_vm_result_periodic_series(struct ktstr_vm_result *vm);

/* The run becomes a skip, unless something has failed: what the callback needs could not be had. */
void ktstr_post_vm_skip(struct ktstr_vm_result *vm, const char *fmt, ...) KTSTR_PRINTF(2, 3);

#ifdef __cplusplus
}
#endif
#endif
