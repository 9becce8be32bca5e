// SPDX-License-Identifier: GPL-2.0-only
/* The command line of scx_ktstr: a table of switches, and what each does to the settings. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scx_ktstr_options.h"

enum { MAX_MS = 24 * 3600 * 1000 };

const char *argp_program_version = "scx_ktstr 0.1";

enum {
	OPT_SLICE = 's',
	OPT_VERBOSE = 'v',
	OPT_WATCHDOG = 0x100,
	OPT_STALL,
	OPT_ERROR,
	OPT_STARVE,
	OPT_UNFAIR,
	OPT_SLOW,
	OPT_EXIT_AFTER,
	OPT_EXIT_AT_ONCE,
	OPT_NEVER_ATTACH,
	OPT_REJECT,
	OPT_RACY,
	OPT_CROWD,
	OPT_WRONG_CPU,
	OPT_KEEP_LAST,
	OPT_HANG,
	OPT_SINCE,
	OPT_CONFIG,
	OPT_CELL_PARENT,
};

static const struct argp_option options[] = {
	{ .name = "slice-us", .key = OPT_SLICE, .arg = "N", .doc = "Time slice (default 20000)" },
	{ .name = "watchdog-ms", .key = OPT_WATCHDOG, .arg = "N",
	  .doc = "How long a runnable task may wait before the kernel ejects us (default 3000, at most 30000)" },
	{ .name = "config", .key = OPT_CONFIG, .arg = "FILE", .doc = "Read the time slice from FILE: \"slice-us N\"" },
	{ .name = "cell-parent-cgroup", .key = OPT_CELL_PARENT, .arg = "PATH",
	  .doc = "Refuse to start unless this cgroup is there with the controllers cpu and cpuset" },
	{ .name = "verbose", .key = OPT_VERBOSE,
	  .doc = "Show how the CPUs are grouped, and counters at the end; twice: also what libbpf does" },
	{ .doc = "Misbehave while attached (times count from attach, or as --since says):" },
	{ .name = "since", .key = OPT_SINCE, .arg = "CGROUP",
	  .doc = "Count times from when a task in a cgroup of that name first runs" },
	{ .name = "stall-after-ms", .key = OPT_STALL, .arg = "N", .doc = "Stop serving tasks of user space" },
	{ .name = "error-after-ms", .key = OPT_ERROR, .arg = "N", .doc = "Raise a scheduler error" },
	{ .name = "exit-after-ms", .key = OPT_EXIT_AFTER, .arg = "N", .doc = "Detach and exit cleanly" },
	{ .name = "starve", .key = OPT_STARVE, .arg = "COMM", .doc = "Never run tasks whose comm starts with COMM" },
	{ .name = "unfair", .key = OPT_UNFAIR, .arg = "CGROUP",
	  .doc = "Charge tasks in a cgroup of that name for 1/64 of what they use" },
	{ .name = "racy", .key = OPT_RACY, .doc = "Lose a task when two CPUs enqueue within the same few instructions" },
	{ .name = "slow-dispatch-us", .key = OPT_SLOW, .arg = "N", .doc = "Busy-wait in every dispatch (at most 10000)" },
	{ .name = "crowd", .key = OPT_CROWD,
	  .doc = "Put every task into the local queue of the first CPU that it may use" },
	{ .name = "wrong-cpu", .key = OPT_WRONG_CPU,
	  .doc = "Select a CPU that a waking task may not use, so that the kernel must find another" },
	{ .name = "keep-last", .key = OPT_KEEP_LAST,
	  .doc = "Dispatch nothing for a CPU whose only task goes on, so that the kernel keeps it there by itself" },
	{ .name = "hang-after-ms", .key = OPT_HANG, .arg = "N",
	  .doc = "Once, hang a CPU that runs a task of user space for 1.5 s with interrupts off" },
	{ .doc = "Fail before that:" },
	{ .name = "exit-at-once", .key = OPT_EXIT_AT_ONCE, .arg = "CODE", .doc = "Exit before anything is loaded" },
	{ .name = "never-attach", .key = OPT_NEVER_ATTACH, .doc = "Load, then sleep without attaching" },
	{ .name = "reject", .key = OPT_REJECT, .doc = "Load a program that the verifier rejects" },
	{ 0 },
};

/* A decimal number within the bounds, or a message and exit status 2. */
static unsigned long number(struct argp_state *state, const char *name, const char *arg, unsigned long min,
			    unsigned long max)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(arg, &end, 10);
	if (*arg < '0' || *arg > '9' || *end || errno || value < min || value > max)
		argp_error(state, "--%s: '%s' is not a number from %lu to %lu", name, arg, min, max);
	return value;
}

static void name(struct argp_state *state, const char *option, const char *arg, char *out, size_t size)
{
	if (!arg || !*arg || strchr(arg, '/')) {
		argp_error(state, "--%s: '%s' is not a name", option, arg ? arg : "");
		return;
	}
	if (strlen(arg) >= size)
		argp_error(state, "--%s: '%s' is longer than %zu characters", option, arg, size - 1);
	memset(out, 0, size);
	memcpy(out, arg, strnlen(arg, size - 1));
}

/* A time in milliseconds from 1 on (0 would mean "off" on the BPF side). */
static __u64 ms_as_ns(struct argp_state *state, const char *name, const char *arg)
{
	return number(state, name, arg, 1, MAX_MS) * 1000000ULL;
}

static void read_config(struct argp_state *state, const char *path, struct settings *s)
{
	FILE *file = fopen(path, "re");
	unsigned long slice_us;

	if (!file || fscanf(file, " slice-us %lu", &slice_us) != 1 || slice_us < 100 || slice_us > 1000000)
		argp_error(state, "--config: %s does not say \"slice-us N\" with N from 100 to 1000000", path);
	if (file)
		fclose(file);
	s->opts.slice_ns = slice_us * 1000ULL;
}

static void check_cell_parent(struct argp_state *state, const char *path)
{
	char file[512], controllers[256] = "";
	FILE *stream;

	snprintf(file, sizeof(file), "/sys/fs/cgroup%s/cgroup.controllers", path);
	stream = fopen(file, "re");
	if (stream) {
		if (!fgets(controllers, sizeof(controllers), stream))
			controllers[0] = '\0';
		fclose(stream);
	}
	controllers[strcspn(controllers, "\n")] = ' ';
	if (!strstr(controllers, "cpuset") || !strstr(controllers, "cpu "))
		argp_error(state, "--cell-parent-cgroup: %s has not cpu and cpuset, but \"%s\"", file, controllers);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct settings *s = state->input;

	switch (key) {
	case OPT_SLICE:
		s->opts.slice_ns = number(state, "slice-us", arg, 100, 1000000) * 1000ULL;
		return 0;
	case OPT_VERBOSE:
		s->verbosity++;
		return 0;
	case OPT_WATCHDOG:
		s->watchdog_ms = number(state, "watchdog-ms", arg, 1, 30000);
		return 0;
	case OPT_STALL:
		s->opts.stall_after_ns = ms_as_ns(state, "stall-after-ms", arg);
		return 0;
	case OPT_ERROR:
		s->opts.error_after_ns = ms_as_ns(state, "error-after-ms", arg);
		return 0;
	case OPT_STARVE:
		name(state, "starve", arg, s->opts.starve_comm, sizeof(s->opts.starve_comm));
		return 0;
	case OPT_UNFAIR:
		name(state, "unfair", arg, s->opts.unfair_cgroup, sizeof(s->opts.unfair_cgroup));
		return 0;
	case OPT_SLOW:
		s->opts.slow_dispatch_ns = number(state, "slow-dispatch-us", arg, 1, 10000) * 1000ULL;
		return 0;
	case OPT_EXIT_AFTER:
		s->exit_after_ms = number(state, "exit-after-ms", arg, 1, MAX_MS);
		return 0;
	case OPT_EXIT_AT_ONCE:
		s->exit_at_once = (int)number(state, "exit-at-once", arg, 0, 255);
		return 0;
	case OPT_NEVER_ATTACH:
		s->never_attach = true;
		return 0;
	case OPT_CONFIG:
		read_config(state, arg, s);
		return 0;
	case OPT_CELL_PARENT:
		check_cell_parent(state, arg);
		return 0;
	case OPT_RACY:
		s->opts.racy = 1;
		return 0;
	case OPT_CROWD:
		s->opts.crowd = 1;
		return 0;
	case OPT_WRONG_CPU:
		s->opts.wrong_cpu = 1;
		return 0;
	case OPT_KEEP_LAST:
		s->opts.keep_last = 1;
		return 0;
	case OPT_HANG:
		s->opts.hang_after_ns = ms_as_ns(state, "hang-after-ms", arg);
		return 0;
	case OPT_SINCE:
		name(state, "since", arg, s->opts.since_cgroup, sizeof(s->opts.since_cgroup));
		return 0;
	case OPT_REJECT:
		s->reject = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

void read_settings(int argc, char **argv, struct settings *s)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse_option,
		.doc = "Fixture sched_ext scheduler of ktstr: fair by default, misbehaves on request.",
	};

	*s = (struct settings){ .opts = { .slice_ns = 20000000 }, .watchdog_ms = 3000, .exit_at_once = -1 };
	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, s);
}
