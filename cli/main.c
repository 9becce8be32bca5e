// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr`: finds the subcommand and hands over. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/commands.h"
#include "vm/template_store.h"

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "run", ktstr_cmd_run, "run the built-in scenarios on a scheduler" },
	{ "test", ktstr_cmd_test, "run the tests of your own programs" },
	{ "list", ktstr_cmd_list, "list scenarios, work types, or the tests of programs" },
	{ "show-plan", ktstr_cmd_show_plan, "the steps, cgroups and ops that a test or scenario will go through" },
	{ "show-thresholds", ktstr_cmd_show_thresholds, "what a test is judged by" },
	{ "replay", ktstr_cmd_replay, "repeat a deterministic run from its result, bit for bit" },
	{ "runs", ktstr_cmd_runs, "what ran before: runs, results, the history of a metric" },
	{ "stats", ktstr_cmd_stats, "what the sidecars of run directories hold" },
	{ "show-host", ktstr_cmd_show_host, "what results record of this machine" },
	{ "locks", ktstr_cmd_locks, "who holds LLCs of this host, the kernel cache, run directories" },
	{ "show", ktstr_cmd_show, "show what was read from a guest whose scheduler failed" },
	{ "template", ktstr_cmd_template, "list and drop the saved VMs that tests start from" },
	{ "shell", ktstr_cmd_shell, "a shell, or one command, in a VM" },
	{ "kernel", ktstr_cmd_kernel, "get, list and remove kernels" },
	{ "topo", ktstr_cmd_topo, "show this host's topology or a shape's" },
	{ "doctor", ktstr_cmd_doctor, "what this host can do and what it lacks" },
};
enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static int usage(FILE *stream)
{
	fputs("Usage: ktstr COMMAND [OPTION...]\n"
	      "Test Linux process schedulers in VMs with the exact CPU topology you ask for.\n\n",
	      stream);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(stream, "  %-15s %s\n", commands[i].name, commands[i].help);
	fputs("\nTry: ktstr run --scheduler ./scx_foo\n"
	      "`ktstr COMMAND --help` tells more about a command.\n",
	      stream);
	return stream == stdout ? KTSTR_EXIT_PASS : KTSTR_EXIT_FAIL;
}

static int unknown(const char *name)
{
	const char *names[COMMANDS], *nearest;

	for (size_t i = 0; i < COMMANDS; i++)
		names[i] = commands[i].name;
	nearest = ktstr_nearest_name(name, names, COMMANDS);
	fprintf(stderr, "ktstr: no command \"%s\"", name);
	if (nearest)
		fprintf(stderr, "; did you mean \"%s\"?\n", nearest);
	else
		fputs("; `ktstr --help` lists them\n", stderr);
	return KTSTR_EXIT_FAIL;
}

/*
 * Output that is lost, on a full disk for one, is a failure of any command, of --help that argp prints and leaves, too; a
 * reader that has seen enough is none.
 */
static void close_output(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
	int number = fflush(stdout) ? errno : 0;

	if (!number && !ferror(stdout))
		return;
	/* What failed before has no errno any more; a pipe without a reader tells. */
	if (number == EPIPE || (poll(&out, 1, 0) == 1 && (out.revents & POLLERR)))
		return;
	fprintf(stderr, "ktstr: cannot write to standard output%s%s\n", number ? ": " : "", number ? strerror(number) : "");
	_exit(KTSTR_EXIT_FAIL);
}

/* Where 0, 1 or 2 is closed, the next file that is opened would be taken for it, and what is printed go there. */
static void open_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static int run_command(int argc, char **argv)
{
	char name[64];

	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		/* argp shows it in usage and errors. */
		snprintf(name, sizeof(name), "ktstr %s", commands[i].name);
		argv[1] = name;
		return commands[i].main(argc - 1, argv + 1);
	}
	return unknown(argv[1]);
}

int main(int argc, char **argv)
{
	struct ktstr_error *error;
	int status;

	open_standard_streams();
	signal(SIGPIPE, SIG_IGN);
	atexit(close_output);
	argp_err_exit_status = KTSTR_EXIT_FAIL; /* one code for everything that is wrong, usage too */
	if (argc < 2)
		return usage(stderr);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return usage(stdout);
	if (!strcmp(argv[1], "--version")) {
		puts("ktstr " KTSTR_VERSION);
		return KTSTR_EXIT_PASS;
	}
	error = ktstr_cli_check_environment();
	if (error)
		return ktstr_cli_fail(error);
	ktstr_template_tidy();
	status = run_command(argc, argv);
	ktstr_template_tidy();
	return status;
}
