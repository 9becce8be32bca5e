// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs of the distribution as payloads: stress-ng and hackbench by their exit codes, fio by its JSON, each also with
 * an expectation that it cannot meet. vm/payloads.bats looks at the results.
 */
#include <ktstr.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

KTSTR_PAYLOAD(stress_ng, .binary = "stress-ng", .package = "stress-ng",
	      .default_args = KTSTR_ARGS("--timeout", "1", "--temp-path", "/tmp"),
	      .default_checks = KTSTR_METRIC_CHECKS(KTSTR_EXIT_CODE_EQ(0)));

KTSTR_PAYLOAD(hackbench, .binary = "hackbench", .package = "rt-tests",
	      .default_args = KTSTR_ARGS("--groups", "2", "--fds", "4", "--loops", "50"),
	      .default_checks = KTSTR_METRIC_CHECKS(KTSTR_EXIT_CODE_EQ(0)),
	      .known_flags = KTSTR_ARGS("--groups", "--fds", "--loops", "--pipe"));

KTSTR_PAYLOAD(fio, .binary = "fio", .package = "fio", .output = KTSTR_OUTPUT_JSON,
	      .default_args = KTSTR_ARGS("--output-format=json", "--name=job", "--directory=/tmp", "--size=1m",
					 "--rw=randread", "--bs=4k", "--ioengine=sync"),
	      .default_checks = KTSTR_METRIC_CHECKS(KTSTR_EXIT_CODE_EQ(0), KTSTR_METRIC_RANGE("jobs.0.error", 0, 0)),
	      .metrics = KTSTR_METRIC_HINTS({ "jobs.0.read.iops", KTSTR_HIGHER_BETTER, "op/s" },
					    { "jobs.0.usr_cpu", KTSTR_INFORMATIONAL, "%" }));

/* Whatever the host calls its shell, with a static one inside. */
KTSTR_PAYLOAD(busybox, .binary = "busybox", .package = "busybox-static");

/* Processes whose name is `comm`. */
static unsigned int processes_named(const char *comm)
{
	DIR *proc = opendir("/proc");
	unsigned int found = 0;

	for (struct dirent *entry; (entry = readdir(proc));) {
		char path[300], line[64] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		file = atoi(entry->d_name) ? fopen(path, "re") : NULL;
		if (!file)
			continue;
		if (fgets(line, sizeof(line), file))
			found += !strncmp(line, comm, strlen(comm));
		fclose(file);
	}
	closedir(proc);
	return found;
}

KTSTR_TEST(stress_ng_in_the_foreground, .payload = &stress_ng)
{
	KTSTR_RUN_PAYLOAD(ctx, &stress_ng, .args = KTSTR_ARGS("--cpu", "2"), .timeout = KTSTR_SEC(60));
}

KTSTR_TEST(stress_ng_refuses, .payload = &stress_ng)
{
	KTSTR_RUN_PAYLOAD(ctx, &stress_ng, .args = KTSTR_ARGS("--no-such-stressor", "1"));
}

KTSTR_TEST(fio_measures, .payload = &fio)
{
	struct ktstr_payload_metrics metrics;

	if (ktstr_fail_error(ctx, ktstr_payload_run_foreground(
					  ctx,
					  &(struct ktstr_payload_run){
						  .payload = &fio, .timeout = KTSTR_SEC(120),
						  .checks = KTSTR_METRIC_CHECKS(KTSTR_METRIC_MIN("jobs.0.read.iops", 1)) },
					  &metrics)))
		return;
	/* 1 MiB in blocks of 4 KiB. */
	KTSTR_CLAIM(ctx, ktstr_payload_metrics_get(&metrics, "jobs.0.read.total_ios")->value, eq, 256.0);
	ktstr_payload_metrics_deinit(&metrics);
}

KTSTR_TEST(fio_cannot_be_that_fast, .payload = &fio)
{
	KTSTR_RUN_PAYLOAD(ctx, &fio, .timeout = KTSTR_SEC(120),
			  .checks = KTSTR_METRIC_CHECKS(KTSTR_METRIC_MIN("jobs.0.read.iops", 1e12),
							KTSTR_METRIC_EXISTS("jobs.0.read.iopsy")));
}

KTSTR_TEST(hackbench_beside_workers, .workloads = KTSTR_WORKLOADS(&hackbench), .duration = KTSTR_SEC(1))
{
	struct ktstr_payload_handle *handle;
	struct ktstr_error *error;

	ktstr_fail_error(ctx, ktstr_cgroup_create(ctx->cgroups, "bench"));
	error = ktstr_payload_run_spawn(
		ctx, &(struct ktstr_payload_run){ .payload = &hackbench, .cgroup = "bench" }, &handle);
	if (ktstr_fail_error(ctx, error))
		return;
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "spin", .workers = 1 }));
	ktstr_fail_error(ctx, ktstr_payload_handle_wait(handle, NULL));
	ktstr_payload_handle_destroy(handle);
	ktstr_fail_error(ctx, ktstr_cgroup_remove(ctx->cgroups, "bench"));
}

KTSTR_TEST(hackbench_with_a_flag_it_lacks, .workloads = KTSTR_WORKLOADS(&hackbench))
{
	KTSTR_RUN_PAYLOAD(ctx, &hackbench, .args = KTSTR_ARGS("--loop=3"));
}

KTSTR_TEST(the_time_limit_ends_all_of_it, .payload = &stress_ng)
{
	KTSTR_RUN_PAYLOAD(ctx, &stress_ng, .clear_args = true, .clear_checks = true,
			  .args = KTSTR_ARGS("--cpu", "3", "--timeout", "600", "--temp-path", "/tmp"),
			  .checks = KTSTR_METRIC_CHECKS(KTSTR_EXIT_CODE_EQ(-1)), .timeout = KTSTR_SEC(3));
	KTSTR_CLAIM(ctx, processes_named("stress-ng"), eq, 0u);
}

KTSTR_TEST(killed_in_its_cgroup, .payload = &stress_ng)
{
	struct ktstr_payload_run run = { .payload = &stress_ng, .clear_args = true, .clear_checks = true, .cgroup = "victim",
					 .args = KTSTR_ARGS("--cpu", "2", "--timeout", "600", "--temp-path", "/tmp") };
	struct ktstr_payload_handle *handle;
	const struct timespec pause = { .tv_nsec = 100000000 };
	size_t count = 0;
	int *pids = NULL;

	ktstr_fail_error(ctx, ktstr_cgroup_create(ctx->cgroups, "victim"));
	if (ktstr_fail_error(ctx, ktstr_payload_run_spawn(ctx, &run, &handle)))
		return;
	/* It and its two children. */
	for (int i = 0; i < 600 && count < 3; i++) {
		nanosleep(&pause, NULL);
		free(pids);
		pids = NULL;
		ktstr_fail_error(ctx, ktstr_cgroup_read_procs(ctx->cgroups, "victim", &pids, &count));
	}
	KTSTR_CLAIM(ctx, count, eq, 3u);
	free(pids);
	KTSTR_CLAIM(ctx, processes_named("stress-ng"), eq, 3u);
	ktstr_fail_error(ctx, ktstr_payload_handle_kill(handle, NULL));
	ktstr_payload_handle_destroy(handle);
	KTSTR_CLAIM(ctx, processes_named("stress-ng"), eq, 0u);
	ktstr_fail_error(ctx, ktstr_cgroup_remove(ctx->cgroups, "victim"));
}

KTSTR_TEST(too_much_output, .payload = &busybox)
{
	KTSTR_RUN_PAYLOAD(ctx, &busybox, .args = KTSTR_ARGS("dd", "if=/dev/zero", "bs=1000000", "count=20"),
			  .checks = KTSTR_METRIC_CHECKS(KTSTR_EXIT_CODE_EQ(0)));
}

KTSTR_TEST(undeclared)
{
	KTSTR_RUN_PAYLOAD(ctx, &busybox, .args = KTSTR_ARGS("true"));
}

KTSTR_TEST(no_such_cgroup, .payload = &busybox)
{
	KTSTR_RUN_PAYLOAD(ctx, &busybox, .args = KTSTR_ARGS("true"), .cgroup = "nowhere");
}
