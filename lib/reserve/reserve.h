/* SPDX-License-Identifier: GPL-2.0-only */
/* CPUs of the host that a run has asked for: chosen, locked, and given back. */
#ifndef KTSTR_RESERVE_RESERVE_H
#define KTSTR_RESERVE_RESERVE_H

#include "base/str.h"
#include "ktstr/topology.h"
#include "reserve/plan.h"

/* What KTSTR_CPU_CAP has to be. */
#define KTSTR_CPU_CAP_FORM "a number of host CPUs from 1 on"

enum ktstr_run_mode {
	KTSTR_MODE_DEFAULT, /* nothing is reserved: the host's scheduler places the VM */
	KTSTR_MODE_PERFORMANCE, /* each vCPU on a host CPU of its own, whole LLCs exclusively */
	KTSTR_MODE_NO_PERF, /* a pool of CPUs that others may use, too */
};

/* What a test declares, and what the operator says. */
struct ktstr_mode_wish {
	bool performance_mode, no_perf_mode; /* of the test */
	unsigned int cpu_budget; /* of the test; 0 = none */
	bool operator_no_perf; /* --no-perf-mode; KTSTR_NO_PERF_MODE is asked here */
	unsigned int cpu_cap; /* --cpu-cap; 0 = not given, KTSTR_CPU_CAP is asked here */
};

struct ktstr_reserve_request {
	enum ktstr_run_mode mode;
	unsigned int cpu_cap; /* 0 = none */
	const char *cap_source; /* "--cpu-cap", "KTSTR_CPU_CAP"; static */
	unsigned int cpu_budget; /* of the test; 0 = none */
	bool no_locks; /* KTSTR_BYPASS_LLC_LOCKS */
};

/*
 * The operator's --no-perf-mode wins over .performance_mode. A cap makes a pool of whatever reserves nothing; what runs
 * in performance mode stays there, within the cap. KTSTR_ERR_INVALID: a KTSTR_CPU_CAP that is no number from 1, or a cap
 * together with KTSTR_BYPASS_LLC_LOCKS.
 */
struct ktstr_error *ktstr_reserve_request_init(const struct ktstr_mode_wish *wish, struct ktstr_reserve_request *request)
	KTSTR_CHECKED;

enum ktstr_reserve_verdict {
	KTSTR_RESERVED, /* or there was nothing to reserve */
	KTSTR_RESOURCE_CONTENTION, /* others hold it: a skip */
	KTSTR_TOPOLOGY_INSUFFICIENT, /* the test's budget is more than there is: a skip */
	KTSTR_PERF_MODE_UNAVAILABLE, /* not on this host: a failure */
	KTSTR_CPU_BUDGET_UNSATISFIABLE, /* the operator's cap is more than there is: a failure */
	KTSTR_RESERVE_FAILED, /* something went wrong: a failure */
};
static inline bool ktstr_reserve_is_skip(enum ktstr_reserve_verdict verdict)
{
	return verdict == KTSTR_RESOURCE_CONTENTION || verdict == KTSTR_TOPOLOGY_INSUFFICIENT;
}

struct ktstr_reservation {
	enum ktstr_run_mode mode;
	struct ktstr_cpu_plan plan;
	int *lock_fds;
	size_t lock_fds_count;
	struct ktstr_cpus allowed; /* before; given back at the end */
	bool entered, bound; /* see apply.h */
	char *reason; /* why nothing is reserved, with the verdict's name in front; NULL = it is */
};

/*
 * Takes all locks or none, without waiting; when others hold them it looks again a few times. *reservation is to be
 * released in any case.
 */
enum ktstr_reserve_verdict ktstr_reserve(const struct ktstr_reserve_request *request, const struct ktstr_topology *machine,
					 struct ktstr_reservation *reservation) KTSTR_CHECKED;
/* The same on a given host. */
enum ktstr_reserve_verdict ktstr_reserve_on(const struct ktstr_test_topology *host, const struct ktstr_cpus *allowed,
					    const struct ktstr_reserve_request *request, const struct ktstr_topology *machine,
					    struct ktstr_reservation *reservation) KTSTR_CHECKED;
void ktstr_reservation_release(struct ktstr_reservation *reservation);
/* How many host CPUs the VM's vCPUs can run on; `vcpus` at most without a reservation. 0 when the host does not tell. */
unsigned int ktstr_reservation_cpus(const struct ktstr_reservation *reservation, unsigned int vcpus);

#endif
