/* SPDX-License-Identifier: GPL-2.0-only */
/* What a test declares to be done to, or read from, the scheduler's BPF maps by the host while the test runs. */
#ifndef KTSTR_OBSERVE_H
#define KTSTR_OBSERVE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A global variable of the scheduler that the host sets, from outside, before the scenario begins. The map is the array
 * map whose name ends with map_suffix (".bss", ".data"); field is the variable, members and elements of it behind dots
 * and in brackets ("tunables.weight[2]"), 4 bytes wide.
 */
struct ktstr_bpf_map_write {
	const char *map_suffix; /* begins with '.', at least 2 characters, printable, no '/', '\' or blank */
	const char *field;
	uint32_t value;
};

enum ktstr_bpf_map_agg {
	KTSTR_MAP_SCALAR, /* mean of the samples */
	KTSTR_MAP_SCALAR_COUNTER, /* the last value */
	KTSTR_MAP_PER_CPU, /* mean and maximum over CPUs, of the samples: _avg and _max */
	KTSTR_MAP_PER_CPU_COUNTER, /* sum over CPUs at the last sample */
};

/*
 * A variable (or, of an array map that is no section, a member of its first value) that is read ten times a second while the guest runs; the result is
 * the metric <object>_<label>, <object> being the map's name without the suffix (all of it, if nothing is left). 1, 2, 4 or 8 bytes.
 */
struct ktstr_watch_bpf_map {
	const char *map_suffix; /* as above; for a map that is no section, its whole name or the end of it */
	const char *field; /* "" = the whole value, of a map that is no section */
	enum ktstr_bpf_map_agg agg;
	const char *label; /* unique in the test */
};

/* Lists for attributes of a test, NULL-terminated. */
#define KTSTR_BPF_MAP_WRITES(...) \
	((const struct ktstr_bpf_map_write[]){ __VA_ARGS__, { 0 } })
#define KTSTR_WATCH_BPF_MAPS(...) \
	((const struct ktstr_watch_bpf_map[]){ __VA_ARGS__, { 0 } })

#ifdef __cplusplus
}
#endif
#endif
