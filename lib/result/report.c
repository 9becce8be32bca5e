// SPDX-License-Identifier: GPL-2.0-only
/*
 * The failure report of one test: the cause in one line, then what a reader needs to believe and to
 * repeat it, in an order that does not change. Whatever the guest wrote is made printable on the
 * way.
 */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "ktstr/dump.h"
#include "result/internal.h"

enum {
	MAX_VIOLATIONS = 100,
	MAX_CGROUPS = 64,
	CONSOLE_LINES = 25,
	OUTPUT_LINES = 100,
	LOG_LINES = 40,
	DUMP_LINES = 30,
};
enum { PANIC_BYTES = 8192 }; /* of its beginning, where the reason stands */

#define OR_DASH(text) ((text) && *(text) ? (text) : "-")

static void add_section(struct ktstr_str *out, const char *name, bool colour)
{
	ktstr_str_addf(out, "%s--- %s ---%s\n", ktstr_sgr(colour, KTSTR_SGR_DIM), name,
		       ktstr_sgr(colour, KTSTR_SGR_RESET));
}

/* "ktstr_test 'steady' [sched=scx_simple] [topo=1n2l2c1t]" */
static void add_title(struct ktstr_str *out, const struct ktstr_test_result *result)
{
	ktstr_str_add(out, "ktstr_test '");
	ktstr_add_line(out, result->test_name ?: "?");
	ktstr_str_add(out, "'");
	if (result->scheduler && strcmp(result->scheduler, "eevdf")) {
		ktstr_str_add(out, " [sched=");
		ktstr_add_line(out, result->scheduler);
		ktstr_str_add(out, "]");
	}
	if (result->topology) {
		ktstr_str_add(out, " [topo=");
		ktstr_add_line(out, result->topology);
		ktstr_str_add(out, "]");
	}
}

/* Where a scenario of several phases was. */
static void add_phase(struct ktstr_str *out, const struct ktstr_assert_result *verdict, struct ktstr_opt_u32 phase)
{
	char text[KTSTR_PHASE_TEXT_BYTES];

	if (phase.set && verdict->stats.phases.count > 1)
		ktstr_str_addf(out, " (in %s)", ktstr_phase_format((uint16_t)phase.value, text));
}

/* One line per violation; what did not decide the verdict says what it is. */
static void add_violations(struct ktstr_str *out, const struct ktstr_test_result *result)
{
	const struct ktstr_assert_result *verdict = &result->verdict;
	enum ktstr_outcome_kind kind = ktstr_test_result_kind(result);
	size_t shown =
		verdict->outcomes_count < MAX_VIOLATIONS ? verdict->outcomes_count : MAX_VIOLATIONS;

	for (size_t i = 0; i < shown; i++) {
		const struct ktstr_outcome *outcome = &verdict->outcomes[i];

		ktstr_str_add(out, "  ");
		if (outcome->kind != kind)
			ktstr_str_addf(out, "(%s) ", ktstr_outcome_name(outcome->kind));
		ktstr_add_line(out, outcome->detail.message ?: "");
		add_phase(out, verdict, outcome->detail.phase);
		ktstr_str_add(out, "\n");
	}
	if (verdict->outcomes_count > shown)
		ktstr_str_addf(out, "  ... and %zu more\n", verdict->outcomes_count - shown);
	if (!result->guest_result_received) {
		_cleanup_free_ char *how = ktstr_result_how_ended(result);

		ktstr_str_addf(out, "  no result from the guest: %s (phase: %s)\n", how,
			       ktstr_guest_phase_name(result->final_phase));
	}
	for (size_t i = 0; i < verdict->notes_count && i < MAX_VIOLATIONS; i++) {
		ktstr_str_add(out, "  note: ");
		ktstr_add_line(out, verdict->notes[i].message);
		ktstr_str_add(out, "\n");
	}
}

/* From here on a violation may be the host's doing, and the reader should know. */
static const double busy_host_dilation = 1.5;

static void add_host_load(struct ktstr_str *out, const struct ktstr_test_result *result)
{
	double dilation = result->host_dilation.set ? result->host_dilation.value : 1;

	if (dilation >= busy_host_dilation)
		ktstr_str_addf(out,
			       "  host: it was busy: for each second that vCPUs ran they waited %.1f s for a CPU; delays may be its\n",
			       dilation - 1);
}

static void add_cgroup_row(struct ktstr_str *out, size_t index,
			   const struct ktstr_cgroup_stats *cgroup)
{
	_cleanup_free_ char *label = ktstr_xasprintf("cg%zu", index);

	ktstr_str_addf(out, "  %s", label);
	if (cgroup->cgroup_name && *cgroup->cgroup_name && strcmp(cgroup->cgroup_name, label)) {
		ktstr_str_add(out, " ");
		ktstr_add_line(out, cgroup->cgroup_name);
	}
	ktstr_str_addf(out, ": workers=%llu cpus=%llu ", (unsigned long long)cgroup->num_workers,
		       (unsigned long long)cgroup->num_cpus);
	if (cgroup->spread.set)
		ktstr_str_addf(out, "spread=%.1f%% ", cgroup->spread.value);
	else
		ktstr_str_add(out, "spread=- ");
	if (cgroup->num_workers && isfinite(cgroup->max_gap_ms))
		ktstr_str_addf(out, "gap=%.0fms@cpu%u ", cgroup->max_gap_ms, cgroup->max_gap_cpu);
	else
		ktstr_str_add(out, "gap=- ");
	ktstr_str_addf(out, "migrations=%llu iter=%llu\n",
		       (unsigned long long)cgroup->total_migrations,
		       (unsigned long long)cgroup->total_iterations);
}

static void add_stats(struct ktstr_str *out, const struct ktstr_test_result *result, bool colour)
{
	const struct ktstr_scenario_stats *stats = &result->verdict.stats;

	if (!stats->cgroups_count && !stats->total_workers)
		return;
	add_section(out, "stats", colour);
	ktstr_str_addf(out,
		       "  total: workers=%llu cpus=%llu worst_spread=%.1f%% worst_gap=%.0fms@cpu%u "
		       "migrations=%llu iter=%llu\n",
		       (unsigned long long)stats->total_workers,
		       (unsigned long long)stats->total_cpus, stats->worst_spread,
		       stats->worst_gap_ms, stats->worst_gap_cpu,
		       (unsigned long long)stats->total_migrations,
		       (unsigned long long)stats->total_iterations);
	for (size_t i = 0; i < stats->cgroups_count && i < MAX_CGROUPS; i++)
		add_cgroup_row(out, i, &stats->cgroups[i]);
	if (stats->cgroups_count > MAX_CGROUPS)
		ktstr_str_addf(out, "  ... and %zu more cgroups\n",
			       stats->cgroups_count - MAX_CGROUPS);
}

/* What payloads gave: of their metrics those that somebody gave a meaning. */
static void add_payloads(struct ktstr_str *out, const struct ktstr_test_result *result, bool colour)
{
	const json_t *run, *metric;
	size_t i, j;

	if (json_array_size(result->payload_runs))
		add_section(out, "payloads", colour);
	json_array_foreach(result->payload_runs, i, run) {
		const char *cgroup = json_string_value(json_object_get(run, "cgroup"));
		const json_t *metrics = json_object_get(run, "metrics");

		ktstr_str_add(out, "  ");
		ktstr_add_line(out, json_string_value(json_object_get(run, "payload")));
		if (*cgroup) {
			ktstr_str_add(out, " in cgroup ");
			ktstr_add_line(out, cgroup);
		}
		ktstr_str_addf(out, ": exit code %.0f%s, %.1fs, %zu metrics\n",
			       json_number_value(json_object_get(run, "exit_code")),
			       json_is_true(json_object_get(run, "timed_out")) ? " (time limit)" : "",
			       json_number_value(json_object_get(run, "duration_ns")) / 1e9, json_array_size(metrics));
		json_array_foreach(metrics, j, metric) {
			if (!strcmp(json_string_value(json_object_get(metric, "polarity")), "unknown"))
				continue;
			ktstr_str_add(out, "    ");
			ktstr_add_line(out, json_string_value(json_object_get(metric, "name")));
			ktstr_str_addf(out, " = %g ", json_number_value(json_object_get(metric, "value")));
			ktstr_add_line(out, json_string_value(json_object_get(metric, "unit")));
			ktstr_str_add(out, "\n");
		}
	}
}

static void add_fact(struct ktstr_str *out, const char *name, const char *value)
{
	ktstr_str_addf(out, "  %s: ", name);
	ktstr_add_line(out, value);
	ktstr_str_add(out, "\n");
}

static void add_machine(struct ktstr_str *out, const struct ktstr_test_result *result)
{
	_cleanup_free_ char *machine = ktstr_xasprintf(
		"kernel %s, %u CPUs, %llu MiB, qemu %s, %s%s%s%s",
		OR_DASH(result->kernel_release ?: result->kernel_version), result->vcpus,
		(unsigned long long)result->memory_mib, OR_DASH(result->qemu_version),
		OR_DASH(result->accel), result->accel_reason ? " (" : "",
		result->accel_reason ?: "", result->accel_reason ? ")" : "");

	add_fact(out, "machine", machine);
}

/*
 * How far the guest got and its last words; not worth the space when the guest simply reported a
 * violation.
 */
static void add_diagnostics(struct ktstr_str *out, const struct ktstr_test_result *result,
			    bool colour)
{
	_cleanup_free_ char *how = ktstr_result_how_ended(result);

	if (result->guest_result_received && !result->crash_message && !result->timed_out &&
	    !result->corrupt_frames && !ktstr_result_scheduler_died(result))
		return;
	add_section(out, "diagnostics", colour);
	add_fact(out, "final phase", ktstr_guest_phase_name(result->final_phase));
	add_fact(out, "ended", how);
	if (result->guest_exit_code >= 0)
		ktstr_str_addf(out, "  guest exit code: %d\n", result->guest_exit_code);
	else
		ktstr_str_add(out, "  guest exit code: -\n");
	if (result->corrupt_frames)
		ktstr_str_addf(out, "  corrupt frames: %llu\n",
			       (unsigned long long)result->corrupt_frames);
	for (size_t i = 0; i < result->active_schedulers.count && i < MAX_VIOLATIONS; i++)
		add_fact(out, "active scheduler", result->active_schedulers.items[i]);
	add_machine(out, result);
	if (result->crash_message) {
		ktstr_str_add(out, "  panic:\n");
		ktstr_add_indented(out, "    ", result->crash_message,
				   strnlen(result->crash_message, PANIC_BYTES));
	} else if (result->console && result->console_length) {
		ktstr_str_add(out, "  console:\n");
		ktstr_add_tail(out, "    ", result->console, result->console_length, CONSOLE_LINES);
	}
}

/* Which schedulers came and went, when there was more than one. */
static void add_schedulers(struct ktstr_str *out, const struct ktstr_test_result *result, bool colour)
{
	const json_t *item;
	size_t i;

	if (json_array_size(result->scheduler_instances) < 2)
		return;
	add_section(out, "schedulers", colour);
	json_array_foreach(result->scheduler_instances, i, item) {
		const char *name = json_string_value(json_object_get(item, "name"));
		const char *ops = json_string_value(json_object_get(item, "ops"));
		const char *end = json_string_value(json_object_get(item, "end"));

		if (i == MAX_VIOLATIONS)
			break;
		ktstr_str_addf(out, "  %zu. ", i + 1);
		ktstr_add_line(out, OR_DASH(name));
		ktstr_str_add(out, " (");
		ktstr_add_line(out, OR_DASH(ops));
		ktstr_str_add(out, "): ");
		ktstr_add_line(out, end ? end : "attached to the end");
		ktstr_str_add(out, "\n");
	}
}

static void add_logs(struct ktstr_str *out, const struct ktstr_test_result *result, bool colour)
{
	if (result->output && result->output_length) {
		add_section(out, "test output", colour);
		ktstr_add_tail(out, "  ", result->output, result->output_length, OUTPUT_LINES);
	}
	if (result->scheduler_log && result->scheduler_log_length) {
		add_section(out, "scheduler log", colour);
		ktstr_add_scheduler_log(out, "  ", result->scheduler_log,
					result->scheduler_log_length, LOG_LINES);
	}
}

/* The scheduler and its queues when the kernel gave up on it; the rest is in the file. */
static void add_dump(struct ktstr_str *out, const struct ktstr_test_result *result, bool colour)
{
	const struct ktstr_dump_text_options brief = { .sched_ext_only = true };
	_cleanup_error_ struct ktstr_error *error = NULL;
	struct ktstr_failure_dump_any dump;
	_cleanup_free_ char *text = NULL;

	if (!result->failure_dump_path)
		return;
	error = ktstr_failure_dump_load(result->failure_dump_path, &dump);
	if (error) /* the footer names the file all the same */
		return;
	text = ktstr_failure_dump_to_text(&dump, &brief);
	ktstr_failure_dump_deinit(&dump);
	if (!text || !*text)
		return;
	add_section(out, "sched_ext dump", colour);
	ktstr_add_head(out, "", text, strlen(text), DUMP_LINES);
	ktstr_str_add(out, "  all of it: ktstr show ");
	ktstr_add_line(out, result->failure_dump_path);
	ktstr_str_add(out, "\n");
}

static void add_footer(struct ktstr_str *out, const struct ktstr_test_result *result)
{
	const char *files[] = { result->sidecar_path, result->console_path,
				result->output_path, result->scheduler_log_path, result->failure_dump_path };
	const char *label = "files:";

	if (result->reproduce.count) {
		ktstr_str_add(out, "reproduce: ");
		ktstr_add_shell_quoted(out, &result->reproduce);
		ktstr_str_add(out, "\n");
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (!files[i])
			continue;
		ktstr_str_addf(out, "%-6s ", label);
		ktstr_add_line(out, files[i]);
		ktstr_str_add(out, "\n");
		label = "";
	}
}

/* A pass and a skip need no more than a line. */
static char *report_line(const struct ktstr_test_result *result, const char *what, bool with_cause)
{
	_cleanup_free_ char *cause = ktstr_result_cause_line(result);
	_cleanup_str_ struct ktstr_str out = { 0 };

	add_title(&out, result);
	ktstr_str_addf(&out, " %s", what);
	if (with_cause)
		ktstr_str_addf(&out, ": %s", cause);
	ktstr_str_add(&out, "\n");
	return ktstr_str_take(&out);
}

char *ktstr_result_report(const struct ktstr_test_result *result, bool colour)
{
	enum ktstr_outcome_kind kind = ktstr_test_result_kind(result);
	_cleanup_free_ char *cause = ktstr_result_cause_line(result);
	_cleanup_str_ struct ktstr_str out = { 0 };
	bool failed = kind == KTSTR_OUTCOME_FAIL;

	if (kind == KTSTR_OUTCOME_PASS)
		return report_line(result, "passed", false);
	if (kind == KTSTR_OUTCOME_SKIP)
		return report_line(result, "skipped", true);
	ktstr_str_addf(&out, "%s%s%s\n",
		       ktstr_sgr(colour, failed ? KTSTR_SGR_RED : KTSTR_SGR_YELLOW), cause,
		       ktstr_sgr(colour, KTSTR_SGR_RESET));
	ktstr_str_add(&out, ktstr_sgr(colour, KTSTR_SGR_BOLD));
	add_title(&out, result);
	ktstr_str_addf(&out, " %s:%s\n", failed ? "failed" : "inconclusive",
		       ktstr_sgr(colour, KTSTR_SGR_RESET));
	add_violations(&out, result);
	add_host_load(&out, result);
	add_stats(&out, result, colour);
	add_payloads(&out, result, colour);
	add_diagnostics(&out, result, colour);
	if (result->verdict.stats.phases.count || result->stimulus_events_count) {
		add_section(&out, "timeline", colour);
		ktstr_add_timeline(&out, result);
	}
	add_schedulers(&out, result, colour);
	add_logs(&out, result, colour);
	if (result->monitor) {
		add_section(&out, "monitor", colour);
		ktstr_add_monitor(&out, result->monitor);
	}
	add_dump(&out, result, colour);
	add_footer(&out, result);
	return ktstr_str_take(&out);
}
