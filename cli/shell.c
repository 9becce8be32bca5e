// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr shell`: an interactive shell, or one command, in a VM like those of tests. */
#include <argp.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/file.h"
#include "cli/commands.h"
#include "disk/disk.h"
#include "guest/job.h"
#include "ktstr/units.h"
#include "reserve/apply.h"
#include "runner/job_bundle.h"
#include "vm/template.h"
#include "vm/vm.h"

#define BUSYBOX "/bin/busybox"

struct shell_arguments {
	const char *kernel, *command, *scheduler;
	struct ktstr_topology topology;
	uint64_t memory_mib, exec_timeout_ns;
	struct ktstr_disk_config disk; /* capacity 0 = none */
	struct ktstr_strv includes;
	bool dmesg, cold;
	struct ktstr_mode_wish mode;
};

static const struct argp_option options[] = {
	{ "kernel", 'K', "KERNEL", 0, "version, image or built source tree", 0 },
	{ "topology", 't', "SHAPE", 0, "default: 1n1l1c1t", 0 },
	{ "memory-mib", 'm', "MIB", 0, "at least 128; default: 2048", 0 },
	{ "disk", 'k', "SIZE", 0, "a disk of zeroes, /dev/vda, of that size: 256MiB, 1GiB; default: none", 0 },
	{ "scheduler", 's', "PATH|NAME", 0, "start it first; its arguments go behind --", 0 },
	{ "include", 'i', "PATH", 0, "copy into /include-files/; programs bring their libraries; repeatable", 0 },
	{ "exec", 'e', "CMD", 0, "run CMD and exit with its exit status", 0 },
	{ "exec-timeout", 'x', "TIME", 0, "default: 120s", 0 },
	{ "cold", 'C', NULL, 0, "boot instead of restoring a template", 0 },
	{ "no-perf-mode", 'P', NULL, 0, "keep the VM to a pool of host CPUs that others may use, too", 0 },
	{ "cpu-cap", 'U', "N", 0, "how many host CPUs that pool has; needs --no-perf-mode", 0 },
	{ "dmesg", 'D', NULL, 0, "print the kernel's console to stderr at the end", 0 },
	{ 0 },
};

enum { MEMORY_MAX_MIB = 1 << 20 };

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct shell_arguments *arguments = state->input;
	struct ktstr_error *error = NULL;

	switch (key) {
	case 'K':
		arguments->kernel = value;
		break;
	case 't':
		error = ktstr_cli_topology(value, &arguments->topology);
		break;
	case 'm':
		if (!ktstr_parse_number(value, 128, MEMORY_MAX_MIB, &arguments->memory_mib))
			error = ktstr_error_new(KTSTR_ERR_INVALID, "--memory-mib %s: give MiB, from 128 to %d", value,
						MEMORY_MAX_MIB);
		break;
	case 'k':
		error = ktstr_disk_parse_size(value, &arguments->disk.capacity_mib);
		if (error)
			error = ktstr_error_wrap(error, "--disk");
		break;
	case 's':
		arguments->scheduler = value;
		break;
	case 'i':
		ktstr_strv_add(&arguments->includes, value);
		break;
	case 'e':
		arguments->command = value;
		break;
	case 'x':
		error = ktstr_cli_duration("--exec-timeout", value, &arguments->exec_timeout_ns);
		break;
	case 'D':
		arguments->dmesg = true;
		break;
	case 'C':
		arguments->cold = true;
		break;
	case 'P':
		arguments->mode.operator_no_perf = true;
		break;
	case 'U':
		error = ktstr_cli_cpu_cap(value, &arguments->mode.cpu_cap);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	if (error)
		argp_failure(state, KTSTR_EXIT_FAIL, 0, "%s", ktstr_error_message(error));
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[-- SCHEDULER ARGS...]",
	.doc = "Boots a VM and gives a shell in it. Leave with `exit` or Ctrl-D.",
};

KTSTR_DEFINE_CLEANUP(struct ktstr_bundle *, cleanup_bundle, ktstr_bundle_destroy)
KTSTR_DEFINE_CLEANUP(struct ktstr_vm *, cleanup_vm, ktstr_vm_destroy)

static struct ktstr_error *add_include(struct ktstr_bundle *bundle, const char *path)
{
	_cleanup_free_ char *guest = ktstr_xasprintf("/include-files/%s", basename(path));
	struct stat st;

	if (stat(path, &st))
		return ktstr_error_sys(errno, "--include %s", path);
	if (!S_ISREG(st.st_mode))
		return ktstr_error_new(KTSTR_ERR_INVALID, "--include %s is not a regular file", path);
	if (st.st_mode & 0111) {
		struct ktstr_error *error = ktstr_bundle_add_program(bundle, guest, path);

		/* An executable that is no ELF file is a script: it goes in as it is. */
		if (!error || ktstr_error_code(error) != KTSTR_ERR_INVALID)
			return error;
		ktstr_error_free(error);
	}
	return ktstr_bundle_add_file(bundle, guest, path, st.st_mode & 0777);
}

static json_t *job_of(const struct shell_arguments *arguments, const struct ktstr_sched_choice *scheduler,
		      const char *guest_scheduler, const char *library_path)
{
	static const char start[] = BUSYBOX " --install -s /bin; cd /; ";
	_cleanup_free_ char *script = ktstr_xasprintf("%s%s", start, arguments->command ? arguments->command : "exec sh -l");
	_cleanup_free_ char *library_env = ktstr_xasprintf("LD_LIBRARY_PATH=%s", library_path);
	const char *term = ktstr_env("TERM");
	_cleanup_free_ char *term_env = ktstr_xasprintf("TERM=%s", term ? term : "linux");
	json_t *job = json_pack("{s[ssss] s[sssss]}", "argv", BUSYBOX, "sh", "-c", script, "env",
				"PATH=/bin:/sbin:/usr/bin:/include-files", "HOME=/", "PS1=ktstr# ", term_env,
				library_env);
	struct winsize size;

	if (guest_scheduler)
		json_object_set_new(job, "scheduler", ktstr_job_scheduler(scheduler, guest_scheduler));
	if (!arguments->command && !ioctl(STDIN_FILENO, TIOCGWINSZ, &size))
		json_object_set_new(job, "terminal", json_pack("{si si}", "rows", size.ws_row, "columns", size.ws_col));
	return job;
}

static struct ktstr_error *build_bundle(const struct shell_arguments *arguments, char **scheduler_args,
					struct ktstr_bundle **out)
{
	_cleanup_(cleanup_bundle) struct ktstr_bundle *bundle = NULL;
	_cleanup_(ktstr_sched_choice_deinit) struct ktstr_sched_choice scheduler = { 0 };
	_cleanup_free_ char *guest_scheduler = NULL;
	_cleanup_free_ char *library_path = NULL;
	_cleanup_free_ char *text = NULL;
	json_t *job;

	if (access(BUSYBOX, X_OK))
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "%s is missing: install the package busybox-static", BUSYBOX);
	KTSTR_TRY(ktstr_bundle_create(&bundle));
	KTSTR_TRY(ktstr_bundle_add_program(bundle, BUSYBOX, BUSYBOX));
	for (size_t i = 0; i < arguments->includes.count; i++)
		KTSTR_TRY(add_include(bundle, arguments->includes.items[i]));
	KTSTR_TRY(ktstr_sched_resolve(arguments->scheduler, NULL, NULL, &scheduler));
	for (; scheduler_args && *scheduler_args; scheduler_args++)
		ktstr_strv_add(&scheduler.args, *scheduler_args);
	if (scheduler.path) {
		guest_scheduler = ktstr_xasprintf(KTSTR_JOB_DIR "/scheduler/%s", strrchr(scheduler.path, '/') + 1);
		KTSTR_TRY_WRAP(ktstr_bundle_add_program(bundle, guest_scheduler, scheduler.path), "scheduler");
	}
	KTSTR_TRY(ktstr_bundle_library_path(bundle, &library_path));
	job = job_of(arguments, &scheduler, guest_scheduler, library_path);
	text = json_dumps(job, 0);
	json_decref(job);
	KTSTR_TRY(ktstr_bundle_add_data(bundle, KTSTR_JOB_PATH, 0644, text ? text : "", text ? strlen(text) : 0));
	*out = ktstr_take(bundle);
	return NULL;
}

/* Passes bytes both ways; false when the guest's side has closed. */
static bool relay_terminal(int terminal_fd)
{
	struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
				 { .fd = terminal_fd, .events = POLLIN } };
	char chunk[4096];

	if (poll(fds, 2, 50) <= 0)
		return true;
	for (int i = 0; i < 2; i++) {
		ssize_t got = fds[i].revents ? read(fds[i].fd, chunk, sizeof(chunk)) : 0;
		_cleanup_error_ struct ktstr_error *error =
			got > 0 ? ktstr_write_all(i ? STDOUT_FILENO : terminal_fd, chunk, (size_t)got, "the terminal") : NULL;

		if (error || (fds[i].revents && got <= 0 && i == 1))
			return false;
	}
	return true;
}

/* Prints a frame's text, or takes the exit status; true when the program has ended. */
static bool show_frame(const struct ktstr_frame *frame, int *exit_code)
{
	int32_t status;

	switch (frame->type) {
	case KTSTR_FRAME_STDOUT:
		fwrite(frame->payload, 1, frame->length, stdout);
		fflush(stdout);
		return false;
	case KTSTR_FRAME_STDERR:
	case KTSTR_FRAME_SCHED_LOG:
		fwrite(frame->payload, 1, frame->length, stderr);
		return false;
	case KTSTR_FRAME_LIFECYCLE:
		if (frame->length && (frame->payload[0] == KTSTR_LIFE_SCHED_DIED ||
				      frame->payload[0] == KTSTR_LIFE_SCHED_NOT_ATTACHED ||
				      frame->payload[0] == KTSTR_LIFE_AGENT_ERROR))
			fprintf(stderr, "ktstr: %s: %.*s\n",
				frame->payload[0] == KTSTR_LIFE_AGENT_ERROR ? "the agent failed" :
									     "the scheduler is gone",
				(int)frame->length - 1, (const char *)frame->payload + 1);
		return false;
	case KTSTR_FRAME_EXIT:
		if (ktstr_frame_read_i32(frame, &status))
			*exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		return true;
	default:
		return false;
	}
}

static struct ktstr_error *follow(const struct shell_arguments *arguments, struct ktstr_vm *vm, int *exit_code)
{
	bool interactive = !arguments->command;
	uint64_t deadline = interactive ? UINT64_MAX : ktstr_now_ns() + arguments->exec_timeout_ns;
	struct ktstr_frame frame;
	char limit[32];

	for (;;) {
		enum ktstr_vm_wait wait =
			ktstr_vm_next_frame(vm, interactive ? ktstr_now_ns() + KTSTR_MS(1) : deadline, &frame);

		if (wait == KTSTR_VM_FRAME && show_frame(&frame, exit_code))
			return NULL;
		if (wait == KTSTR_VM_ENDED)
			return ktstr_error_new(KTSTR_ERR_GUEST, "the guest powered off");
		if (wait == KTSTR_VM_FLOODED)
			return ktstr_vm_explain_flood(vm);
		if (wait == KTSTR_VM_DEADLINE && !interactive)
			return ktstr_error_new(KTSTR_ERR_TIMEOUT, "\"%s\" did not end within %s (--exec-timeout)",
					       arguments->command, ktstr_format_duration(arguments->exec_timeout_ns, limit));
		if (interactive && wait == KTSTR_VM_DEADLINE && !relay_terminal(ktstr_vm_terminal_fd(vm)))
			return NULL;
	}
}

static struct ktstr_error *talk(const struct shell_arguments *arguments, struct ktstr_vm *vm, int *exit_code)
{
	struct termios saved, raw;
	struct ktstr_error *error;

	if (arguments->command)
		return follow(arguments, vm, exit_code);
	tcgetattr(STDIN_FILENO, &saved);
	raw = saved;
	cfmakeraw(&raw);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	error = follow(arguments, vm, exit_code);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
	return error;
}

static void print_console(const struct ktstr_vm *vm)
{
	_cleanup_str_ struct ktstr_str printable = { 0 };
	size_t length;
	_cleanup_free_ char *console = ktstr_vm_console(vm, &length);

	ktstr_str_add_printable(&printable, console, length);
	fputs(ktstr_str_text(&printable), stderr);
}

static void tell_build(void *context)
{
	const struct ktstr_vm_config *config = context;
	char shape[KTSTR_TOPOLOGY_TEXT_BYTES];

	fprintf(stderr, "ktstr: building template %s: the kernel boots once and is saved, later shells start from there\n",
		ktstr_topology_format(config->topology, shape));
}

/* From a template where that works: a shell is there in a fraction of a second. */
static struct ktstr_error *start(const struct shell_arguments *arguments, const struct ktstr_vm_config *config,
				 const struct ktstr_vm_job *job, struct ktstr_vm **vm)
{
	_cleanup_(ktstr_template_deinit) struct ktstr_template template = { .hold.lock_fd = -1 };
	struct ktstr_error *error;

	if (!arguments->cold) {
		error = ktstr_template_booted(config, (struct ktstr_template_watch){ tell_build, (void *)config }, &template);
		if (!error)
			error = ktstr_template_clone(config, &template, job, vm);
		if (!error)
			return NULL;
		fprintf(stderr, "ktstr: booting, as there is no template: %s\n", ktstr_error_message(error));
		ktstr_error_free(error);
		ktstr_vm_destroy(*vm);
		*vm = NULL;
	}
	return ktstr_vm_boot(config, NULL, job, vm);
}

/* Everything of the shell then runs on the reserved CPUs. */
static struct ktstr_error *reserve(const struct shell_arguments *arguments, struct ktstr_reservation *reservation)
{
	struct ktstr_reserve_request request;

	if (arguments->mode.cpu_cap && !arguments->mode.operator_no_perf && !ktstr_env("KTSTR_NO_PERF_MODE"))
		return ktstr_error_new(KTSTR_ERR_INVALID, "--cpu-cap needs --no-perf-mode: it is the size of that pool");
	KTSTR_TRY(ktstr_reserve_request_init(&arguments->mode, &request));
	if (ktstr_reserve(&request, &arguments->topology, reservation) != KTSTR_RESERVED)
		return ktstr_error_new(KTSTR_ERR_BUSY, "%s", reservation->reason);
	return ktstr_reservation_enter(reservation);
}

static struct ktstr_error *run_shell(const struct shell_arguments *arguments, char **scheduler_args,
				     struct ktstr_run_setup *setup, int *exit_code)
{
	_cleanup_(ktstr_reservation_release) struct ktstr_reservation reservation = { 0 };
	_cleanup_(cleanup_bundle) struct ktstr_bundle *bundle = NULL;
	_cleanup_(cleanup_vm) struct ktstr_vm *vm = NULL;
	struct ktstr_vm_job job = { .stage = KTSTR_AGENT_READY };
	struct ktstr_vm_config config;
	struct ktstr_error *error;

	KTSTR_TRY(reserve(arguments, &reservation));
	KTSTR_TRY(build_bundle(arguments, scheduler_args, &bundle));
	KTSTR_TRY(ktstr_bundle_finish(bundle, &job.archive, &job.archive_length));
	KTSTR_TRY(ktstr_run_setup_vm(arguments->kernel, ktstr_cli_progress(), setup));
	ktstr_cli_progress_done();
	config = ktstr_run_setup_config(setup);
	config.topology = &arguments->topology;
	config.memory_mib = arguments->memory_mib;
	config.disk = arguments->disk.capacity_mib ? &arguments->disk : NULL;
	config.interactive_console = !arguments->command;
	config.settle_ms = KTSTR_SETTLE_MS;
	error = start(arguments, &config, &job, &vm);
	if (!error)
		error = talk(arguments, vm, exit_code);
	if (vm && arguments->dmesg)
		print_console(vm);
	return error;
}

int ktstr_cmd_shell(int argc, char **argv)
{
	struct shell_arguments arguments = { .topology = { 1, 1, 1, 1, NULL, 0, NULL },
					     .memory_mib = 2048,
					     .exec_timeout_ns = KTSTR_SEC(120) };
	int split = ktstr_cli_split(argc, argv), exit_code = KTSTR_EXIT_FAIL;
	struct ktstr_run_setup setup = { 0 };
	struct ktstr_error *error;

	argp_parse(&argp, split, argv, 0, NULL, &arguments);
	if (!arguments.command && !isatty(STDIN_FILENO))
		error = ktstr_error_new(KTSTR_ERR_INVALID, "an interactive shell needs a terminal; use --exec CMD without one");
	else
		error = run_shell(&arguments, split < argc ? argv + split + 1 : NULL, &setup, &exit_code);
	ktstr_run_setup_deinit(&setup);
	ktstr_strv_deinit(&arguments.includes);
	return error ? ktstr_cli_fail(error) : exit_code;
}
