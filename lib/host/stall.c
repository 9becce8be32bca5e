// SPDX-License-Identifier: GPL-2.0-only
/* Watches processes of this machine for standing still. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/file.h"
#include "base/str.h"
#include "host/stall.h"
#include "ktstr/units.h"

enum { DEFAULT_POLL_MS = 500 };

/* A process that is watched, with its last looks, oldest first. */
struct watched {
	pid_t pid;
	struct ktstr_stall_sample samples[KTSTR_STALL_SAMPLES];
	unsigned int count;
	bool reported, seen; /* seen: in the current look */
};

struct ktstr_stall_watch {
	struct watched *items;
	size_t count;
};

static void diagnostic_deinit(struct ktstr_stall_diagnostic *diagnostic)
{
	free(diagnostic->wchan);
	free(diagnostic->syscall);
	free(diagnostic->state);
	free(diagnostic->stack);
	free(diagnostic->status_full);
	free(diagnostic->cgroup);
	free(diagnostic->host_loadavg);
}

void ktstr_stall_report_deinit(struct ktstr_stall_report *report)
{
	diagnostic_deinit(&report->diagnostic);
	*report = (struct ktstr_stall_report){ 0 };
}

struct ktstr_stall_watch *ktstr_stall_watch_create(void)
{
	return ktstr_xcalloc(1, sizeof(struct ktstr_stall_watch));
}

void ktstr_stall_watch_destroy(struct ktstr_stall_watch *watch)
{
	if (!watch)
		return;
	free(watch->items);
	free(watch);
}

uint64_t ktstr_stall_poll_ns(void)
{
	const char *name = ktstr_env("KTSTR_STALL_POLL_MS") ? "KTSTR_STALL_POLL_MS" : "KTSTR_STUCK_POLL_MS";
	uint64_t ms = DEFAULT_POLL_MS;

	ktstr_error_free(ktstr_env_ms(name, 1, &ms));
	return KTSTR_MS(ms);
}

/* "name   :   value" on a line of /proc/<pid>/sched. */
static bool line_value(const char *text, const char *name, char value[64])
{
	size_t length = strlen(name);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, name, length) && (line[length] == ' ' || line[length] == ':'))
			return sscanf(line + length, " : %63s", value) == 1;
	}
	return false;
}

/* The run time is in ms with six decimals: whole ns. */
bool ktstr_stall_parse_sched(const char *text, struct ktstr_stall_sample *sample)
{
	unsigned long long ms, ns;
	char switches[64], runtime[64], *end;

	if (!line_value(text, "nr_switches", switches) || !line_value(text, "se.sum_exec_runtime", runtime) ||
	    sscanf(runtime, "%llu.%6llu", &ms, &ns) != 2)
		return false;
	sample->nr_switches = strtoull(switches, &end, 10);
	sample->sum_exec_runtime_ns = ms * 1000000u + ns;
	return !*end;
}

static bool take_sample(pid_t pid, struct ktstr_stall_sample *sample)
{
	_cleanup_free_ char *path = ktstr_xasprintf("/proc/%d/sched", (int)pid);
	_cleanup_free_ char *text = NULL;
	_cleanup_error_ struct ktstr_error *error = ktstr_read_file(path, &text, NULL);

	sample->captured_at_ns = ktstr_now_ns();
	return !error && ktstr_stall_parse_sched(text, sample);
}

static char *proc_text(pid_t pid, const char *file)
{
	_cleanup_free_ char *path = ktstr_xasprintf("/proc/%d/%s", (int)pid, file);
	char *text = NULL;
	_cleanup_error_ struct ktstr_error *error = ktstr_read_file(path, &text, NULL);

	if (error)
		return ktstr_xasprintf("[unreadable: %s]", strerror(ktstr_error_errno(error)));
	while (*text && text[strlen(text) - 1] == '\n')
		text[strlen(text) - 1] = '\0';
	return text;
}

static char *state_of(const char *status)
{
	const char *line = strstr(status, "\nState:");

	if (!line)
		return ktstr_xstrdup(*status == '[' ? status : "[unreadable: no State]");
	line += strlen("\nState:");
	line += strspn(line, " \t");
	return ktstr_xstrndup(line, strcspn(line, "\n"));
}

static void diagnose(pid_t pid, struct ktstr_stall_diagnostic *diagnostic)
{
	char *stack = proc_text(pid, "stack");

	*diagnostic = (struct ktstr_stall_diagnostic){
		.wchan = proc_text(pid, "wchan"),
		.syscall = proc_text(pid, "syscall"),
		.status_full = proc_text(pid, "status"),
		.cgroup = proc_text(pid, "cgroup"),
		.host_loadavg = ktstr_read_line("/proc/loadavg"),
	};
	diagnostic->state = state_of(diagnostic->status_full);
	if (!ktstr_str_starts_with(stack, "[unreadable"))
		diagnostic->stack = ktstr_take(stack);
	free(stack);
}

static void make_report(const struct watched *item, struct ktstr_stall_report *report)
{
	_cleanup_free_ char *comm = proc_text(item->pid, "comm");

	*report = (struct ktstr_stall_report){ .pid = item->pid, .captured_at_ns = ktstr_now_ns() };
	snprintf(report->comm, sizeof(report->comm), "%s", comm);
	memcpy(report->samples, item->samples, sizeof(item->samples));
	diagnose(item->pid, &report->diagnostic);
}

static bool same(const struct ktstr_stall_sample *a, const struct ktstr_stall_sample *b)
{
	return a->nr_switches == b->nr_switches && a->sum_exec_runtime_ns == b->sum_exec_runtime_ns;
}

/* Adds a look; true when it completes a stall that has not been told. */
bool ktstr_stall_add(struct ktstr_stall_sample samples[KTSTR_STALL_SAMPLES], unsigned int *count, bool *reported,
		     const struct ktstr_stall_sample *sample)
{
	if (*count && !same(&samples[*count - 1], sample)) {
		*count = 0;
		*reported = false;
	}
	if (*count == KTSTR_STALL_SAMPLES)
		memmove(samples, samples + 1, --*count * sizeof(*samples));
	samples[(*count)++] = *sample;
	if (*count < KTSTR_STALL_SAMPLES || *reported)
		return false;
	*reported = true;
	return true;
}

static struct watched *find(struct ktstr_stall_watch *watch, pid_t pid)
{
	for (size_t i = 0; i < watch->count; i++)
		if (watch->items[i].pid == pid)
			return &watch->items[i];
	watch->items = ktstr_xrealloc(watch->items, (watch->count + 1) * sizeof(*watch->items));
	watch->items[watch->count] = (struct watched){ .pid = pid };
	return &watch->items[watch->count++];
}

static void forget_unseen(struct ktstr_stall_watch *watch)
{
	size_t kept = 0;

	for (size_t i = 0; i < watch->count; i++)
		if (watch->items[i].seen)
			watch->items[kept++] = watch->items[i];
	watch->count = kept;
	for (size_t i = 0; i < kept; i++)
		watch->items[i].seen = false;
}

struct ktstr_stall_report *ktstr_stall_watch_look(struct ktstr_stall_watch *watch, const pid_t *pids, size_t pids_count,
						  size_t *reports_count)
{
	struct ktstr_stall_report *reports = ktstr_xcalloc(pids_count + 1, sizeof(*reports));
	struct ktstr_stall_sample sample = { 0 };

	*reports_count = 0;
	for (size_t i = 0; i < pids_count; i++) {
		struct watched *item;

		if (!take_sample(pids[i], &sample))
			continue;
		item = find(watch, pids[i]);
		item->seen = true;
		if (ktstr_stall_add(item->samples, &item->count, &item->reported, &sample))
			make_report(item, &reports[(*reports_count)++]);
	}
	forget_unseen(watch);
	return reports;
}

static json_t *text_json(const char *text)
{
	return text ? json_string(text) : json_null();
}

json_t *ktstr_stall_report_to_json(const struct ktstr_stall_report *report)
{
	const struct ktstr_stall_diagnostic *diagnostic = &report->diagnostic;
	json_t *samples = json_array();

	for (size_t i = 0; i < KTSTR_STALL_SAMPLES; i++)
		json_array_append_new(samples, json_pack("{sI sI}", "nr_switches", (json_int_t)report->samples[i].nr_switches,
							 "sum_exec_runtime_ns",
							 (json_int_t)report->samples[i].sum_exec_runtime_ns));
	return json_pack("{si ss so s{so so so so so so so}}", "pid", (int)report->pid, "comm", report->comm, "samples",
			 samples, "diagnostic", "wchan", text_json(diagnostic->wchan), "syscall",
			 text_json(diagnostic->syscall), "state", text_json(diagnostic->state), "stack",
			 text_json(diagnostic->stack), "status_full", text_json(diagnostic->status_full), "cgroup",
			 text_json(diagnostic->cgroup), "host_loadavg", text_json(diagnostic->host_loadavg));
}
