/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of this room share and nobody else may include. */
#ifndef KTSTR_PAYLOAD_INTERNAL_H
#define KTSTR_PAYLOAD_INTERNAL_H

#include <jansson.h>

#include "base/child.h"
#include "base/str.h"
#include "ktstr/check.h"
#include "ktstr/payload.h"
#include "payload/payload.h"

struct ktstr_error *ktstr_payload_checks_validate(const struct ktstr_metric_check *checks) KTSTR_CHECKED;

/* What a program wrote to one of its streams. */
struct payload_output {
	int fd; /* -1 = closed */
	struct ktstr_str kept; /* the first KTSTR_PAYLOAD_OUTPUT_CAP bytes */
	uint64_t bytes; /* all of them */
	uint32_t crc32; /* of all of them */
};

/* A program while it runs; process.c. All but the thread's own members are fixed once it is started. */
struct payload_process;

struct payload_end {
	int wait_status;
	bool timed_out;
	bool unkillable; /* did not die of SIGKILL within 5 s; wait_status says nothing */
	uint64_t duration_ns;
	struct payload_output out, err;
};

struct payload_start {
	const char *const *argv;
	struct ktstr_cgroup_manager *cgroups;
	const char *cgroup; /* "" = none */
	bool own_group;
	uint64_t timeout_ns; /* 0 = none */
};

struct ktstr_error *payload_process_start(const struct payload_start *start,
					  struct payload_process **process) KTSTR_CHECKED;
int payload_process_pid(const struct payload_process *process);
/* Asks for SIGKILL; payload_process_join() then has little to wait for. */
void payload_process_kill(struct payload_process *process);
/* False when it still runs and `block` is not set. end is the caller's: payload_end_deinit(). Once. */
bool payload_process_join(struct payload_process *process, bool block, struct payload_end *end);
/* Only after a successful join. */
void payload_process_destroy(struct payload_process *process);
void payload_end_deinit(struct payload_end *end);

/* Sets polarity and unit of the metrics that hints name. */
void payload_apply_hints(const struct ktstr_metric_hint *hints, struct ktstr_payload_metrics *metrics);
/*
 * Judges a list of checks, those on the exit code when `exit_codes`, else the others. Returns how many failed; title
 * begins the messages.
 */
size_t payload_judge(const char *title, const struct ktstr_metric_check *checks, bool exit_codes,
		     const struct ktstr_payload_metrics *metrics, struct ktstr_assert_result *result);

/* A run as the frame KTSTR_FRAME_PAYLOAD carries it and results keep it. */
struct payload_record {
	const char *name, *cgroup;
	const struct ktstr_payload_metrics *metrics;
	const struct payload_end *end;
};
json_t *payload_record_to_json(const struct payload_record *record);
#endif
