/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The result of one test run as the host knows it, from which the sidecar, the failure report and every output
 * format are made. A plain record: the runner fills it, this room writes it down.
 */
#ifndef KTSTR_RESULT_RESULT_H
#define KTSTR_RESULT_RESULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "ktstr/check.h"
#include "ktstr/error.h"
#include "ktstr/topology.h"

/* How far the guest got; a failure without a guest result is explained by it. */
enum ktstr_guest_phase {
	KTSTR_PHASE_NONE, /* QEMU did not start */
	KTSTR_PHASE_BOOT, /* waiting for the agent */
	KTSTR_PHASE_ATTACH, /* scheduler starting */
	KTSTR_PHASE_BODY,
	KTSTR_PHASE_TEARDOWN,
	KTSTR_PHASE_DONE,
};
const char *ktstr_guest_phase_name(enum ktstr_guest_phase phase);

/* Named stages of a run with their wall time; a stage that did not happen is absent. */
struct ktstr_stage_time {
	/* static, one of the table in sidecar_read.c */
	const char *name;
	uint64_t duration_ns;
};

struct ktstr_test_result {
	char *test_name; /* bare */
	char *full_name; /* "ktstr/steady": as listings and filters spell it */
	char *topology; /* "1n2l4c1t" */
	char *scheduler; /* "eevdf" or label */
	char *scheduler_binary; /* host path or NULL */
	struct ktstr_strv scheduler_args;
	char *resolve_source; /* "path", "env_var", "path_lookup", ... or NULL */
	/* "SpinWait" or "SpinWait,Bursty"; may be NULL. From the declaration: it is part of the file name. */
	char *work_type;
	char *kernel_version, *kernel_release;
	char *kernel_commit, *project_commit; /* may be NULL */
	char *accel, *accel_reason, *qemu_version;
	bool deterministic;
	uint64_t seed;
	json_t *recipe; /* all that `ktstr replay` needs, NULL when not deterministic */
	char *digest; /* of a deterministic run, else NULL */
	char *trace; /* what the digest is over; stored as a file, not in the sidecar */
	char *start_mode; /* "warm+scheduler+program", "warm+scheduler", "warm+program", "warm" or "cold" */
	char *start_reason; /* why it was cold; NULL = it was not */
	json_t *host; /* lib/host/host.h; NULL = not recorded */
	unsigned int vcpus;
	unsigned int cpu_budget; /* host CPUs that they can run on; fewer than vcpus: they share */
	uint64_t memory_mib;
	json_t *networks; /* of the test: {mac, counters} each, null what is not known (lib/net/counters.h); NULL = none */

	struct ktstr_assert_result verdict; /* guest's verdict plus what the host found */
	bool guest_result_received; /* false: verdict holds only the host's findings */
	char *cause; /* one line: why it did not pass; NULL on pass. First line of the report */
	enum ktstr_guest_phase final_phase;
	bool timed_out;
	bool expected_failure; /* it failed as the test demands; verdict holds the reasons as notes */
	json_t *perf_delta_assertions; /* of the declaration (check/perf_delta.h); NULL = none */
	bool allow_inconclusive; /* an inconclusive verdict does not make the exit code */
	struct ktstr_strv kargs, sysctls; /* what the test put on the kernel's command line; "key=value" */
	int guest_exit_code; /* -1 = no exit frame */
	char *crash_message; /* kernel panic text, NULL = none */
	uint64_t corrupt_frames;

	int64_t started_unix_seconds;
	uint64_t duration_ns; /* command to verdict of this test */
	struct ktstr_opt_u64 cleanup_duration_ns; /* end of the guest's work to the end of its VM */
	struct ktstr_opt_f64 host_dilation; /* vm/vcpu_time.h; unset: not measured */
	struct ktstr_stage_time stages[16];
	size_t stages_count;
	struct ktstr_stimulus_event *stimulus_events; /* of its scenarios */
	size_t stimulus_events_count;

	char *console; /* serial log text (raw, hostile), may be NULL */
	size_t console_length;
	char *failure_dump; /* JSON text of what was read from the guest; NULL = none. Stored as a file */
	/* What the host saw of the kernel during the run (lib/runner/sightings.c); NULL = nothing was looked at. */
	json_t *monitor, *verifier_stats;
	json_t *captures; /* {snapshots[{tag, report, ...}], events[], kernel_ops[], cgroup_procs[]}; reports become files */
	json_t *virtio_blk_counters; /* what its disk did (ktstr/disk.h); NULL = it had none, or QEMU could not be asked */
	struct ktstr_opt_u64 map_writes_delivered; /* 1 = all of .bpf_map_write; unset = there was nobody to wait for them */
	unsigned int periodic_target, periodic_fired;
	char *scheduler_log; /* may be NULL */
	size_t scheduler_log_length;
	json_t *stalls; /* host_only: reports of workers that stood still (lib/host/stall.h); NULL = none */
	json_t *scheduler_instances; /* each start of a scheduler: lib/runner/instances.h; NULL = none */
	char *output; /* the test program's stdout and stderr */
	size_t output_length;
	char *payload; /* of the declaration; NULL = none */
	json_t *payload_runs; /* an array, a record each (lib/payload/metrics_json.c); NULL = none */
	struct ktstr_strv active_schedulers; /* what sched_ext/root/ops said during the body */

	char *sidecar_path, *console_path, *scheduler_log_path, *output_path, *failure_dump_path; /* set by ktstr_result_store() */
	struct ktstr_strv reproduce; /* argv of the command that runs exactly this again */
	char *instance; /* for printers: "1n2l2c1t seed 7", of a name that several results have; not stored; NULL = of one */
};

void ktstr_test_result_deinit(struct ktstr_test_result *result);
/* name is kept, not copied. More stages than there is room for are left out. */
void ktstr_test_result_add_stage(struct ktstr_test_result *result, const char *name, uint64_t duration_ns);
/* The kind of the verdict; a pass that no guest result confirms is a failure. */
enum ktstr_outcome_kind ktstr_test_result_kind(const struct ktstr_test_result *result);

/*
 * A run directory: $KTSTR_SIDECAR_DIR as it is, else <runs root>/<kernel>-<commit>/ ("unknown" for NULL) with the
 * runs root $KTSTR_RUNS_ROOT or <state dir>/runs. Created when missing. Old sidecars and logs are cleared once per
 * invocation, never in KTSTR_SIDECAR_DIR: an invocation is known by $KTSTR_RUN_EPOCH, which the first call makes
 * and exports when it is unset, so open the directory before starting threads or workers.
 */
struct ktstr_error *ktstr_run_dir_open(const char *kernel_version, const char *project_commit,
				       char **path) KTSTR_CHECKED;
/* Where run directories and their index are: $KTSTR_RUNS_ROOT, else <state dir>/runs. Heap. */
char *ktstr_runs_root(void);
/*
 * $KTSTR_PROJECT_COMMIT, else 7-hex HEAD of the git repository around cwd, "-dirty" appended when tracked files are
 * modified; NULL outside one or without git. Takes up to 10 s on a huge slow tree. Heap.
 */
char *ktstr_project_commit(void);
/* The same of the kernel tree that an image was built in; NULL when its tree is not itself a git repository. Heap. */
char *ktstr_kernel_commit(const char *image_path);

/* "<test>-<16 hex digits>", usable as a file name whatever the test is called. Heap. */
char *ktstr_result_file_stem(const struct ktstr_test_result *result);
/*
 * Stores sidecar <test>-<16 hex variant hash>.ktstr.json (atomic), console and scheduler logs beside it, and
 * records their paths in result. The hash covers topology, scheduler, its arguments and work type.
 */
struct ktstr_error *ktstr_result_store(const char *run_dir, struct ktstr_test_result *result)
	KTSTR_CHECKED;
/*
 * Removes what an earlier run of the same variant has left of dumps and captures: a file that is there afterwards is of
 * this run.
 */
void ktstr_result_discard_dumps(const char *run_dir, const struct ktstr_test_result *result);
/*
 * The sidecar; new reference. Without the texts of console and scheduler_log (they are files beside it); of output
 * the last 16 KiB.
 */
json_t *ktstr_result_to_json(const struct ktstr_test_result *result);
/* Reads what ktstr_result_to_json wrote (worker process -> runner). Hostile-safe. Zeroes *result on failure. */
struct ktstr_error *ktstr_result_from_json(const json_t *json, struct ktstr_test_result *result)
	KTSTR_CHECKED;
/* A stored sidecar with its paths and the ends (1 MiB) of the logs beside it: enough for the full report. */
struct ktstr_error *ktstr_result_load(const char *sidecar_path, struct ktstr_test_result *result)
	KTSTR_CHECKED;
/* The trace of a deterministic run, which lies beside its sidecar; heap, NULL when it does not. */
char *ktstr_result_load_trace(const char *sidecar_path);

/* The failure report of one test, sections in the documented order; heap text, coloured when asked. */
char *ktstr_result_report(const struct ktstr_test_result *result, bool colour);

enum ktstr_format {
	KTSTR_FORMAT_HUMAN,
	KTSTR_FORMAT_KTAP,
	KTSTR_FORMAT_JSON, /* JSON lines: one object per test, one summary at the end */
};
bool ktstr_format_from_name(const char *name, enum ktstr_format *format);

/*
 * Prints results as they arrive; for one thread. planned 0 = not known. Human: a line per test, reports of failures
 * (stderr, the rest stdout), a footer with counts and the run directory; where both are terminals one live line per
 * running test. KTAP 1 and JSON lines go to stdout alone.
 */
struct ktstr_printer;
struct ktstr_printer *ktstr_printer_create(enum ktstr_format format, size_t planned);
void ktstr_printer_started(struct ktstr_printer *printer, size_t index, const char *full_name,
			   const char *topology, const char *scheduler);
/* what: "booting", "attaching", "running"; call at will, redrawn at most every 100 ms. */
void ktstr_printer_stage(struct ktstr_printer *printer, size_t index, const char *what);
void ktstr_printer_tick(struct ktstr_printer *printer); /* redraws elapsed times on a terminal */
/* A line for people, on stderr: what programs read has it in its results. */
void ktstr_printer_warn(struct ktstr_printer *printer, const char *text);
/* The same, of what a live line shows: nothing is printed where there are live lines. */
void ktstr_printer_note(struct ktstr_printer *printer, const char *text);
void ktstr_printer_finished(struct ktstr_printer *printer, size_t index,
			    const struct ktstr_test_result *result);
/* No more than `planned` will run, by the user's own limit: the rest, left_out, does not count as missing, and is told. */
void ktstr_printer_limit(struct ktstr_printer *printer, size_t planned, size_t left_out);
/*
 * Totals; returns the exit code: 0 all passed or skipped, 1 a failure (also: a planned test that never finished, a
 * skip under no_skip_mode), 2 no failure but an inconclusive.
 */
int ktstr_printer_end(struct ktstr_printer *printer, const char *run_dir, bool no_skip_mode);
void ktstr_printer_destroy(struct ktstr_printer *printer);

/* Should colour be used on this stream? (terminal, NO_COLOR unset or empty, TERM not dumb) */
bool ktstr_use_colour(int fd);

#endif
