/* SPDX-License-Identifier: GPL-2.0-only */
/* The subcommands of `ktstr` and what they share. */
#ifndef KTSTR_CLI_COMMANDS_H
#define KTSTR_CLI_COMMANDS_H

#include "kernel/kernel.h"
#include "ktstr/error.h"
#include "runner/runner.h"

/* Each returns the exit code; argv[0] is "ktstr <command>" for messages. */
int ktstr_cmd_run(int argc, char **argv);
int ktstr_cmd_test(int argc, char **argv);
int ktstr_cmd_list(int argc, char **argv);
int ktstr_cmd_kernel(int argc, char **argv);
int ktstr_cmd_shell(int argc, char **argv);
int ktstr_cmd_topo(int argc, char **argv);
int ktstr_cmd_doctor(int argc, char **argv);
int ktstr_cmd_template(int argc, char **argv);
int ktstr_cmd_replay(int argc, char **argv);
int ktstr_cmd_show_plan(int argc, char **argv);
int ktstr_cmd_show_thresholds(int argc, char **argv);
int ktstr_cmd_runs(int argc, char **argv);
int ktstr_cmd_show_host(int argc, char **argv);
int ktstr_cmd_locks(int argc, char **argv);
int ktstr_cmd_stats(int argc, char **argv);
int ktstr_cmd_show(int argc, char **argv);

/* Prints "ktstr: <message>" to stderr, frees the error, returns KTSTR_EXIT_FAIL. */
int ktstr_cli_fail(struct ktstr_error *error);
/* Numbers in the environment; KTSTR_ERR_INVALID names the first variable that holds none. */
struct ktstr_error *ktstr_cli_check_environment(void) KTSTR_CHECKED;
/* On standard output, with a newline; takes the reference. main() tells when that cannot be written. */
void ktstr_cli_print_json(json_t *json);
/* Progress of long work: a redrawn line on a terminal, one line per step otherwise; on stderr. */
const struct ktstr_progress *ktstr_cli_progress(void);
/* Removes the progress line, if one is drawn. */
void ktstr_cli_progress_done(void);
/* The value of an option; the error names it. */
struct ktstr_error *ktstr_cli_duration(const char *option, const char *text, uint64_t *duration_ns) KTSTR_CHECKED;
/* --cpu-cap. */
struct ktstr_error *ktstr_cli_cpu_cap(const char *text, unsigned int *cap) KTSTR_CHECKED;
/* "1n2l4c2t" or a preset name. */
struct ktstr_error *ktstr_cli_topology(const char *text, struct ktstr_topology *topology) KTSTR_CHECKED;
/* The same, or the word for all presets. */
#define KTSTR_CLI_ALL_PRESETS "all"
struct ktstr_error *ktstr_cli_check_topologies(const char *text) KTSTR_CHECKED;
/*
 * The machine of a test for --topology `text`: the test's own, with the nodes that it declares, when text is NULL or says
 * the same counts. What is pointed to is the test's.
 */
struct ktstr_error *ktstr_cli_test_topology(const struct ktstr_test_info *test, const char *text,
					    struct ktstr_topology *topology) KTSTR_CHECKED;
/* Why the test is not for that topology, by the constraints that it or its scheduler declares; NULL = it is. Heap. */
char *ktstr_cli_refuses_topology(const struct ktstr_test_info *test, const struct ktstr_topology *topology);

/* What --topology all is for a test. */
struct ktstr_cli_presets {
	struct ktstr_strv names; /* those that its constraints accept and the host has CPUs for */
	unsigned int accepted, fewest_cpus; /* those that its constraints accept, and the CPUs of the smallest */
	unsigned int host_cpus; /* KTSTR_NO_MAX under virtual time, which one CPU gives to any number */
};
struct ktstr_cli_presets ktstr_cli_presets_of(const struct ktstr_test_info *test, bool deterministic);
/* Why there are none. Heap. */
char *ktstr_cli_no_preset(const struct ktstr_cli_presets *presets);
/* The index of "--" in argv, or argc. */
int ktstr_cli_split(int argc, char **argv);

/* Options that run and test share. */
struct ktstr_cli_run_options {
	const char *kernel;
	struct ktstr_strv topologies; /* shapes, presets, KTSTR_CLI_ALL_PRESETS; empty = each test's own */
	uint64_t duration_ns; /* 0 = each test's own */
	const char *work_type; /* of swappable cgroups instead of their own; NULL = theirs */
	const char *rt_app; /* instead of the tests' .rt_app; NULL = those */
	struct ktstr_disk_config disk; /* instead of the tests'; capacity 0 = theirs */
	bool deterministic, twice, cold, fresh_attach;
	bool seeds_given;
	uint64_t first_seed, last_seed;
	bool release;
	bool no_perf_mode;
	unsigned int cpu_cap; /* 0 = none */
	const char *vmcore_dir; /* NULL = no ELF cores */
	struct ktstr_pool_options pool;
};

struct argp;
extern const struct argp ktstr_cli_run_argp; /* its input is a struct ktstr_cli_run_options */

/* A growing list of planned runs. */
struct ktstr_cli_plan {
	struct ktstr_run *runs;
	size_t count;
	const char *program_argument; /* as the user wrote it, for the reproduce line; NULL for `run` */
};

/*
 * Adds a run per topology of the options (or the test's own). scheduler: NULL = the test's; otherwise it replaces
 * the test's scheduler and arguments.
 */
struct ktstr_error *ktstr_cli_plan_test(struct ktstr_cli_plan *plan, const struct ktstr_program *program,
					const struct ktstr_test_info *test,
					const struct ktstr_cli_run_options *options,
					const char *scheduler, char **scheduler_args) KTSTR_CHECKED;
void ktstr_cli_plan_deinit(struct ktstr_cli_plan *plan);

/* Prepares the setup and runs the plan; returns the exit code. */
int ktstr_cli_execute(const struct ktstr_cli_plan *plan, const struct ktstr_cli_run_options *options);

#endif
