/* SPDX-License-Identifier: GPL-2.0-only */
/* Sets of CPUs by value, their list text ("0-3,5"), and specs that resolve against a topology. */
#ifndef KTSTR_CPUSET_H
#define KTSTR_CPUSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/error.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KTSTR_MAX_CPUS 1024

/* Bit cpu%64 of bits[cpu/64]. Plain data: copy, compare and zero-initialise freely. */
struct ktstr_cpus {
	uint64_t bits[KTSTR_MAX_CPUS / 64];
};

void ktstr_cpus_add(struct ktstr_cpus *cpus, unsigned int cpu); /* cpu >= KTSTR_MAX_CPUS: ignored */
void ktstr_cpus_remove(struct ktstr_cpus *cpus, unsigned int cpu);
bool ktstr_cpus_has(const struct ktstr_cpus *cpus, unsigned int cpu);
unsigned int ktstr_cpus_count(const struct ktstr_cpus *cpus);
/* The lowest CPU >= from, -1 when there is none. */
int ktstr_cpus_next(const struct ktstr_cpus *cpus, unsigned int from);
struct ktstr_cpus ktstr_cpus_range(unsigned int first, unsigned int count);
struct ktstr_cpus ktstr_cpus_and(const struct ktstr_cpus *a, const struct ktstr_cpus *b);
struct ktstr_cpus ktstr_cpus_or(const struct ktstr_cpus *a, const struct ktstr_cpus *b);
struct ktstr_cpus ktstr_cpus_minus(const struct ktstr_cpus *a, const struct ktstr_cpus *b);
bool ktstr_cpus_subset(const struct ktstr_cpus *inner, const struct ktstr_cpus *outer);
bool ktstr_cpus_equal(const struct ktstr_cpus *a, const struct ktstr_cpus *b);

#define ktstr_for_each_cpu(cpu, cpus)                                                              \
	for (int cpu = ktstr_cpus_next((cpus), 0); cpu >= 0;                                       \
	     cpu = ktstr_cpus_next((cpus), (unsigned int)cpu + 1))

/* "0-3,5,7-9"; "" for the empty set. Heap; caller frees. */
char *ktstr_cpus_to_text(const struct ktstr_cpus *cpus);
/*
 * Strict parse of a kernel CPU list; empty text is the empty set; a reversed range, a CPU of
 * KTSTR_MAX_CPUS or more, or anything else is KTSTR_ERR_INVALID and the message quotes the part.
 */
struct ktstr_error *ktstr_cpus_parse(const char *text, struct ktstr_cpus *cpus) KTSTR_CHECKED;

/*
 * A CPU set described relative to the topology a test runs on; U = usable CPUs ascending, n = |U|.
 * Write one with the constructors below, which are constant expressions.
 */
enum ktstr_cpuset_kind {
	KTSTR_CPUSET_INHERIT, /* none: the cgroup inherits its parent's CPUs */
	KTSTR_CPUSET_LLC, /* all CPUs of LLC `index` */
	KTSTR_CPUSET_NUMA, /* all CPUs of the `index`th NUMA node by ascending id */
	KTSTR_CPUSET_RANGE, /* U[floor(n*from) .. floor(n*to)) */
	KTSTR_CPUSET_DISJOINT, /* part `index` of `of` equal parts of U, the last takes the rest */
	KTSTR_CPUSET_OVERLAP, /* as DISJOINT, each part grown by floor(part*overlap) on both sides */
	KTSTR_CPUSET_EXACT, /* `cpus` verbatim */
};

struct ktstr_cpuset_spec {
	enum ktstr_cpuset_kind kind;
	unsigned int index, of;
	double from, to, overlap;
	struct ktstr_cpus cpus;
};

#define ktstr_cpuset_llc(i)                                                                        \
	((struct ktstr_cpuset_spec){ .kind = KTSTR_CPUSET_LLC, .index = (i) })
#define ktstr_cpuset_numa(i)                                                                       \
	((struct ktstr_cpuset_spec){ .kind = KTSTR_CPUSET_NUMA, .index = (i) })
#define ktstr_cpuset_range(a, b)                                                                   \
	((struct ktstr_cpuset_spec){ .kind = KTSTR_CPUSET_RANGE, .from = (a), .to = (b) })
#define ktstr_cpuset_disjoint(i, n)                                                                \
	((struct ktstr_cpuset_spec){ .kind = KTSTR_CPUSET_DISJOINT, .index = (i), .of = (n) })
#define ktstr_cpuset_overlap(i, n, f)                                                              \
	((struct ktstr_cpuset_spec){                                                               \
		.kind = KTSTR_CPUSET_OVERLAP, .index = (i), .of = (n), .overlap = (f) })
#define ktstr_cpuset_exact(set)                                                                    \
	((struct ktstr_cpuset_spec){ .kind = KTSTR_CPUSET_EXACT, .cpus = (set) })

struct ktstr_test_topology;

/*
 * KTSTR_ERR_INVALID when the spec makes no sense on this topology: index out of range; a NUMA node
 * without CPUs; range not finite, outside [0,1] or empty; DISJOINT/OVERLAP with of = 0, index >= of or
 * n < of; overlap outside [0,1]; EXACT empty or naming a CPU that does not exist. INHERIT is always valid.
 */
struct ktstr_error *ktstr_cpuset_validate(const struct ktstr_cpuset_spec *spec,
					  const struct ktstr_test_topology *topology) KTSTR_CHECKED;
/*
 * Never fails: indexes are clamped. INHERIT gives all usable CPUs. The result of a valid spec can
 * still be empty (RANGE(0, .1) of 4 CPUs); whoever applies it must refuse an empty set.
 */
struct ktstr_cpus ktstr_cpuset_resolve(const struct ktstr_cpuset_spec *spec,
				       const struct ktstr_test_topology *topology);

#ifdef __cplusplus
}
#endif
#endif
