/* SPDX-License-Identifier: GPL-2.0-only */
/* Schedulers under test: which binary, with which arguments, on which topologies, checked how. */
#ifndef KTSTR_SCHEDULER_H
#define KTSTR_SCHEDULER_H

#include <ktstr/cgroup.h>
#include <ktstr/check.h>
#include <ktstr/topology.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A kernel setting, on the kernel's command line as sysctl.<key>=<value>. Key: dotted with at least one dot, as
 * sysctl(8) has it ("kernel.sched_schedstats"); of equal keys the last wins.
 */
struct ktstr_sysctl {
	const char *key, *value;
};

/*
 * A scheduler that reads a configuration file which each test brings (.config of the test). The file appears at
 * guest_path, and args go before the scheduler's own, with guest_path for each "{file}" in them:
 *	.config_file_def = { .args = KTSTR_ARGS("--config", "{file}"), .guest_path = "/include-files/layers.json" }
 */
struct ktstr_config_file_def {
	const char *const *args;
	const char *guest_path; /* NULL = the scheduler takes no such file */
};

/*
 * A scheduler is what of these is set:
 *	nothing		EEVDF, the kernel's own
 *	.binary		a path (with a '/') as it is; a name is looked up on the host: $KTSTR_SCHEDULER_BIN_<NAME> (upper
 *			case, other characters as '_'), $KTSTR_SCHEDULER, beside the test program, beside ktstr, PATH
 *	.enable		something the kernel has built in, turned on by shell commands in the guest, and off by .disable
 * Lists of strings are NULL-terminated: KTSTR_ARGS(...).
 */
struct ktstr_scheduler {
	const char *name; /* label in output and results */
	const char *binary;
	const char *const *enable, *const *disable; /* each run by `sh -c`; one that fails ends the run */
	const char *const *args;
	const char *const *kargs; /* kernel command line, not console=, loglevel=, rdinit=; such tests have templates of their own */
	const struct ktstr_sysctl *sysctls; /* KTSTR_SYSCTLS({ "kernel.x", "1" }); the same */
	struct ktstr_cgroup_path cgroup_parent; /* KTSTR_CGROUP_PATH("a/b"): made with cpu and cpuset before it starts */
	const char *config_file; /* of the host, as KTSTR_INCLUDE_DIR/<its name>, told by --config before args */
	struct ktstr_config_file_def config_file_def;
	const char *const *include_files; /* of the host, for KTSTR_INCLUDE_DIR; there before the scheduler starts */
	/*
	 * Kernels that its tests are for, any if none: a version or series "6.16", a range "6.12..6.16" (or "..=": both
	 * ends are in it, a series as a whole), or the path of an image or tree. On others they are skipped.
	 */
	const char *const *kernels;
	struct ktstr_topology topology; /* default of its tests, per field */
	struct ktstr_topology_constraints constraints; /* the same */
	struct ktstr_assert checks; /* middle layer of the threshold merge */
};

/* Which of the four a declaration is. */
enum ktstr_scheduler_spec {
	KTSTR_SCHEDULER_EEVDF,
	KTSTR_SCHEDULER_DISCOVER, /* a name to look up */
	KTSTR_SCHEDULER_PATH,
	KTSTR_SCHEDULER_KERNEL_BUILTIN,
};
enum ktstr_scheduler_spec ktstr_scheduler_spec(const struct ktstr_scheduler *scheduler);
/* "eevdf", the name or path, "kernel". */
const char *ktstr_scheduler_spec_name(const struct ktstr_scheduler *scheduler);

/* A NULL-terminated list of strings: .args = KTSTR_ARGS("-v", "--slice-us", "5000") */
#define KTSTR_ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })
/* A list that ends with a NULL key: .sysctls = KTSTR_SYSCTLS({ "kernel.sched_rt_runtime_us", "-1" }) */
#define KTSTR_SYSCTLS(...) ((const struct ktstr_sysctl[]){ __VA_ARGS__, { NULL, NULL } })
/* A NULL-terminated list of schedulers: .staged_schedulers = KTSTR_SCHEDULERS(&fast, &slow) */
#define KTSTR_SCHEDULERS(...) ((const struct ktstr_scheduler *const[]){ __VA_ARGS__, NULL })

extern const struct ktstr_scheduler KTSTR_SCHED_EEVDF;

/* Registrations keep the order of the source; GCC alone would lay them out backwards. */
#if __has_attribute(no_reorder)
#define KTSTR_REGISTERED_(SECTION) __attribute__((used, retain, no_reorder, section(SECTION)))
#else
#define KTSTR_REGISTERED_(SECTION) __attribute__((used, retain, section(SECTION)))
#endif

/* Defines and registers the scheduler `id`: KTSTR_SCHEDULER(simple, .binary = "scx_simple"); */
#define KTSTR_SCHEDULER(id, ...)                                                                   \
	static const struct ktstr_scheduler id = { .name = #id, __VA_ARGS__ };                     \
	static const struct ktstr_scheduler *const id##_ktstr_entry_                               \
		KTSTR_REGISTERED_("ktstr_schedulers") = &id

/* The registered scheduler of that name, or NULL. */
const struct ktstr_scheduler *ktstr_find_scheduler(const char *name);

#ifdef __cplusplus
}
#endif
#endif
