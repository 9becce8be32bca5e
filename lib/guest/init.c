// SPDX-License-Identifier: GPL-2.0-only
/*
 * ktstr-init: PID 1 of the guest. Makes the system usable, reports ready through the mailbox, waits for a job
 * there, starts its scheduler and its program, relays what they say, and powers the machine off.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/file.h"
#include "base/random.h"
#include "base/str.h"
#include "guest/agent.h"
#include "guest/job.h"
#include "ktstr/units.h"
#include "wire/program.h"

static const struct timespec GO_POLL = { .tv_nsec = 1000000 };

/*
 * How often the agent sleeps that long before it looks for a job for the first time: see rule 9 of vm/determinism.h.
 */
enum { SAVE_WINDOW_POLLS = 50 };

static _Noreturn void power_off(void)
{
	sync();
	reboot(RB_AUTOBOOT); /* QEMU runs with -no-reboot: this ends it */
	for (;;)
		pause();
}

static _Noreturn void fatal(struct ktstr_error *error)
{
	fprintf(stderr, "ktstr-init: %s\n", ktstr_error_message(error));
	power_off();
}

static void use_console(void)
{
	int console = open("/dev/console", O_RDWR);

	if (console < 0)
		return;
	for (int fd = 0; fd < 3; fd++)
		dup2(console, fd);
	if (console > 2)
		close(console);
}

/* A clone restored from a template must not share its random numbers with other clones. */
static void reseed(const struct ktstr_mailbox *mailbox)
{
	struct {
		struct rand_pool_info info;
		uint8_t bytes[sizeof(mailbox->entropy)];
	} pool = { .info = { .entropy_count = sizeof(mailbox->entropy) * 8,
			     .buf_size = sizeof(mailbox->entropy) } };
	_cleanup_close_ int fd = open("/dev/urandom", O_RDWR | O_CLOEXEC);

	memcpy(pool.bytes, mailbox->entropy, sizeof(pool.bytes));
	if (fd < 0 || ioctl(fd, RNDADDENTROPY, &pool) || ioctl(fd, RNDRESEEDCRNG))
		fprintf(stderr, "ktstr-init: cannot reseed the random generator: %s\n", strerror(errno));
}

static void set_wall_clock(uint64_t realtime_ns)
{
	struct timespec now = { .tv_sec = (time_t)(realtime_ns / 1000000000u),
				.tv_nsec = (long)(realtime_ns % 1000000000u) };

	if (realtime_ns)
		clock_settime(CLOCK_REALTIME, &now);
}

/* In a deterministic run the seed also decides where in the kernel's tick the job begins. */
static void shift_tick_phase(const struct ktstr_mailbox *mailbox)
{
	struct ktstr_random random = ktstr_random_seeded(mailbox->seed);

	if (mailbox->transport == KTSTR_TRANSPORT_LOG)
		ktstr_sleep_ns(ktstr_random_next(&random) % KTSTR_MS(20));
}

static uint64_t read_vmcoreinfo(void)
{
	return strtoull(sysfs_text("/sys/kernel/vmcoreinfo"), NULL, 16);
}

static struct ktstr_error *receive_job(struct ktstr_mailbox *mailbox, json_t **job)
{
	const void *archive = (const char *)mailbox + KTSTR_MAILBOX_JOB_OFFSET;
	json_error_t parse_error;

	if (mailbox->job_length > KTSTR_MAILBOX_JOB_BYTES)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "the job in the mailbox is longer than the mailbox");
	KTSTR_TRY(unpack_newc(archive, mailbox->job_length));
	*job = json_load_file(KTSTR_JOB_PATH, 0, &parse_error);
	if (!*job)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "%s: %s", KTSTR_JOB_PATH, parse_error.text);
	return NULL;
}

static void report_error(struct channel *channel, struct ktstr_error *error)
{
	channel_lifecycle(channel, KTSTR_LIFE_AGENT_ERROR, "%s", ktstr_error_message(error));
	ktstr_error_free(error);
}

static void add_pid(json_t *env, const char *name, pid_t pid)
{
	_cleanup_free_ char *text = ktstr_xasprintf("%s=%d", name, (int)pid);

	if (pid)
		json_array_append_new(env, json_string(text));
}

/* The job's environment and what only the agent knows of it; borrowed. */
static json_t *program_env(const struct relay *relay, json_t *job)
{
	_cleanup_free_ char *mailbox = ktstr_xasprintf(KTSTR_MAILBOX_ENV "=%s", getenv(KTSTR_MAILBOX_ENV));
	json_t *env = json_object_get(job, "env");

	json_array_append_new(env, json_string(mailbox));
	disk_environment(env);
	add_pid(env, KTSTR_SCHED_PID_ENV, relay->sched.pid);
	add_pid(env, KTSTR_WIRE_PID_ENV, relay->program.launcher_pid);
	return env;
}

static struct ktstr_error *start_program(struct relay *relay, json_t *job)
{
	json_t *terminal = json_object_get(job, "terminal");
	struct winsize size = {
		.ws_row = (unsigned short)json_integer_value(json_object_get(terminal, "rows")),
		.ws_col = (unsigned short)json_integer_value(json_object_get(terminal, "columns")),
	};

	return job_process_start(&relay->program, json_object_get(job, "argv"), program_env(relay, job),
				 terminal ? &size : NULL);
}

static void run_program(struct relay *relay, json_t *job)
{
	struct ktstr_error *error = NULL;
	int32_t status;

	relay->sched_staged = json_object_get(job, "staged");
	channel_lifecycle(relay->channel, KTSTR_LIFE_PAYLOAD_STARTING, "%s", "");
	if (job_process_is_held(&relay->program))
		job_process_let_go(&relay->program);
	else
		error = start_program(relay, job);
	if (error) {
		report_error(relay->channel, error);
		return;
	}
	while (relay_until(relay, NULL, UINT64_MAX) == WAIT_ASKED)
		schedulers_answer(relay);
	relay_last_words(relay);
	schedulers_end(relay);
	relay_drain(relay);
	status = relay->program.wait_status;
	channel_send(relay->channel, KTSTR_FRAME_EXIT, &status, sizeof(status));
}

/*
 * Under virtual time the host hears of a stage at an exact instruction, and may save the guest anywhere in the window
 * that follows: it is the same until the window is over.
 */
static void announce(struct ktstr_mailbox *mailbox, enum ktstr_agent_stage stage)
{
	__atomic_store_n(&mailbox->agent_stage, stage, __ATOMIC_RELEASE);
	if (!ktstr_freeze_available(mailbox))
		return;
	ktstr_error_free(ktstr_freeze(mailbox, KTSTR_FREEZE_STAGE, NULL, 0, NULL, 0, NULL));
	for (int i = 0; i < SAVE_WINDOW_POLLS; i++)
		nanosleep(&GO_POLL, NULL);
	mailbox->looked_stage = stage;
}

/*
 * Announces a stage and waits until the host has put its job in place. A template is saved in here: what follows may
 * run in many clones, long after, so each takes its own time, entropy and job from the mailbox.
 */
static struct ktstr_error *next_job(struct ktstr_mailbox *mailbox, enum ktstr_agent_stage stage, json_t **job)
{
	/* What a clone need not find out for itself is found out before: little that it runs has been translated yet. */
	uint64_t vmcoreinfo = read_vmcoreinfo();

	announce(mailbox, stage);
	while (__atomic_load_n(&mailbox->go, __ATOMIC_ACQUIRE) < stage)
		nanosleep(&GO_POLL, NULL);
	mailbox->vmcoreinfo = vmcoreinfo;
	if (ktstr_freeze_available(mailbox))
		ktstr_error_free(ktstr_freeze(mailbox, KTSTR_FREEZE_JOB, NULL, 0, NULL, 0, NULL));
	set_wall_clock(mailbox->realtime_ns);
	reseed(mailbox);
	shift_tick_phase(mailbox);
	return receive_job(mailbox, job);
}

/* What a job with "hold" asks for; the next one comes at *stage. */
static struct ktstr_error *prepare_and_hold(struct relay *relay, json_t *job, enum ktstr_agent_stage *stage)
{
	json_t *argv = json_object_get(job, "argv");

	*stage = argv ? KTSTR_AGENT_LOADED : KTSTR_AGENT_ATTACHED;
	return argv ? job_process_load(&relay->program, argv, program_env(relay, job)) : NULL;
}

static bool holds(const json_t *job)
{
	return json_is_true(json_object_get(job, "hold"));
}

/* Until the job that says which test it is: it is the clone's own, and what goes before may be a template's. */
static bool follow_jobs(struct ktstr_mailbox *mailbox, struct relay *relay, json_t **job)
{
	struct ktstr_error *error = NULL;

	relay->job_env = json_object_get(*job, "env");
	if (!holds(*job))
		disk_mount();
	if (!schedulers_start_first(relay, json_object_get(*job, "scheduler")))
		return false;
	while (!error && holds(*job)) {
		enum ktstr_agent_stage stage;

		error = prepare_and_hold(relay, *job, &stage);
		if (!error)
			error = next_job(mailbox, stage, job);
		if (!error && !holds(*job))
			disk_mount();
		relay->job_env = json_object_get(*job, "env");
	}
	if (error)
		report_error(relay->channel, error);
	return !error;
}

/* The launcher of the program, which every job has, is ready before the template is saved. */
static struct ktstr_error *relay_init(struct relay *relay, struct channel *channel)
{
	*relay = (struct relay){ .channel = channel, .program = job_process_idle(), .sched = job_process_idle() };
	relay->program.out_type = KTSTR_FRAME_STDOUT;
	relay->program.err_type = KTSTR_FRAME_STDERR;
	relay->sched.out_type = relay->sched.err_type = KTSTR_FRAME_SCHED_LOG;
	return job_process_prepare(&relay->program, true);
}

static void run_job(struct relay *relay, struct ktstr_error *error, json_t *job)
{
	struct utsname names;

	uname(&names);
	channel_send(relay->channel, KTSTR_FRAME_READY, names.release, strlen(names.release));
	if (error)
		report_error(relay->channel, error);
	else if (follow_jobs(relay->channel->mailbox, relay, &job))
		run_program(relay, job);
	relay_drain(relay);
	disk_await_counting();
}

/* Lets the kernel finish what it does after boot, so that a template holds a quiet machine. */
static void settle(void)
{
	uint64_t ms = 0;

	ktstr_error_free(ktstr_env_ms("KTSTR_SETTLE_MS", 0, &ms));
	ktstr_sleep_ns(KTSTR_MS(ms));
}

int main(int argc, char **argv)
{
	struct ktstr_mailbox *mailbox;
	struct ktstr_error *error;
	struct channel channel;
	struct relay relay;
	json_t *job = NULL;

	if (argc == 2 && !strcmp(argv[1], LAUNCHER_OPTION))
		return launcher_main();
	umask(022);
	error = mount_all();
	use_console();
	if (!error)
		error = access(KTSTR_INITRAMFS_SENTINEL, F_OK) ?
				ktstr_error_new(KTSTR_ERR_NO_MEMORY,
						"the initramfs is incomplete: the guest has too little memory") :
				NULL;
	if (error)
		fatal(error);
	prepare_cgroups();
	guard_agent();
	load_modules();
	bring_up_networks();
	error = ktstr_mailbox_map(KTSTR_MAILBOX_BYTES, &mailbox);
	if (!error)
		error = channel_open(&channel, mailbox);
	if (!error)
		error = relay_init(&relay, &channel);
	if (error)
		fatal(error);
	settle();
	error = next_job(mailbox, KTSTR_AGENT_READY, &job);
	run_job(&relay, error, job);
	power_off();
}
