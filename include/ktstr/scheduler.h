/* SPDX-License-Identifier: GPL-2.0-only */
/* Schedulers under test: which binary, with which arguments, on which topologies, checked how. */
#ifndef KTSTR_SCHEDULER_H
#define KTSTR_SCHEDULER_H

#include <ktstr/check.h>
#include <ktstr/topology.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * `binary`: NULL = the kernel's own EEVDF; a path (contains '/') as it is; a name is looked up on the host:
 * $KTSTR_SCHEDULER_BIN_<NAME> (upper case, other characters as '_'), $KTSTR_SCHEDULER, beside the test program,
 * beside ktstr, PATH.
 */
struct ktstr_scheduler {
	const char *name; /* label in output and results */
	const char *binary;
	const char *const *args; /* NULL-terminated, KTSTR_ARGS(...) */
	struct ktstr_topology topology; /* default of its tests, per field */
	struct ktstr_topology_constraints constraints;
	struct ktstr_assert checks; /* middle layer of the threshold merge */
};

/* A NULL-terminated list of strings: .args = KTSTR_ARGS("-v", "--slice-us", "5000") */
#define KTSTR_ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

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
