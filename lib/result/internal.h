/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of this room share and nobody else may include. */
#ifndef KTSTR_RESULT_INTERNAL_H
#define KTSTR_RESULT_INTERNAL_H

#include "result/result.h"

/* SipHash-1-3 under the all-zero key. */
uint64_t ktstr_siphash13(const void *data, size_t length);

/* What makes two runs of a test different variants of it. Host, commits and budgets do not. */
struct ktstr_variant {
	const char *topology, *scheduler;
	const char *payload, *work_type;          /* may be NULL */
	const struct ktstr_strv *scheduler_args;  /* order counts */
	const struct ktstr_strv *sysctls, *kargs; /* order does not count; NULL = none */
};
uint64_t ktstr_variant_hash(const struct ktstr_variant *variant);

/*
 * text as one component of a path: no separator, no leading dot, nothing a shell must quote. Heap.
 */
char *ktstr_path_component(const char *text);

/*
 * The lock that a clearing run takes exclusively and a writer shared; *fd is -1 where the directory
 * is not a run directory of ours (KTSTR_SIDECAR_DIR).
 */
struct ktstr_error *ktstr_run_dir_lock_shared(const char *run_dir, int *fd) KTSTR_CHECKED;
#define KTSTR_SIDECAR_SUFFIX       ".ktstr.json"
#define KTSTR_CONSOLE_SUFFIX       ".console.log"
#define KTSTR_OUTPUT_SUFFIX	   ".output.log"
#define KTSTR_TRACE_SUFFIX	   ".trace"
#define KTSTR_DUMP_SUFFIX	   ".failure-dump.json"
#define KTSTR_SCHEDULER_LOG_SUFFIX ".scheduler.log"

/*
 * Writes the report of each capture to a file of its own, <dir>/<stem>.snapshot.<tag>.json, and puts its name in its
 * place. Files of captures of an earlier run of the same variant are removed by ktstr_result_discard_dumps().
 */
struct ktstr_error *ktstr_store_snapshots(const char *dir, const char *stem, json_t *captures) KTSTR_CHECKED;
/* What happened when: a line a phase and its cgroups, else the last events of a course that has no phases. */
void ktstr_add_timeline(struct ktstr_str *out, const struct ktstr_test_result *result);
/* The monitor's lines of a report; nothing without samples. */
void ktstr_add_monitor(struct ktstr_str *out, const json_t *monitor);

/* Why it did not pass, printable, one line; never empty. Heap. */
char *ktstr_result_cause_line(const struct ktstr_test_result *result);
/* How the guest ended: "timed out after 30s", "the guest kernel crashed", ... Heap. */
char *ktstr_result_how_ended(const struct ktstr_test_result *result);
bool ktstr_result_scheduler_died(const struct ktstr_test_result *result);

/* text made printable on one line: line ends become spaces, spaces at the end are dropped. */
void ktstr_add_line(struct ktstr_str *out, const char *text);
/* Every line of text made printable, behind prefix. */
void ktstr_add_indented(struct ktstr_str *out, const char *prefix, const char *text, size_t length);
/* The first max_lines lines of text, before a line saying how many come after. */
void ktstr_add_head(struct ktstr_str *out, const char *prefix, const char *text, size_t length, size_t max_lines);
/* The last max_lines lines of text, behind a line saying how many came before. */
void ktstr_add_tail(struct ktstr_str *out, const char *prefix, const char *text, size_t length,
		    size_t max_lines);
/*
 * The scheduler's log for a reader: verifier logs trimmed, repeats collapsed, the last max_lines
 * lines.
 */
void ktstr_add_scheduler_log(struct ktstr_str *out, const char *prefix, const char *text,
			     size_t length, size_t max_lines);
/* argv as a line that a POSIX shell reads back as the same argv. */
void ktstr_add_shell_quoted(struct ktstr_str *out, const struct ktstr_strv *argv);

#define KTSTR_SGR_RED    "\033[31m"
#define KTSTR_SGR_GREEN  "\033[32m"
#define KTSTR_SGR_YELLOW "\033[33m"
#define KTSTR_SGR_BOLD   "\033[1m"
#define KTSTR_SGR_DIM    "\033[2m"
#define KTSTR_SGR_RESET  "\033[0m"

static inline const char *ktstr_sgr(bool colour, const char *code)
{
	return colour ? code : "";
}

#endif
