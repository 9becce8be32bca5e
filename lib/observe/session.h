/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that is done in the memory of one guest during a run, whoever decides when: the thread that watches an ordinary run
 * (observer.h), or a deterministic guest that stands still at a moment of its own choice.
 */
#ifndef KTSTR_OBSERVE_SESSION_H
#define KTSTR_OBSERVE_SESSION_H

#include "observe/captures.h"
#include "observe/map_watches.h"
#include "observe/plan.h"
#include "observe/sampler.h"
#include "observe/watchdog_override.h"
#include "vm/vm.h"
#include "wire/frame.h"
#include "wire/host_request.h"

#define KTSTR_FREEZE_RENDEZVOUS_TIMEOUT KTSTR_SEC(30) /* the usual stop_limit_ns */

struct ktstr_session_config {
	struct ktstr_vm *vm; /* borrowed; outlives the session */
	const struct ktstr_vmlinux *vmlinux; /* of the kernel; NULL = unknown. Borrowed */
	unsigned int hz; /* CONFIG_HZ of the kernel, 0 = unknown */
	unsigned int vcpus_per_cpu; /* vCPUs that share a host CPU, rounded up; 0 = 1 */
	bool has_scheduler; /* a sched_ext scheduler is under test */
	bool guest_clock; /* times are the guest's (jiffies), not the host's: virtual time */
	uint64_t duration_ns; /* of the workload */
	uint64_t stop_limit_ns; /* for all CPUs to stand still */
	bool no_samples; /* leave the guest alone but for what is asked for: to measure what sampling costs */
	const struct ktstr_observe_plan *plan; /* borrowed */
	const char *workload_cgroup; /* as in ktstr_dump_options */
	char *vmcore_path; /* where an error exit of the scheduler leaves an ELF core; NULL = it leaves none. Borrowed */
	const int *vcpu_tids; /* borrowed until the session is open; see ktstr_sampler_config */
	size_t vcpu_tids_count;
};

/* What looking costs; in results, and what bench/observe prints. */
struct ktstr_session_cost {
	uint64_t open_ns; /* until the guest's kernel was found */
	uint64_t ticks, tick_ns, tick_bytes; /* all of them; bytes read from the guest */
	uint64_t captures, capture_ns, capture_bytes;
	uint64_t cpu_ns; /* of the watching thread */
};

struct ktstr_session {
	struct ktstr_session_config config;
	struct ktstr_kernel_view *view; /* NULL = nothing can be read */
	char *unavailable; /* why; NULL = it can */
	struct ktstr_sampler *sampler;
	struct ktstr_watchdog_override watchdog;
	struct ktstr_map_watches map_watches;
	struct ktstr_captures captures;
	json_t *failure_dump; /* of an error exit of the scheduler */
	char *exits_unseen; /* why error exits of a deterministic guest leave no dump; NULL = they do */
	bool scheduler_seen; /* one was attached at some look (ordinary runs) */
	json_t *unseen_failure; /* instead of one, while the guest did not stop to have its exit watched */
	const char *boot_wait_outcome; /* "fired": the agent was heard of; "timed_out"; "not_configured": nobody waited */
	uint64_t began_ns, began_jiffies;
	struct ktstr_session_cost cost;
	_Atomic uint64_t frozen_ns; /* how long the guest stood still for us */
	struct ktstr_opt_u64 step_index; /* phase of the scenario: 0 baseline, 1.. steps */
	struct ktstr_opt_u64 map_writes_delivered; /* 1 = all, 0 = not all; unset = nobody asked */
};

/* Finds the guest's kernel. What goes wrong is kept as session->unavailable. */
void ktstr_session_open(struct ktstr_session *session, const struct ktstr_session_config *config);
void ktstr_session_deinit(struct ktstr_session *session);

/* Since the VM started, without the time that it stood still for us. */
uint64_t ktstr_session_elapsed_ns(const struct ktstr_session *session);

/* One look: a sample, the watchdog's time limit, watched variables. The guest may run. */
void ktstr_session_tick(struct ktstr_session *session);

/* --- for a guest that stands still --- */

/* A dump; registers (an array, may be NULL) are borrowed. New reference. */
json_t *ktstr_session_dump(struct ktstr_session *session, json_t *registers);
/* Takes the dump of an error exit, and keeps an ELF core if that is wanted; the dump says where. */
void ktstr_session_fail(struct ktstr_session *session, json_t *registers);
/* Takes a dump and stores it. */
void ktstr_session_capture(struct ktstr_session *session, const char *tag, const char *kind,
			   struct ktstr_opt_u64 boundary_offset_ms, json_t *registers);
/* Did the kernel give up on the scheduler? (scx_sched.exit_kind) */
bool ktstr_session_is_error_exit(const struct ktstr_session *session);
/* Does all of a test's bpf_map_write; the error lists those that could not be done. */
struct ktstr_error *ktstr_session_map_writes(struct ktstr_session *session) KTSTR_CHECKED;
/* Executes a kernel operation; *reply is the payload of KTSTR_FRAME_KERNEL_OP_REPLY. */
struct ktstr_error *ktstr_session_kernel_op(struct ktstr_session *session,
					    const struct ktstr_kernel_op_request *request, uint32_t id,
					    struct ktstr_str *reply) KTSTR_CHECKED;

/* --- what a guest tells without asking --- */

/* cgroup.procs of a cgroup (KTSTR_FRAME_CGROUP_PROCS). */
void ktstr_session_take_cgroup_procs(struct ktstr_session *session, const void *payload, size_t length);

/* Stored when a guest did not stop within the time limit. */
json_t *ktstr_degraded_dump(const struct ktstr_session *session, const char *detail, bool watchpoint_hit);

#endif
