/* SPDX-License-Identifier: GPL-2.0-only */
/* Workloads written for rt-app: a test with .rt_app = "file.json" runs that file's tasks as workers. */
#ifndef KTSTR_RT_APP_H
#define KTSTR_RT_APP_H

#include <ktstr/scenario.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The cgroup of tasks without a taskgroup. */
#define KTSTR_RT_APP_CGROUP "rt-app"

/*
 * Runs the test's rt-app file for the context's duration: its tasks as workers in a cgroup for each taskgroup, judged
 * like those of ktstr_run_cgroups(). What rt-app would log becomes metrics of the cgroup, over all workers of a task:
 *
 *   rtapp_<task>_loops          passes over its phases
 *   rtapp_<task>_period_avg_us  of a pass
 *   rtapp_<task>_run_avg_us     spent in run and runtime events of a pass
 *   rtapp_<task>_slack_min_us   between the end of the events and the timer, negative when it was missed
 *   rtapp_<task>_wu_lat_p99_us  lateness after timers
 *
 * One without signal is absent. Whatever goes wrong becomes a failing detail in ctx->result.
 */
void ktstr_run_rt_app(struct ktstr_ctx *ctx);

#ifdef __cplusplus
}
#endif
#endif
