// SPDX-License-Identifier: GPL-2.0-only
/* The program as a child of ours: what the agent is in a guest, and what the VM's end is to all that it left behind. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "host/stall.h"
#include "ktstr/cgroup.h"
#include "runner/host_run.h"
#include "runner/job_bundle.h"
#include "wire/program.h"

enum { MAX_STALLS = 100, KILL_WAIT_MS = 2000 };

KTSTR_DEFINE_CLEANUP(struct ktstr_cgroup_manager *, cleanup_manager, ktstr_cgroup_manager_destroy)
KTSTR_DEFINE_CLEANUP(FTS *, cleanup_fts, fts_close)

struct host_run {
	ktstr_host_frame_fn on_frame;
	void *context;
	struct ktstr_child program;
	int frames_fd, output_fd, job_fd; /* -1 = closed */
	struct ktstr_frame_decoder decoder;
	char *cgroup; /* of this run */
	struct ktstr_stall_watch *watch;
	uint64_t next_look_ns;
	json_t *stalls;
};

static const char *cgroup_parent(void)
{
	const char *parent = ktstr_env("KTSTR_HOST_CGROUP_PARENT");

	return parent ? parent : KTSTR_CGROUP_DEFAULT_PARENT;
}

/* Kills what is in it, then removes it with all below; what is not there is fine. */
static void remove_cgroup(const char *dir)
{
	_cleanup_(cleanup_manager) struct ktstr_cgroup_manager *manager = NULL;
	_cleanup_free_ char *kill_path = ktstr_xasprintf("%s/cgroup.kill", dir);
	_cleanup_free_ char *events_path = ktstr_xasprintf("%s/cgroup.events", dir);
	_cleanup_error_ struct ktstr_error *error = NULL;

	if (!ktstr_path_exists(events_path))
		return;
	ktstr_error_free(ktstr_write_value(kill_path, "1"));
	for (int waited_ms = 0; waited_ms < KILL_WAIT_MS; waited_ms += 10) {
		_cleanup_free_ char *events = ktstr_read_line(events_path);

		if (!events || !strstr(events, "populated 1"))
			break;
		ktstr_sleep_ns(10000000);
	}
	error = ktstr_cgroup_manager_create(dir, &manager);
	if (!error)
		error = ktstr_cgroup_cleanup_all(manager);
	if (error)
		fprintf(stderr, "ktstr: warning: %s\n", ktstr_error_message(error));
}

/* Those of runs whose ktstr was killed: they are named by its pid. */
static void remove_stale_cgroups(void)
{
	_cleanup_closedir_ DIR *parent = opendir(cgroup_parent());
	struct dirent *entry;

	while (parent && (entry = readdir(parent))) {
		_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", cgroup_parent(), entry->d_name);
		int pid;

		if (sscanf(entry->d_name, "run-%d", &pid) == 1 && pid > 0 && kill(pid, 0) && errno == ESRCH)
			remove_cgroup(path);
	}
}

static struct ktstr_error *write_job(struct host_run *host, const struct ktstr_run_setup *setup, const struct ktstr_run *run)
{
	json_t *test = ktstr_job_test(setup, run), *job;
	_cleanup_free_ char *text = NULL;

	json_object_set_new(test, "host_cgroup", json_string(host->cgroup));
	job = json_pack("{so}", "test", test);
	text = json_dumps(job, 0);
	json_decref(job);
	if (!text)
		return ktstr_error_new(KTSTR_ERR_INVALID, "the job holds text that is not UTF-8");
	KTSTR_TRY(ktstr_memfd("ktstr-job", 0, &host->job_fd));
	return ktstr_write_all(host->job_fd, text, strlen(text), "the job");
}

static void add_environment(int frames_fd, struct ktstr_strv *env)
{
	for (char **item = environ; *item; item++)
		ktstr_strv_add(env, *item);
	ktstr_strv_addf(env, KTSTR_WIRE_FD_ENV "=%d", frames_fd);
}

/* In a group of its own, so that all of it can be ended. */
static struct ktstr_error *start(struct host_run *host, const struct ktstr_run *run)
{
	_cleanup_free_ char *job_path = ktstr_xasprintf("/proc/self/fd/%d", host->job_fd);
	const char *argv[] = { run->program->path, "--ktstr-guest", job_path, NULL };
	_cleanup_strv_ struct ktstr_strv env = { 0 };
	int frames[2], output[2], keep[2];
	struct ktstr_error *error;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, frames))
		return ktstr_error_sys(errno, "cannot create a socket pair");
	host->frames_fd = frames[0];
	if (pipe2(output, O_CLOEXEC)) {
		close(frames[1]);
		return ktstr_error_sys(errno, "cannot create a pipe");
	}
	host->output_fd = output[0];
	keep[0] = frames[1];
	keep[1] = host->job_fd;
	add_environment(frames[1], &env);
	error = ktstr_child_spawn(&(struct ktstr_child_spec){ .argv = argv,
							      .env = (const char *const *)env.items,
							      .stdin_fd = -1,
							      .stdout_fd = output[1],
							      .stderr_fd = output[1],
							      .keep_fds = keep,
							      .keep_fds_count = 2,
							      .own_group = true },
				  &host->program);
	close(frames[1]);
	close(output[1]);
	return error;
}

static void give_out(struct host_run *host, uint32_t type, const void *payload, size_t length)
{
	struct ktstr_frame frame = { .type = type, .length = (uint32_t)length, .payload = payload, .crc_ok = true };

	host->on_frame(host->context, &frame);
}

/* One read; the descriptor is closed at its end. */
static size_t read_some(int *fd, char *chunk, size_t size)
{
	ssize_t got = read(*fd, chunk, size);

	if (!got || (got < 0 && errno != EINTR && errno != EAGAIN)) {
		close(*fd);
		*fd = -1;
	}
	return got > 0 ? (size_t)got : 0;
}

/* What comes within timeout_ms; false when nothing did. */
static bool read_streams(struct host_run *host, int timeout_ms)
{
	struct pollfd fds[] = { { .fd = host->frames_fd, .events = POLLIN },
				{ .fd = host->output_fd, .events = POLLIN },
				{ .fd = host->program.pidfd, .events = POLLIN } };
	char chunk[65536];
	struct ktstr_frame frame;

	if (poll(fds, 3, timeout_ms) <= 0)
		return false;
	if (fds[0].revents) {
		ktstr_frame_decoder_feed(&host->decoder, chunk, read_some(&host->frames_fd, chunk, sizeof(chunk)));
		while (ktstr_frame_decoder_next(&host->decoder, &frame))
			host->on_frame(host->context, &frame);
	}
	if (fds[1].revents) {
		size_t got = read_some(&host->output_fd, chunk, sizeof(chunk));

		if (got)
			give_out(host, KTSTR_FRAME_STDOUT, chunk, got);
	}
	return fds[0].revents || fds[1].revents;
}

/* All processes of the run's cgroup and those below it. Heap. */
static pid_t *find_workers(const struct host_run *host, size_t *count)
{
	char *roots[] = { host->cgroup, NULL };
	_cleanup_(cleanup_fts) FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	pid_t *pids = NULL;
	FTSENT *entry;

	*count = 0;
	while (tree && (entry = fts_read(tree))) {
		_cleanup_fclose_ FILE *file = NULL;
		int pid;

		if (entry->fts_info != FTS_F || strcmp(entry->fts_name, "cgroup.procs"))
			continue;
		file = fopen(entry->fts_path, "re");
		while (file && fscanf(file, "%d", &pid) == 1) {
			pids = ktstr_xrealloc(pids, (*count + 1) * sizeof(*pids));
			pids[(*count)++] = pid;
		}
	}
	return pids;
}

static void look_for_stalls(struct host_run *host)
{
	struct ktstr_stall_report *reports;
	size_t pids_count, count;
	_cleanup_free_ pid_t *pids = NULL;

	if (ktstr_now_ns() < host->next_look_ns)
		return;
	pids = find_workers(host, &pids_count);
	reports = ktstr_stall_watch_look(host->watch, pids, pids_count, &count);
	for (size_t i = 0; i < count; i++) {
		if (!host->stalls)
			host->stalls = json_array();
		if (json_array_size(host->stalls) < MAX_STALLS)
			json_array_append_new(host->stalls, ktstr_stall_report_to_json(&reports[i]));
		ktstr_stall_report_deinit(&reports[i]);
	}
	free(reports);
	host->next_look_ns = ktstr_now_ns() + ktstr_stall_poll_ns();
}

static struct ktstr_error *follow(struct host_run *host, uint64_t limit_ns)
{
	uint64_t deadline = ktstr_now_ns() + limit_ns;
	char limit[32];
	int status;

	for (;;) {
		uint64_t next = host->next_look_ns < deadline ? host->next_look_ns : deadline;
		struct ktstr_error *running;

		read_streams(host, ktstr_ms_until(next));
		running = ktstr_child_wait(&host->program, 0, &status);
		if (!running)
			break;
		ktstr_error_free(running);
		if (ktstr_now_ns() >= deadline)
			return ktstr_error_new(KTSTR_ERR_TIMEOUT, "the test overran: no verdict within %s",
					       ktstr_format_duration(limit_ns, limit));
		look_for_stalls(host);
	}
	while (read_streams(host, 0))
		;
	give_out(host, KTSTR_FRAME_EXIT, &status, sizeof(status));
	return NULL;
}

/* Workers die with the program (PR_SET_PDEATHSIG); what they forked is in the group or in the cgroup. */
static void clean_up(struct host_run *host)
{
	if (host->program.pid > 0)
		kill(-host->program.pid, SIGKILL);
	ktstr_child_kill(&host->program);
	remove_cgroup(host->cgroup);
	ktstr_cleanup_close(&host->frames_fd);
	ktstr_cleanup_close(&host->output_fd);
	ktstr_cleanup_close(&host->job_fd);
	ktstr_frame_decoder_deinit(&host->decoder);
	ktstr_stall_watch_destroy(host->watch);
	free(host->cgroup);
}

struct ktstr_error *ktstr_host_run(const struct ktstr_run_setup *setup, const struct ktstr_run *run, uint64_t limit_ns,
				   ktstr_host_frame_fn on_frame, void *context, json_t **stalls)
{
	struct host_run host = {
		.on_frame = on_frame,
		.context = context,
		.program = { .pidfd = -1 },
		.frames_fd = -1,
		.output_fd = -1,
		.job_fd = -1,
		.cgroup = ktstr_xasprintf("%s/run-%d", cgroup_parent(), (int)getpid()),
		.watch = ktstr_stall_watch_create(),
	};
	struct ktstr_error *error;

	remove_stale_cgroups();
	error = write_job(&host, setup, run);
	if (!error)
		error = start(&host, run);
	if (!error)
		error = follow(&host, limit_ns);
	*stalls = host.stalls;
	clean_up(&host);
	return error;
}
