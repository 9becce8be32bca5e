// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that freezes itself many times beside its workload, from two threads, and checks each answer; the host's half
 * is vm/freezing_host.c. And how well a deterministic guest sleeps.
 */
#include <ktstr.h>

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "guest/mailbox.h"

enum { THREADS = 2, FREEZES = 100 };

struct asker {
	pthread_t thread;
	struct ktstr_mailbox *mailbox;
	uint64_t first; /* number to ask with */
	unsigned int answered;
	struct ktstr_error *error;
};

/* The host answers a number with the next one. */
static void *ask(void *arg)
{
	struct asker *asker = arg;

	for (uint64_t i = 0; i < FREEZES && !asker->error; i++) {
		uint64_t request = asker->first + i, reply = 0;
		size_t length = 0;

		asker->error = ktstr_freeze(asker->mailbox, KTSTR_FREEZE_SAMPLE, &request, sizeof(request), &reply,
					    sizeof(reply), &length);
		asker->answered += length == sizeof(reply) && reply == request + 1;
		ktstr_sleep_ns(KTSTR_MS(2));
	}
	return NULL;
}

KTSTR_TEST(freezes, .topology = { .llcs = 2, .cores_per_llc = 2 }, .duration = KTSTR_MS(300), .deterministic = true)
{
	struct asker askers[THREADS] = { { .first = 1000 }, { .first = 2000 } };
	struct ktstr_mailbox *mailbox;

	if (ktstr_fail_error(ctx, ktstr_mailbox_map(KTSTR_MAILBOX_LOG_OFFSET, &mailbox)))
		return;
	for (int i = 0; i < THREADS; i++) {
		askers[i].mailbox = mailbox;
		if (pthread_create(&askers[i].thread, NULL, ask, &askers[i]))
			abort();
	}
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "spin", .workers = 2, .work = KTSTR_WORK(SPIN_WAIT) },
					     { .name = "burst", .workers = 4,
					       .work = KTSTR_WORK(BURSTY, .burst = KTSTR_MS(2), .sleep = KTSTR_MS(1)) }));
	for (int i = 0; i < THREADS; i++) {
		pthread_join(askers[i].thread, NULL);
		ktstr_fail_error(ctx, askers[i].error);
		KTSTR_CLAIM(ctx, askers[i].answered, eq, (unsigned int)FREEZES);
	}
}

/* Virtual time: no host, however busy, can make them longer. */
KTSTR_TEST(sleeps_are_short, .topology = { .llcs = 2, .cores_per_llc = 2 }, .deterministic = true)
{
	enum { SLEEPS = 400, ALLOWED = SLEEPS / 100 };
	unsigned int late = 0;

	for (int i = 0; i < SLEEPS; i++) {
		uint64_t began = ktstr_now_ns();

		ktstr_sleep_ns(KTSTR_MS(1));
		late += ktstr_now_ns() - began > KTSTR_MS(1) + KTSTR_US(200);
	}
	KTSTR_CLAIM(ctx, late, at_most, (unsigned int)ALLOWED);
}

KTSTR_TEST(cannot_freeze, .description = "an ordinary guest's CPUs are threads: it is told so")
{
	struct ktstr_mailbox *mailbox;
	struct ktstr_error *error;

	if (ktstr_fail_error(ctx, ktstr_mailbox_map(KTSTR_MAILBOX_LOG_OFFSET, &mailbox)))
		return;
	error = ktstr_freeze(mailbox, KTSTR_FREEZE_SAMPLE, NULL, 0, NULL, 0, NULL);
	KTSTR_CLAIM(ctx, (int)ktstr_error_code(error), eq, (int)KTSTR_ERR_UNSUPPORTED);
	ktstr_error_free(error);
}
