/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running tests: a program's description becomes a plan of runs, each run is one VM driven by a process of its
 * own, and several go on side by side.
 */
#ifndef KTSTR_RUNNER_RUNNER_H
#define KTSTR_RUNNER_RUNNER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "kernel/kernel.h"
#include "ktstr/topology.h"
#include "observe/plan.h"
#include "reserve/reserve.h"
#include "result/result.h"
#include "runner/expect.h"
#include "runner/includes.h"
#include "sched/info.h"
#include "sched/resolve.h"
#include "vm/initramfs.h"
#include "vm/qemu.h"
#include "vm/vm.h"

/* A test as its program describes it. Owned strings. */
struct ktstr_test_info {
	char *name, *description, *file;
	int line;
	struct ktstr_topology topology; /* nodes and distances owned */
	struct ktstr_topology_constraints constraints; /* as declared: 0 is unset */
	unsigned int memory_mib, workers_per_cgroup;
	struct ktstr_disk_config *disk; /* NULL = none */
	struct ktstr_networks networks; /* owned, addresses spelt out */
	uint64_t duration_ns; /* 0 = the rt-app file's, else the default */
	struct ktstr_sched_info scheduler, *staged;
	size_t staged_count;
	struct ktstr_expectation expect;
	char *workload_root_cgroup; /* NULL = the default */
	bool nokaslr;
	bool performance_mode, no_perf_mode;
	unsigned int cpu_budget; /* 0 = none */
	bool host_only; /* see runner/host_run.h */
	json_t *checks;
	struct ktstr_observe_plan observe;
	uint64_t cleanup_budget_ns; /* 0 = any time */
	char *payload; /* NULL = none */
	char *rt_app; /* bare name or path of its rt-app file; NULL = none */
	struct ktstr_include_spec *includes;
	size_t includes_count;
	bool deterministic, fresh_attach;
	bool ignore;
	bool has_plan;
};

struct ktstr_program {
	char *path; /* absolute */
	struct ktstr_test_info *tests;
	size_t tests_count;
	struct ktstr_strv errors; /* declarations that cannot run, each naming test and field */
};

/*
 * Asks the program at path to describe itself. KTSTR_ERR_INVALID when it is no ktstr test program (it is
 * then not executed) or has no tests.
 */
struct ktstr_error *ktstr_program_load(const char *path, struct ktstr_program *program) KTSTR_CHECKED;
/*
 * Asks the program whether the test's plan could run on that topology. KTSTR_ERR_INVALID with all that is wrong; a plan that
 * is skipped there is fine.
 */
struct ktstr_error *ktstr_program_check_plan(const struct ktstr_program *program, const struct ktstr_test_info *test,
					     const struct ktstr_topology *topology) KTSTR_CHECKED;
void ktstr_program_deinit(struct ktstr_program *program);

/* What all runs of an invocation share. */
struct ktstr_run_setup {
	struct ktstr_qemu qemu;
	struct ktstr_accel_choice accel;
	struct ktstr_kernel kernel;
	struct ktstr_vmlinux *vmlinux; /* of the kernel, read once for all runs; NULL = not known: they cannot be watched */
	struct ktstr_guest_base base;
	char *lockstep_path, *coherence_path; /* see ktstr_vm_config */
	char *run_dir;
	char *kernel_commit, *project_commit; /* NULL = not known */
	bool no_vm; /* every run is host_only: no QEMU, no kernel image, no agent were looked for */
	json_t *host; /* what every result records of this machine */
	bool strict; /* --release */
	const char *vmcore_dir; /* ELF cores of guests whose scheduler has failed are kept there; NULL = none are. Borrowed */
};

/* Agent, QEMU, kernel and accelerator; no run directory. */
struct ktstr_error *ktstr_run_setup_vm(const char *kernel_spec, const struct ktstr_progress *progress,
				       struct ktstr_run_setup *setup) KTSTR_CHECKED;
/* The same with a run directory. */
struct ktstr_error *ktstr_run_setup_init(const char *kernel_spec, const struct ktstr_progress *progress,
					 struct ktstr_run_setup *setup) KTSTR_CHECKED;
/* For runs that are all host_only; kernel is the one that runs. */
struct ktstr_error *ktstr_run_setup_host(struct ktstr_run_setup *setup) KTSTR_CHECKED;
void ktstr_run_setup_deinit(struct ktstr_run_setup *setup);
/* What all VMs of the setup have in common; borrows from it. */
struct ktstr_vm_config ktstr_run_setup_config(const struct ktstr_run_setup *setup);
/* A program that belongs to ktstr ("ktstr-init"): beside the running one, else where it is installed. */
struct ktstr_error *ktstr_find_helper(const char *name, char **path) KTSTR_CHECKED;

/* A deterministic run that waits for a debugger before its first instruction. */
struct ktstr_run_debug {
	const char *socket_path; /* where QEMU's gdb stub is to listen */
	struct ktstr_error *(*ready)(void *context, struct ktstr_vm *vm); /* it does now */
	void *context;
};

/* One VM to run. Borrows from program and setup; owns the rest. */
struct ktstr_run {
	const struct ktstr_program *program;
	const struct ktstr_test_info *test;
	char *full_name; /* "ktstr/<test>" */
	struct ktstr_topology topology; /* nodes borrowed from the test */
	char *refusal; /* why the test is not run on it: a recorded skip, nothing boots; NULL = it is */
	struct ktstr_sched_choice scheduler, *staged;
	size_t staged_count;
	bool declared; /* the scheduler is the one of the declaration, with all that this says of it */
	struct ktstr_includes includes, scheduler_includes; /* the latter are there before the scheduler starts */
	struct ktstr_strv kargs, sysctls; /* of the kernel's command line */
	char *work_type; /* of swappable cgroups; NULL = their own */
	const struct ktstr_disk_config *disk; /* NULL = none */
	char *rt_app; /* host path of the file that ktstr_run_rt_app() runs; NULL = none */
	uint64_t duration_ns; /* 0 until the includes are found = not decided yet */
	uint64_t seed;
	bool deterministic;
	const struct ktstr_run_debug *debug; /* NULL = none */
	bool twice; /* deterministic: run it again and compare */
	bool cold; /* boot, do not restore */
	struct ktstr_reserve_request reserve; /* host CPUs */
	bool fresh_attach; /* attach the scheduler in the run itself, never before */
	struct ktstr_strv reproduce;
};

/*
 * Finds what the test wants in its guest, beside the program, too; an rt-app file is translated here already, so that
 * its mistakes show before any VM. program, test and topology are set; so is rt_app, when another file than the test's
 * is wanted.
 */
struct ktstr_error *ktstr_run_find_includes(struct ktstr_run *run) KTSTR_CHECKED;

/*
 * Decides which schedulers the run starts and what they need: binaries, files, cgroups, words for the kernel's command
 * line. binary NULL: as the test declares. Else that one, with args (NULL-terminated, may be NULL), instead; declared:
 * what else the declaration says goes for it, too. program and test are set.
 */
struct ktstr_error *ktstr_run_choose_schedulers(struct ktstr_run *run, const char *binary, bool declared,
						char *const *args) KTSTR_CHECKED;
/* The kernel's further words, one line; NULL = none. Heap. */
char *ktstr_run_kernel_words(const struct ktstr_run *run);
/* Why the run is skipped: its topology is none for the test, or this kernel none for its scheduler; NULL = it is not. Heap. */
char *ktstr_run_refuses(const struct ktstr_run *run, const struct ktstr_kernel *kernel);
void ktstr_run_deinit(struct ktstr_run *run);
/* What to tell the user of a stage in which a template is made; NULL = it is another one. Heap. */
char *ktstr_run_build_note(const struct ktstr_run *run, const char *stage);
/* What tells a run from the others of its name: "1n2l2c1t", "seed 7", "1n2l2c1t seed 7"; NULL = its name does. Heap. */
char *ktstr_run_instance(const struct ktstr_run *runs, size_t count, size_t index);

/* The stage from which on a run is a clone. */
#define KTSTR_STAGE_RESTORING "restoring"
/* The stages in which a VM is saved for later runs: booted, and with the scheduler attached. */
#define KTSTR_STAGE_BUILDING  "building template"
#define KTSTR_STAGE_ATTACHING "attaching"
/* Is the guest watched while it runs? Not under virtual time, where nothing may stop the guest from outside. */
static inline bool ktstr_run_is_observed(const struct ktstr_run *run)
{
	return !run->deterministic;
}

/* The setup's, but emulation for a deterministic run. Borrows from setup. */
const struct ktstr_accel_choice *ktstr_run_accel(const struct ktstr_run_setup *setup, const struct ktstr_run *run);

/* Does it run in performance mode? Under virtual time it never does. */
static inline bool ktstr_run_is_measured(const struct ktstr_run *run)
{
	return run->reserve.mode == KTSTR_MODE_PERFORMANCE && !run->deterministic && !run->test->host_only;
}

/* What a result says of a run before anything has happened; fills *result, which is the caller's to deinit. */
void ktstr_run_identify(const struct ktstr_run_setup *setup, const struct ktstr_run *run, struct ktstr_test_result *result);

/* Runs one test in a VM in this process. Whatever goes wrong ends up in result. */
typedef void (*ktstr_stage_fn)(void *context, const char *stage);
void ktstr_run_execute(const struct ktstr_run_setup *setup, const struct ktstr_run *run,
		       ktstr_stage_fn stage, void *context, struct ktstr_test_result *result);

#define KTSTR_MAX_JOBS 1024
#define KTSTR_JOBS_FORM "a number of VMs from 1 to 1024"

struct ktstr_pool_options {
	unsigned int jobs; /* VMs at once, memory allowing; 0 = number of CPUs */
	enum ktstr_format format;
	const char *junit_path; /* JUnit XML of all results goes there, too; NULL = nowhere */
	uint64_t budget_ns; /* start nothing more after it; 0 = no limit */
	bool no_skip_mode;
	bool fail_fast;
};

/*
 * Runs all, `jobs` at a time, each in a process of its own, stores and prints results as they arrive. Exit code
 * in *exit_code. Ctrl-C and SIGTERM end every VM and give KTSTR_ERR_CANCELLED.
 */
struct ktstr_error *ktstr_pool_run(const struct ktstr_run_setup *setup, const struct ktstr_run *runs,
				   size_t count, const struct ktstr_pool_options *options,
				   int *exit_code) KTSTR_CHECKED;

#endif
