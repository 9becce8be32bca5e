// SPDX-License-Identifier: GPL-2.0-only
/* Reserves host CPUs; see reserve.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/file.h"
#include "base/lock_holders.h"
#include "host/usable_cpus.h"
#include "ktstr/units.h"
#include "reserve/apply.h"
#include "reserve/locks.h"
#include "reserve/reserve.h"

KTSTR_DEFINE_CLEANUP(struct ktstr_test_topology *, cleanup_topology, ktstr_test_topology_destroy)

/* Whoever is about to release is through by then; who runs a test is not. */
enum { ATTEMPTS = 3 };
#define RETRY_AFTER KTSTR_MS(50)

static struct ktstr_error *read_cap(const struct ktstr_mode_wish *wish, struct ktstr_reserve_request *request)
{
	uint64_t cap = 0;

	if (!wish->cpu_cap)
		KTSTR_TRY(ktstr_env_number("KTSTR_CPU_CAP", KTSTR_CPU_CAP_FORM, 1, KTSTR_MAX_CPUS, &cap));
	request->cpu_cap = wish->cpu_cap ? wish->cpu_cap : (unsigned int)cap;
	request->cap_source = wish->cpu_cap ? "--cpu-cap" : "KTSTR_CPU_CAP";
	if (request->cpu_cap && request->no_locks)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "%s is a resource contract with others on this host, which KTSTR_BYPASS_LLC_LOCKS would break: unset one of them",
				       request->cap_source);
	return NULL;
}

struct ktstr_error *ktstr_reserve_request_init(const struct ktstr_mode_wish *wish, struct ktstr_reserve_request *request)
{
	bool no_perf = wish->no_perf_mode || wish->operator_no_perf || ktstr_env("KTSTR_NO_PERF_MODE");

	*request = (struct ktstr_reserve_request){ .cpu_budget = wish->cpu_budget,
						   .no_locks = ktstr_env("KTSTR_BYPASS_LLC_LOCKS") != NULL };
	KTSTR_TRY(read_cap(wish, request));
	if (no_perf)
		request->mode = KTSTR_MODE_NO_PERF;
	else if (wish->performance_mode)
		request->mode = KTSTR_MODE_PERFORMANCE;
	else if (request->cpu_cap)
		request->mode = KTSTR_MODE_NO_PERF;
	return NULL;
}

/* An attempt: what is known of the host, and of others. */
struct attempt {
	const struct ktstr_reserve_request *request;
	const struct ktstr_topology *machine;
	struct ktstr_host_view host;
	struct ktstr_reservation *reservation;
};

static enum ktstr_reserve_verdict say(struct ktstr_reservation *reservation, enum ktstr_reserve_verdict verdict,
				      char *reason)
{
	free(reservation->reason);
	reservation->reason = reason;
	return verdict;
}

static enum ktstr_reserve_verdict say_error(struct ktstr_reservation *reservation, enum ktstr_reserve_verdict verdict,
					    const char *name, struct ktstr_error *error)
{
	char *reason = ktstr_xasprintf("%s%s%s", name, *name ? ": " : "", ktstr_error_message(error));

	ktstr_error_free(error);
	return say(reservation, verdict, reason);
}

static enum ktstr_reserve_verdict say_contention(struct ktstr_reservation *reservation, struct ktstr_error *error)
{
	return say_error(reservation, KTSTR_RESOURCE_CONTENTION, "RESOURCE_CONTENTION", error);
}

/* Of all LLCs; heap. */
static struct ktstr_llc_use *read_use(const struct ktstr_test_topology *topology)
{
	unsigned int count = ktstr_test_topology_num_llcs(topology);
	struct ktstr_llc_use *use = ktstr_xcalloc(count, sizeof(*use));

	for (unsigned int i = 0; i < count; i++) {
		_cleanup_free_ char *path = ktstr_llc_lock_path(i);
		struct ktstr_lock_holders holders;

		ktstr_lock_holders_read(path, &holders);
		for (size_t j = 0; j < holders.count; j++) {
			use[i].exclusive |= holders.items[j].exclusive;
			use[i].shared += !holders.items[j].exclusive;
		}
		ktstr_lock_holders_deinit(&holders);
	}
	return use;
}

static void unlock(struct ktstr_reservation *reservation)
{
	for (size_t i = 0; i < reservation->lock_fds_count; i++)
		close(reservation->lock_fds[i]);
	free(reservation->lock_fds);
	reservation->lock_fds = NULL;
	reservation->lock_fds_count = 0;
}

/* All of the plan, ascending, or none. */
static struct ktstr_error *lock(struct ktstr_reservation *reservation, bool exclusive)
{
	const struct ktstr_cpu_plan *plan = &reservation->plan;

	reservation->lock_fds = ktstr_xcalloc(plan->llcs_count, sizeof(*reservation->lock_fds));
	for (size_t i = 0; i < plan->llcs_count; i++) {
		_cleanup_free_ char *path = ktstr_llc_lock_path(plan->llcs[i]);
		struct ktstr_error *error =
			ktstr_try_lock(path, exclusive, &reservation->lock_fds[reservation->lock_fds_count]);

		if (error) {
			unlock(reservation);
			return error;
		}
		reservation->lock_fds_count++;
	}
	return NULL;
}

static enum ktstr_reserve_verdict lock_or_say(const struct attempt *attempt, bool exclusive)
{
	struct ktstr_error *error = attempt->request->no_locks ? NULL : lock(attempt->reservation, exclusive);

	if (!error)
		return KTSTR_RESERVED;
	if (ktstr_error_code(error) == KTSTR_ERR_BUSY)
		return say_contention(attempt->reservation, error);
	return say_error(attempt->reservation, KTSTR_RESERVE_FAILED, "", error);
}

static unsigned int pool_size(const struct attempt *attempt)
{
	const struct ktstr_reserve_request *request = attempt->request;

	if (request->cpu_cap)
		return request->cpu_cap;
	return request->cpu_budget ? request->cpu_budget :
				     ktstr_default_cpu_budget(ktstr_host_cpus_count(&attempt->host),
							      ktstr_topology_total_cpus(attempt->machine));
}

static enum ktstr_reserve_verdict try_pool(const struct attempt *attempt)
{
	struct ktstr_error *error = ktstr_plan_pool(&attempt->host, pool_size(attempt), &attempt->reservation->plan);

	return error ? say_contention(attempt->reservation, error) : lock_or_say(attempt, false);
}

static enum ktstr_reserve_verdict try_performance(const struct attempt *attempt)
{
	size_t slots = ktstr_plan_performance_slots(&attempt->host, attempt->machine);
	enum ktstr_reserve_verdict verdict = KTSTR_RESOURCE_CONTENTION;

	for (size_t slot = 0; slot < slots && verdict == KTSTR_RESOURCE_CONTENTION; slot++) {
		ktstr_plan_performance(&attempt->host, attempt->machine, slot, &attempt->reservation->plan);
		verdict = lock_or_say(attempt, true);
	}
	return verdict;
}

/* What no waiting would change. */
static enum ktstr_reserve_verdict check(const struct attempt *attempt)
{
	const struct ktstr_reserve_request *request = attempt->request;
	struct ktstr_reservation *reservation = attempt->reservation;
	unsigned int allowed = ktstr_host_cpus_count(&attempt->host);
	struct ktstr_error *error;

	if (!allowed)
		return say(reservation, KTSTR_RESERVE_FAILED, ktstr_xstrdup("none of the host's CPUs is allowed"));
	if (request->cpu_cap > allowed)
		return say(reservation, KTSTR_CPU_BUDGET_UNSATISFIABLE,
			   ktstr_xasprintf("CPU_BUDGET_UNSATISFIABLE: %s is %u, %u host CPUs are allowed: give at most %u",
					   request->cap_source, request->cpu_cap, allowed, allowed));
	if (request->mode == KTSTR_MODE_PERFORMANCE) {
		unsigned int needed = ktstr_topology_total_cpus(attempt->machine) + 1;

		error = ktstr_plan_performance_check(&attempt->host, attempt->machine);
		if (!error && request->cpu_cap && needed > request->cpu_cap)
			error = ktstr_error_new(KTSTR_ERR_UNSUPPORTED, "it needs %u host CPUs, %s is %u", needed,
						request->cap_source, request->cpu_cap);
		return error ? say_error(reservation, KTSTR_PERF_MODE_UNAVAILABLE, "PERF_MODE_UNAVAILABLE",
					 ktstr_error_wrap(error, "no performance mode here (--no-perf-mode runs it without)")) :
			       KTSTR_RESERVED;
	}
	if (!request->cpu_cap && request->cpu_budget > allowed)
		return say(reservation, KTSTR_TOPOLOGY_INSUFFICIENT,
			   ktstr_xasprintf("TOPOLOGY_INSUFFICIENT: .cpu_budget is %u, %u host CPUs are allowed (--cpu-cap overrides it)",
					   request->cpu_budget, allowed));
	return KTSTR_RESERVED;
}

enum ktstr_reserve_verdict ktstr_reserve_on(const struct ktstr_test_topology *host, const struct ktstr_cpus *allowed,
					    const struct ktstr_reserve_request *request, const struct ktstr_topology *machine,
					    struct ktstr_reservation *reservation)
{
	struct attempt attempt = { .request = request,
				   .machine = machine,
				   .host = { .topology = host, .allowed = *allowed },
				   .reservation = reservation };
	enum ktstr_reserve_verdict verdict;

	*reservation = (struct ktstr_reservation){ .mode = request->mode, .allowed = *allowed };
	verdict = request->mode == KTSTR_MODE_DEFAULT ? KTSTR_RESERVED : check(&attempt);
	if (request->mode == KTSTR_MODE_DEFAULT || verdict != KTSTR_RESERVED)
		return verdict;
	for (int i = 0; i < ATTEMPTS; i++) {
		_cleanup_free_ struct ktstr_llc_use *use = request->no_locks ? NULL : read_use(host);

		if (i)
			ktstr_sleep_ns(RETRY_AFTER);
		attempt.host.use = use;
		verdict = request->mode == KTSTR_MODE_PERFORMANCE ? try_performance(&attempt) : try_pool(&attempt);
		if (verdict != KTSTR_RESOURCE_CONTENTION)
			break;
	}
	if (verdict == KTSTR_RESERVED)
		free(ktstr_take(reservation->reason));
	return verdict;
}

enum ktstr_reserve_verdict ktstr_reserve(const struct ktstr_reserve_request *request, const struct ktstr_topology *machine,
					 struct ktstr_reservation *reservation)
{
	_cleanup_(cleanup_topology) struct ktstr_test_topology *host = NULL;
	struct ktstr_cpus allowed;
	struct ktstr_error *error = ktstr_allowed_cpus(&allowed);

	*reservation = (struct ktstr_reservation){ 0 };
	if (!error && request->mode != KTSTR_MODE_DEFAULT)
		error = ktstr_test_topology_from_system(NULL, &host);
	if (error)
		return say_error(reservation, KTSTR_RESERVE_FAILED, "", error);
	return ktstr_reserve_on(host, &allowed, request, machine, reservation);
}

void ktstr_reservation_release(struct ktstr_reservation *reservation)
{
	ktstr_reservation_leave(reservation);
	unlock(reservation);
	free(reservation->reason);
	*reservation = (struct ktstr_reservation){ 0 };
}

unsigned int ktstr_reservation_cpus(const struct ktstr_reservation *reservation, unsigned int vcpus)
{
	unsigned int allowed = ktstr_cpus_count(&reservation->allowed);

	if (reservation->plan.vcpus_count)
		return (unsigned int)reservation->plan.vcpus_count;
	if (reservation->mode == KTSTR_MODE_NO_PERF)
		return ktstr_cpus_count(&reservation->plan.cpus);
	return vcpus < allowed ? vcpus : allowed;
}
