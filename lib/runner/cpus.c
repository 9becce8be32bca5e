// SPDX-License-Identifier: GPL-2.0-only
/* What a reservation means for a run and its result; see cpus.h. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "host/usable_cpus.h"
#include "reserve/apply.h"
#include "runner/cpus.h"

unsigned int ktstr_allowed_count(unsigned int wanted)
{
	unsigned int usable = ktstr_usable_cpus();

	return wanted < usable ? wanted : usable;
}

static void note_pool(const struct ktstr_reservation *reservation, struct ktstr_test_result *result)
{
	_cleanup_free_ char *cpus = ktstr_cpus_to_text(&reservation->plan.cpus);

	if (reservation->mode == KTSTR_MODE_NO_PERF)
		ktstr_assert_note(&result->verdict, "the VM is kept to host CPUs %s%s", cpus,
				  reservation->plan.spills ? ", which are of several NUMA nodes" : "");
}

bool ktstr_run_reserve(const struct ktstr_run *run, struct ktstr_test_result *result,
		       struct ktstr_reservation *reservation)
{
	struct ktstr_reserve_request request = run->reserve;
	enum ktstr_reserve_verdict verdict;
	bool skipped;

	*reservation = (struct ktstr_reservation){ 0 };
	if (run->test->host_only)
		return true;
	if (request.mode == KTSTR_MODE_PERFORMANCE && !ktstr_run_is_measured(run)) {
		ktstr_assert_note(&result->verdict, "under virtual time there is no performance mode");
		request.mode = KTSTR_MODE_DEFAULT;
	}
	verdict = ktstr_reserve(&request, &run->topology, reservation);
	if (verdict == KTSTR_RESERVED) {
		if (!run->deterministic)
			result->cpu_budget = ktstr_reservation_cpus(reservation, result->vcpus);
		note_pool(reservation, result);
		return true;
	}
	skipped = ktstr_reserve_is_skip(verdict);
	ktstr_assert_record(&result->verdict, skipped ? KTSTR_OUTCOME_SKIP : KTSTR_OUTCOME_FAIL,
			    skipped ? KTSTR_DETAIL_SKIP : KTSTR_DETAIL_OTHER, "%s", reservation->reason);
	if (!skipped)
		result->cause = ktstr_xstrdup(reservation->reason);
	return false;
}

struct ktstr_error *ktstr_run_pin(const struct ktstr_reservation *reservation, struct ktstr_vm *vm,
				  struct ktstr_test_result *result)
{
	const struct ktstr_cpu_plan *plan = &reservation->plan;
	_cleanup_free_ int *tids = ktstr_xcalloc(KTSTR_MAX_CPUS, sizeof(*tids));
	_cleanup_strv_ struct ktstr_strv warnings = { 0 };
	_cleanup_str_ struct ktstr_str cpus = { 0 };
	size_t count;

	if (!plan->vcpus_count)
		return NULL;
	KTSTR_TRY(ktstr_vm_vcpu_threads(vm, tids, KTSTR_MAX_CPUS, &count));
	/* Its pages are those of a file that templates and clones share. */
	ktstr_strv_add(&warnings, KTSTR_PERFORMANCE_WARNING "no huge pages: guest RAM is a file in shared memory");
	KTSTR_TRY(ktstr_reservation_pin(reservation, ktstr_vm_pid(vm), tids, count, &warnings));
	for (size_t i = 0; i < plan->vcpus_count; i++)
		ktstr_str_addf(&cpus, "%s%u", i ? "," : "", plan->vcpu_cpus[i]);
	ktstr_assert_note(&result->verdict, "vCPUs are pinned to host CPUs %s, all else of the run to %u",
			  ktstr_str_text(&cpus), plan->service_cpu);
	for (size_t i = 0; i < warnings.count; i++)
		ktstr_assert_note(&result->verdict, "%s", warnings.items[i]);
	return NULL;
}
