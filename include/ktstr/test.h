/* SPDX-License-Identifier: GPL-2.0-only */
/* Declaring tests: a constant that says what machine, scheduler and checks, and a body that runs in the guest. */
#ifndef KTSTR_TEST_H
#define KTSTR_TEST_H

#include <ktstr/disk.h>
#include <ktstr/observe.h>
#include <ktstr/payload.h>
#include <ktstr/live.h>
#include <ktstr/network.h>
#include <ktstr/scenario.h>
#include <ktstr/scheduler.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KTSTR_DEFAULT_DURATION KTSTR_SEC(12)

struct ktstr_vm_result;

struct ktstr_test_entry {
	const char *name; /* set by KTSTR_TEST; no '/' or '\' */
	const char *file; /* set by KTSTR_TEST */
	int line;
	void (*body)(struct ktstr_ctx *ctx); /* runs in the guest; NULL = ktstr_run_plan() */
	ktstr_plan_fn plan; /* a KTSTR_PLAN(): checked before anything boots; for ktstr_run_plan() */
	const char *description; /* one line for listings */
	struct ktstr_topology topology; /* fields unset: the scheduler's, then 1n1l2c1t */
	struct ktstr_topology_constraints constraints; /* topologies that it makes sense on; fields unset: the scheduler's */
	unsigned int memory_mib; /* 2048 */
	const struct ktstr_disk_config *disk; /* /dev/vda of the guest: KTSTR_DISK(.capacity_mib = 512); NULL = none */
	struct ktstr_networks networks; /* KTSTR_NETWORKS({ }): devices that echo what the guest sends; not in deterministic mode */
	uint64_t duration; /* ns, 12 s; KTSTR_SEC(5) */
	unsigned int workers_per_cgroup; /* 0 = number of CPUs */
	const struct ktstr_scheduler *scheduler; /* NULL = EEVDF */
	const char *const *extra_sched_args; /* appended to the scheduler's args */
	const char *config; /* text of the file of the scheduler's .config_file_def; set if and only if it has one */
	const struct ktstr_scheduler *const *staged_schedulers; /* for ktstr_live_attach(); KTSTR_SCHEDULERS(&a, &b) */
	struct ktstr_cgroup_path workload_root_cgroup; /* of the cgroups that the body makes; unset: KTSTR_CGROUP_PATH("ktstr") */
	enum ktstr_switch kaslr; /* KTSTR_OFF boots with nokaslr */
	const struct ktstr_payload *payload; /* what the test is about; the results name it */
	const struct ktstr_payload *const *workloads; /* further ones it runs; KTSTR_WORKLOADS(&a, &b) */
	const char *const *extra_include_files; /* for KTSTR_INCLUDE_DIR in the guest; KTSTR_ARGS("data", "./dir") */
	const char *rt_app; /* an rt-app file for ktstr_run_rt_app(): bare name or path; NULL = none */
	struct ktstr_assert checks;
	/*
	 * Captures spread over the middle four fifths of the duration, 0 = none, at most 64 and at least 100 ms apart; they
	 * are called periodic_000 and so on. At least one must come about.
	 */
	unsigned int num_snapshots;
	/*
	 * How long a task may wait before sched_ext calls it a stall; ns. 0: 5 s, or what the scheduler asks for when that is
	 * less, and that times the number of vCPUs that share a host CPU.
	 */
	uint64_t watchdog_timeout;
	const struct ktstr_bpf_map_write *bpf_map_write; /* KTSTR_BPF_MAP_WRITES({ ".data", "knob", 5 }) */
	/*
	 * Look at what came of the run, on the host, in a process of this program (vm_result.h); no more than 2 minutes. The
	 * first is left out when the guest failed; the second always runs, and cannot turn a failure into a pass.
	 */
	void (*post_vm)(struct ktstr_vm_result *vm);
	void (*post_vm_unconditional)(struct ktstr_vm_result *vm);
	const struct ktstr_watch_bpf_map *watch_bpf_maps; /* KTSTR_WATCH_BPF_MAPS(...) */
	bool deterministic; /* always on virtual time, with seed 1 unless told otherwise */
	/*
	 * The run must fail. Whatever it fails with, unless the last two say what the scheduler's log and the kernel's
	 * words on it must have: a literal text, an extended regular expression; both if both are given.
	 */
	bool expect_err;
	const char *expect_scx_bpf_error_contains;
	const char *expect_scx_bpf_error_matches;
	/*
	 * The scheduler must be there all through every hold of a step: one that is lost, or ended as planned, during a hold
	 * is a failure, and a test without a hold is inconclusive. Needs a .scheduler that is a program; excludes .expect_err.
	 */
	bool survives_storm;
	/* Recorded with the result, for a comparison of commits; inert in the run. KTSTR_PERF_DELTA_ASSERTIONS({ ... }) */
	const struct ktstr_perf_delta_assertion *perf_delta_assertions;
	bool allow_inconclusive; /* an inconclusive verdict does not make ktstr's exit code */
	/*
	 * The body runs on this machine instead of a VM, under the scheduler that is there, with its own CPUs, and cgroups
	 * below $KTSTR_HOST_CGROUP_PARENT. For what no VM shows; needs root and cgroup2. No scheduler, payload, include
	 * file, topology, memory size, disk, network, capture, watch, watchdog, cleanup budget or deterministic mode.
	 */
	bool host_only;
	uint64_t cleanup_budget; /* ns; ending the VM may take so long, else the test fails; 0 = any time */
	/*
	 * Measures: each vCPU alone on a host CPU, with real-time priority where that is permitted, on whole LLCs that no other
	 * run gets; needs a host CPU more than vCPUs. A host that cannot do it fails the test; --no-perf-mode runs it without.
	 */
	bool performance_mode;
	bool no_perf_mode; /* keeps the VM to a pool of host CPUs that it may share; excludes .performance_mode */
	unsigned int cpu_budget; /* CPUs in that pool; needs .no_perf_mode. 0: min(vCPUs, CPUs), at least 30 % of the CPUs */
	bool fresh_attach; /* the scheduler attaches, and this program starts, within the run, never in a template */
	bool ignore; /* listed, run only when named */
};

/* A NULL-terminated list of payloads. */
#define KTSTR_WORKLOADS(...) ((const struct ktstr_payload *const[]){ __VA_ARGS__, NULL })

#define KTSTR_TEST(fn, ...)                                                                        \
	static void fn(struct ktstr_ctx *ctx);                                                     \
	static const struct ktstr_test_entry fn##_ktstr_test_ = {                                  \
		.name = #fn, .file = __FILE__, .line = __LINE__, .body = fn, __VA_ARGS__           \
	};                                                                                         \
	static const struct ktstr_test_entry *const fn##_ktstr_entry_                              \
		KTSTR_REGISTERED_("ktstr_tests") = &fn##_ktstr_test_;                              \
	static void fn(struct ktstr_ctx *ctx __attribute__((unused)))

/* A test that is its plan: KTSTR_PLAN_TEST(name, .plan = moves, .duration = KTSTR_SEC(5)); */
#define KTSTR_PLAN_TEST(id, ...)                                                                   \
	static const struct ktstr_test_entry id##_ktstr_test_ = {                                  \
		.name = #id, .file = __FILE__, .line = __LINE__, __VA_ARGS__                       \
	};                                                                                         \
	static const struct ktstr_test_entry *const id##_ktstr_entry_                              \
		KTSTR_REGISTERED_("ktstr_tests") = &id##_ktstr_test_

/* The first registered test of that name, or NULL. */
const struct ktstr_test_entry *ktstr_find_test(const char *name);

/*
 * What a test program's main() does; libktstr brings a main() that calls this, a program with its own calls it
 * through KTSTR_MAIN(argc, argv). Returns the exit code. Without arguments it hands over to `ktstr test`.
 */
int ktstr_main(int argc, char **argv, const struct ktstr_test_entry *const *tests_begin,
	       const struct ktstr_test_entry *const *tests_end,
	       const struct ktstr_scheduler *const *schedulers_begin,
	       const struct ktstr_scheduler *const *schedulers_end);

/* Bounds of the linker sections of this program; weak, so that a program without tests links. */
#define KTSTR_SECTION_BOUNDS                                                                       \
	extern const struct ktstr_test_entry *const __start_ktstr_tests[]                          \
		__attribute__((weak, visibility("hidden")));                                       \
	extern const struct ktstr_test_entry *const __stop_ktstr_tests[]                           \
		__attribute__((weak, visibility("hidden")));                                       \
	extern const struct ktstr_scheduler *const __start_ktstr_schedulers[]                      \
		__attribute__((weak, visibility("hidden")));                                       \
	extern const struct ktstr_scheduler *const __stop_ktstr_schedulers[]                       \
		__attribute__((weak, visibility("hidden")))

#define KTSTR_MAIN(argc, argv)                                                                     \
	({                                                                                         \
		KTSTR_SECTION_BOUNDS;                                                              \
		ktstr_main((argc), (argv), __start_ktstr_tests, __stop_ktstr_tests,                \
			   __start_ktstr_schedulers, __stop_ktstr_schedulers);                     \
	})

#ifdef __cplusplus
}
#endif
#endif
