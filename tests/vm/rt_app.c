// SPDX-License-Identifier: GPL-2.0-only
/*
 * rt-app files run by us and, in the same VM, by Debian's rt-app: what each task did must agree. Virtual time, so that a
 * busy host has no part in it. vm/rt_app.bats looks at the results.
 */
#include <ktstr.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

KTSTR_PAYLOAD(rt_app_binary, .binary = "rt-app", .package = "rt-app",
	      .default_checks = KTSTR_METRIC_CHECKS(KTSTR_EXIT_CODE_EQ(0)));

/* What rt-app's log says of a task, over its instances. */
struct logged {
	double loops, run_us, period_us;
};

/* Lines of "idx perf run period start end rel_st slack c_duration c_period wu_lat"; the file is named by task and thread. */
static bool read_log(const char *task, unsigned int thread, struct logged *logged)
{
	char path[128], line[256];
	FILE *log;

	snprintf(path, sizeof(path), "/tmp/rt-app-%s-%u.log", task, thread);
	log = fopen(path, "re");
	if (!log)
		return false;
	while (fgets(line, sizeof(line), log)) {
		double run_us, period_us;

		if (sscanf(line, "%*d %*u %lf %lf", &run_us, &period_us) != 2)
			continue;
		logged->loops++;
		logged->run_us += run_us;
		logged->period_us += period_us;
	}
	fclose(log);
	return true;
}

struct expected {
	const char *task;
	unsigned int instances;
	double tolerance; /* of the ratios to 1; 0 = exact loops, nothing else */
	bool any_speed; /* it has run events, whose length is calibrated otherwise */
};

static double ours(struct ktstr_ctx *ctx, const char *task, const char *what)
{
	const struct ktstr_cgroup_stats *stats = ktstr_stats_cgroup(ktstr_stats(ctx), KTSTR_RT_APP_CGROUP);
	struct ktstr_opt_f64 value = { 0 };
	char name[128];

	snprintf(name, sizeof(name), "rtapp_%s_%s", task, what);
	if (stats)
		value = ktstr_cgroup_stats_metric(stats, name);
	if (!value.set)
		ktstr_fail(ctx, "there is no metric %s", name);
	return value.value;
}

static void expect_ratio(struct ktstr_ctx *ctx, const char *task, const char *what, double our, double theirs, double tolerance)
{
	double ratio = our / theirs;

	ktstr_note(ctx, "%s of %s: %g, rt-app %g, ratio %.3f", what, task, our, theirs, ratio);
	if (!(ratio >= 1 - tolerance && ratio <= 1 + tolerance))
		ktstr_fail(ctx, "%s of %s: %g, rt-app %g: ratio %.3f is not within %g of 1", what, task, our, theirs, ratio,
			   tolerance);
}

static void compare(struct ktstr_ctx *ctx, const struct expected *expected, unsigned int *thread)
{
	struct logged logged = { 0 };
	double our_share, their_share;

	for (unsigned int i = 0; i < expected->instances; i++)
		if (!read_log(expected->task, (*thread)++, &logged) || !logged.loops) {
			ktstr_fail(ctx, "rt-app logged nothing of %s", expected->task);
			return;
		}
	expect_ratio(ctx, expected->task, "loops", ours(ctx, expected->task, "loops"), logged.loops, expected->tolerance);
	if (expected->tolerance == 0)
		return;
	expect_ratio(ctx, expected->task, "period", ours(ctx, expected->task, "period_avg_us"),
		     logged.period_us / logged.loops, expected->tolerance);
	if (expected->any_speed || !logged.run_us)
		return;
	our_share = ours(ctx, expected->task, "run_avg_us") / ours(ctx, expected->task, "period_avg_us");
	their_share = logged.run_us / logged.period_us;
	expect_ratio(ctx, expected->task, "CPU share", our_share, their_share, expected->tolerance);
}

static void run_both(struct ktstr_ctx *ctx, const struct expected *expected)
{
	unsigned int thread = 0;

	ktstr_run_rt_app(ctx);
	KTSTR_RUN_PAYLOAD(ctx, &rt_app_binary, .args = KTSTR_ARGS("/run/ktstr/rt-app.json"), .timeout = KTSTR_SEC(60));
	for (; expected->task; expected++)
		compare(ctx, expected, &thread);
}

#define RUN_BOTH(ctx, ...) run_both((ctx), (const struct expected[]){ __VA_ARGS__, { 0 } })

#define BOTH(FILE) .rt_app = FILE, .payload = &rt_app_binary, .deterministic = true

KTSTR_TEST(periodic, BOTH("rt_app_periodic.json"))
{
	RUN_BOTH(ctx, { "fast", 2, 0.2 }, { "slow", 1, 0.15 }, { "napper", 1, 0.15 });
}

KTSTR_TEST(locks, BOTH("rt_app_locks.json"))
{
	RUN_BOTH(ctx, { "holder", 3, 0.2 }, { "small", 1, 0.1, true }, { "large", 1, 0.1, true });
	KTSTR_CLAIM(ctx, ours(ctx, "large", "run_avg_us") / ours(ctx, "small", "run_avg_us"), at_least, 3.0);
	KTSTR_CLAIM(ctx, ours(ctx, "large", "run_avg_us") / ours(ctx, "small", "run_avg_us"), at_most, 5.0);
}

KTSTR_TEST(queue, BOTH("rt_app_queue.json"))
{
	RUN_BOTH(ctx, { "consumer", 1, 0.15 }, { "last", 1, 0.15 }, { "producer", 1, 0.1 }, { "early", 1, 0.2 },
		 { "late", 1, 0.2 });
}

KTSTR_TEST(phases, BOTH("rt_app_phases.json"))
{
	RUN_BOTH(ctx, { "counted", 2 });
}

KTSTR_TEST(groups, .rt_app = "rt_app_groups.json", .checks = { .not_stuck = KTSTR_ON, .max_spread_pct = KTSTR_SOME(100.0) })
{
	const struct ktstr_cgroup_stats *parent, *child, *idler;

	ktstr_run_rt_app(ctx);
	parent = ktstr_stats_cgroup(ktstr_stats(ctx), "outer/a");
	child = ktstr_stats_cgroup(ktstr_stats(ctx), "outer/b");
	idler = ktstr_stats_cgroup(ktstr_stats(ctx), KTSTR_RT_APP_CGROUP);
	if (!parent || !child || !idler) {
		ktstr_fail(ctx, "a cgroup is missing");
		return;
	}
	KTSTR_CLAIM_PRESENT(ctx, ktstr_cgroup_stats_metric(parent, "rtapp_parent_loops"), eq, 3.0);
	KTSTR_CLAIM_PRESENT(ctx, ktstr_cgroup_stats_metric(child, "rtapp_child_loops"), eq, 3.0 * 4);
	KTSTR_CLAIM(ctx, child->num_workers, eq, 3u);
	KTSTR_CLAIM_PRESENT(ctx, ktstr_cgroup_stats_metric(idler, "rtapp_idler_loops"), at_least, 1.0);
}

KTSTR_TEST(no_device, .rt_app = "rt_app_no_device.json")
{
	ktstr_run_rt_app(ctx);
}

KTSTR_TEST(no_file)
{
	ktstr_run_rt_app(ctx);
}
