/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Payloads: programs that exist already (stress-ng, fio, hackbench, anything) as workloads of a test. They are found on
 * the host, carried into the guest with their libraries and files, run in a cgroup, and their output becomes metrics.
 */
#ifndef KTSTR_PAYLOAD_H
#define KTSTR_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/error.h>
#include <ktstr/metric.h>
#include <ktstr/scheduler.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ktstr_ctx;

enum ktstr_payload_kind {
	KTSTR_PAYLOAD_BINARY,
	KTSTR_PAYLOAD_SCHEDULER, /* only names a scheduler; cannot be run */
};

enum ktstr_output_format {
	KTSTR_OUTPUT_EXIT_CODE, /* no metrics */
	KTSTR_OUTPUT_JSON, /* see ktstr_metrics_extract() */
};

/* What a metric of that exact name means. Other metrics are UNKNOWN and have no unit. */
struct ktstr_metric_hint {
	const char *name;
	struct ktstr_polarity polarity;
	const char *unit; /* NULL = "" */
};

/* .metrics = KTSTR_METRIC_HINTS({ "jobs.0.read.iops", KTSTR_HIGHER_BETTER, "op/s" }) */
#define KTSTR_METRIC_HINTS(...) ((const struct ktstr_metric_hint[]){ __VA_ARGS__, { .name = NULL } })

enum ktstr_metric_check_kind {
	KTSTR_METRIC_CHECK_END, /* ends a list */
	KTSTR_METRIC_CHECK_MIN, /* value >= lo */
	KTSTR_METRIC_CHECK_MAX, /* value <= hi */
	KTSTR_METRIC_CHECK_RANGE, /* lo <= value <= hi */
	KTSTR_METRIC_CHECK_EXISTS,
	KTSTR_METRIC_CHECK_EXIT_CODE_EQ, /* judged before all others */
};

/* A metric that is missing fails each check on it. Built by the macros below. */
struct ktstr_metric_check {
	enum ktstr_metric_check_kind kind;
	const char *metric;
	double lo, hi;
	int exit_code;
};

#define KTSTR_METRIC_MIN(NAME, LO)	 { .kind = KTSTR_METRIC_CHECK_MIN, .metric = (NAME), .lo = (LO) }
#define KTSTR_METRIC_MAX(NAME, HI)	 { .kind = KTSTR_METRIC_CHECK_MAX, .metric = (NAME), .hi = (HI) }
#define KTSTR_METRIC_RANGE(NAME, LO, HI) { .kind = KTSTR_METRIC_CHECK_RANGE, .metric = (NAME), .lo = (LO), .hi = (HI) }
#define KTSTR_METRIC_EXISTS(NAME)	 { .kind = KTSTR_METRIC_CHECK_EXISTS, .metric = (NAME) }
#define KTSTR_EXIT_CODE_EQ(CODE)	 { .kind = KTSTR_METRIC_CHECK_EXIT_CODE_EQ, .exit_code = (CODE) }

/* .default_checks = KTSTR_METRIC_CHECKS(KTSTR_EXIT_CODE_EQ(0), KTSTR_METRIC_MIN("jobs.0.read.iops", 1000)) */
#define KTSTR_METRIC_CHECKS(...)                                                                   \
	((const struct ktstr_metric_check[]){ __VA_ARGS__, { .kind = KTSTR_METRIC_CHECK_END } })

/*
 * `binary`: a bare name is looked up in the working directory, beside the test program, and in PATH, on the host; a
 * path (contains '/') is taken as it is. In the guest it lies in KTSTR_INCLUDE_DIR, which is part of PATH.
 */
struct ktstr_payload {
	const char *name; /* label in output and results; no '/' and no blank */
	enum ktstr_payload_kind kind;
	const char *binary;
	const struct ktstr_scheduler *scheduler; /* of kind SCHEDULER */
	const char *package; /* the distribution's package that has the binary, for error messages */
	enum ktstr_output_format output;
	const char *const *default_args; /* KTSTR_ARGS(...) */
	const struct ktstr_metric_check *default_checks; /* KTSTR_METRIC_CHECKS(...) */
	const struct ktstr_metric_hint *metrics; /* KTSTR_METRIC_HINTS(...) */
	const char *const *include_files; /* further files for KTSTR_INCLUDE_DIR; KTSTR_ARGS(...) */
	const char *const *known_flags; /* KTSTR_ARGS("--runtime", ...): other long flags are refused; NULL = any */
	bool uses_parent_pgrp; /* stays in the test's process group: only the program itself is killed */
};

/* KTSTR_PAYLOAD(fio, .binary = "fio", .output = KTSTR_OUTPUT_JSON, ...); tests refer to &fio. */
#define KTSTR_PAYLOAD(id, ...)                                                                     \
	static const struct ktstr_payload id __attribute__((unused)) = { .name = #id, __VA_ARGS__ }

/* A payload judged by its exit code alone: static const struct ktstr_payload x = ktstr_payload_binary("x", "./x"); */
#define ktstr_payload_binary(NAME, EXE) { .name = (NAME), .binary = (EXE) }

/* Kind SCHEDULER: the kernel's own EEVDF. */
extern const struct ktstr_payload KTSTR_PAYLOAD_KERNEL_DEFAULT;

/* Where binaries and include files of tests are in the guest. */
#define KTSTR_INCLUDE_DIR "/include-files"

/*
 * KTSTR_ERR_INVALID names the field and the value that cannot be: a kind without its binary or scheduler, a hint given
 * twice, a range whose lower bound is above the upper one or NaN, a default argument that known_flags lacks.
 */
struct ktstr_error *ktstr_payload_validate(const struct ktstr_payload *payload) KTSTR_CHECKED;
/* Long flags ("--foo", "--foo=v") that known_flags lacks; arguments behind "--" are none. args may be NULL. */
struct ktstr_error *ktstr_payload_check_args(const struct ktstr_payload *payload, const char *const *args)
	KTSTR_CHECKED;

enum ktstr_metric_stream {
	KTSTR_STREAM_STDOUT,
	KTSTR_STREAM_STDERR,
	KTSTR_STREAM_SYNTHESIZED, /* made by the extraction itself */
};

/* "stdout", "stderr", "synthesized"; NULL out of range. */
const char *ktstr_metric_stream_name(enum ktstr_metric_stream stream);

struct ktstr_metric {
	char *name; /* "jobs.0.read.iops" */
	double value; /* finite */
	struct ktstr_polarity polarity;
	const char *unit; /* borrowed from the hint; "" = unknown */
	enum ktstr_metric_stream stream;
};

#define KTSTR_METRICS_MAX_DEPTH 64
#define KTSTR_METRICS_CAP	20000
/* Added when something lies deeper than KTSTR_METRICS_MAX_DEPTH; its value is the depth that was not entered. */
#define KTSTR_METRICS_TRUNCATION_SENTINEL_NAME "__walk_json_leaves_truncated"
/* Added when there are more than KTSTR_METRICS_CAP numbers; its value is the cap. */
#define KTSTR_METRICS_CAP_SENTINEL_NAME "__walk_json_leaves_capped"

struct ktstr_payload_metrics {
	unsigned int payload_index; /* runs of this process, from 0 */
	struct ktstr_metric *metrics;
	size_t metrics_count;
	int exit_code; /* -1 = killed: by a signal, the time limit, or ktstr_payload_handle_kill() */
};

/* NULL when there is no metric of that name. */
const struct ktstr_metric *ktstr_payload_metrics_get(const struct ktstr_payload_metrics *metrics, const char *name);
void ktstr_payload_metrics_deinit(struct ktstr_payload_metrics *metrics);

/*
 * Adds the finite numbers in text as metrics: the whole text as JSON, else its first {} or [] region that is balanced
 * (strings may hold brackets; what follows is ignored). Names are the keys and indices joined by dots. No metrics when
 * that is not strict JSON, or for EXIT_CODE.
 */
void ktstr_metrics_extract(const char *text, size_t length, enum ktstr_output_format format,
			   enum ktstr_metric_stream stream, struct ktstr_payload_metrics *metrics);

/* One run of a payload as a test body asks for it. */
struct ktstr_payload_run {
	const struct ktstr_payload *payload;
	const char *const *args; /* behind the default ones; KTSTR_ARGS(...) */
	bool clear_args; /* without the default arguments */
	const struct ktstr_metric_check *checks; /* besides the default ones; KTSTR_METRIC_CHECKS(...) */
	bool clear_checks; /* without the default checks */
	const char *cgroup; /* where it runs, below the test's; NULL or "" = where the test is */
	uint64_t timeout; /* ns; then its process group is killed; 0 = none. Only of ktstr_payload_run_foreground() */
};

#define KTSTR_PAYLOAD_OUTPUT_CAP (16u << 20) /* bytes kept of each stream; the rest is read and dropped */

struct ktstr_payload_handle;

/*
 * Runs it to its end or its time limit. Whatever its checks say goes into the context's verdict, its metrics to the
 * result; *metrics, when wanted (may be NULL), are the caller's to deinit. An error is what kept it from running: kind
 * SCHEDULER, an unknown flag, a missing cgroup, a program that cannot be executed.
 */
struct ktstr_error *ktstr_payload_run_foreground(struct ktstr_ctx *ctx, const struct ktstr_payload_run *run,
						 struct ktstr_payload_metrics *metrics) KTSTR_CHECKED;
/* Starts it in the background. What `run` points to is copied, but for the payload and its checks. */
struct ktstr_error *ktstr_payload_run_spawn(struct ktstr_ctx *ctx, const struct ktstr_payload_run *run,
					    struct ktstr_payload_handle **handle) KTSTR_CHECKED;
/*
 * Waits for its end, without a limit. Judges and reports as ktstr_payload_run_foreground(). A handle gives its result
 * once: KTSTR_ERR_INVALID afterwards.
 */
struct ktstr_error *ktstr_payload_handle_wait(struct ktstr_payload_handle *handle,
					      struct ktstr_payload_metrics *metrics) KTSTR_CHECKED;
/* SIGKILL to its process group, then the same. */
struct ktstr_error *ktstr_payload_handle_kill(struct ktstr_payload_handle *handle,
					      struct ktstr_payload_metrics *metrics) KTSTR_CHECKED;
/* The same as waiting when it has ended; else *ended is false and nothing else happens. */
struct ktstr_error *ktstr_payload_handle_try_wait(struct ktstr_payload_handle *handle, bool *ended,
						  struct ktstr_payload_metrics *metrics) KTSTR_CHECKED;
const char *ktstr_payload_handle_name(const struct ktstr_payload_handle *handle);
/* The cgroup it was started in, "" = where the test is. */
const char *ktstr_payload_handle_cgroup(const struct ktstr_payload_handle *handle);
int ktstr_payload_handle_pid(const struct ktstr_payload_handle *handle);
/* A live one is killed and reaped, with a note that its metrics are lost. Accepts NULL. */
void ktstr_payload_handle_destroy(struct ktstr_payload_handle *handle);

/*
 * For bodies: KTSTR_RUN_PAYLOAD(ctx, &fio, .args = KTSTR_ARGS("--runtime=2"), .timeout = KTSTR_SEC(30)); an error
 * becomes a failing detail.
 */
#define KTSTR_RUN_PAYLOAD(ctx, PAYLOAD, ...)                                                       \
	ktstr_fail_error((ctx), ktstr_payload_run_foreground(                                      \
					(ctx), &(struct ktstr_payload_run){ .payload = (PAYLOAD), __VA_ARGS__ }, NULL))

#ifdef __cplusplus
}
#endif
#endif
