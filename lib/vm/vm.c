// SPDX-License-Identifier: GPL-2.0-only
/* A virtual machine's life; see vm.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "ktstr/units.h"
#include "vm/argv.h"
#include "vm/console.h"
#include "vm/determinism.h"
#include "vm/freezer.h"
#include "vm/migrate.h"
#include "vm/vm.h"

enum {
	POLL_NS = 2 * 1000 * 1000,
	CONSOLE_MAX_BYTES = 64 << 20, /* a guest that prints more has gone mad: no longer read */
	PANIC_LINES = 24,
	TAIL_LINES = 12,
};

#define RESTORE_TIMEOUT KTSTR_SEC(30)
#define SEND_TIMEOUT	KTSTR_SEC(10)
#define QMP_TIMEOUT	KTSTR_SEC(10)

/* Descriptors that QEMU inherits. Sockets are QEMU's ends: -1 once handed over. */
struct vm_files {
	int ram; /* -1 when it has a path */
	int mailbox, initramfs, console, qemu_output;
	int frames, qmp, terminal, gdb;
	int bell; /* see freezer.h */
};

struct ktstr_vm {
	struct vm_files files;
	struct ktstr_child qemu;
	bool qemu_ended;
	int qemu_status;
	int frames_fd, qmp_fd, terminal_fd, gdb_fd; /* our ends */
	char *ram_path; /* NULL = files.ram */
	uint64_t ram_bytes;
	struct ktstr_qmp *qmp; /* opened when first needed */
	struct ktstr_mailbox *mailbox;
	uint64_t answered_ns; /* when QEMU first spoke QMP */
	int kept_fd;
	bool deterministic;
	struct ktstr_freezer *freezer; /* deterministic */
	uint32_t announced_stage; /* by a deterministic guest, and served */
	ktstr_vm_freeze_fn on_freeze;
	void *freeze_context;
	uint32_t save_stage; /* where the guest is stopped, to be saved; 0 = nowhere */
	struct ktstr_error *stop_failure; /* of asking QEMU to */
	bool restored;
	uint64_t log_read; /* bytes of the mailbox log already decoded */
	struct ktstr_frame_decoder decoder;
	struct ktstr_frame_decoder earlier; /* given out first: see ktstr_vm_replay_frames() */
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void ktstr_vm_destroy(struct ktstr_vm *vm)
{
	if (!vm)
		return;
	ktstr_child_kill(&vm->qemu);
	ktstr_qmp_close(vm->qmp);
	if (vm->mailbox)
		munmap(vm->mailbox, KTSTR_MAILBOX_BYTES);
	for (size_t i = 0; i < sizeof(vm->files) / sizeof(int); i++)
		close_fd((int *)&vm->files + i);
	close_fd(&vm->frames_fd);
	close_fd(&vm->qmp_fd);
	close_fd(&vm->terminal_fd);
	close_fd(&vm->gdb_fd);
	close_fd(&vm->kept_fd);
	ktstr_freezer_destroy(vm->freezer);
	ktstr_error_free(vm->stop_failure);
	ktstr_frame_decoder_deinit(&vm->decoder);
	ktstr_frame_decoder_deinit(&vm->earlier);
	free(vm);
}

static struct ktstr_error *socket_pair(int *ours, int *theirs)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return ktstr_error_sys(errno, "cannot create a socket pair");
	*ours = ends[0];
	*theirs = ends[1];
	return NULL;
}

static struct ktstr_error *map_mailbox(struct ktstr_vm *vm)
{
	void *map = mmap(NULL, KTSTR_MAILBOX_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			 vm->files.mailbox, 0);

	if (map == MAP_FAILED)
		return ktstr_error_sys(errno, "cannot map the mailbox");
	vm->mailbox = map;
	vm->mailbox->magic = KTSTR_MAILBOX_MAGIC;
	vm->mailbox->transport = vm->deterministic ? KTSTR_TRANSPORT_LOG : KTSTR_TRANSPORT_PORT;
	vm->mailbox->freeze.available = vm->deterministic;
	return NULL;
}

static struct ktstr_error *open_files(struct ktstr_vm *vm, const struct ktstr_vm_config *config,
				      const char *ram_path, bool observed)
{
	uint64_t memory_mib = ktstr_machine_memory_mib(config->topology, config->memory_mib);

	vm->ram_path = ram_path ? ktstr_xstrdup(ram_path) : NULL;
	vm->ram_bytes = memory_mib << 20;
	if (!ram_path)
		KTSTR_TRY(ktstr_memfd("ktstr-ram", memory_mib << 20, &vm->files.ram));
	KTSTR_TRY(ktstr_memfd("ktstr-mailbox", KTSTR_MAILBOX_BYTES, &vm->files.mailbox));
	KTSTR_TRY(ktstr_memfd("ktstr-console", 0, &vm->files.console));
	KTSTR_TRY(ktstr_memfd("ktstr-qemu-output", 0, &vm->files.qemu_output));
	KTSTR_TRY(socket_pair(&vm->frames_fd, &vm->files.frames));
	KTSTR_TRY(socket_pair(&vm->qmp_fd, &vm->files.qmp));
	if (vm->deterministic)
		KTSTR_TRY(ktstr_freezer_create(&vm->freezer, &vm->files.bell));
	if (observed)
		KTSTR_TRY(socket_pair(&vm->gdb_fd, &vm->files.gdb));
	if (config->interactive_console)
		KTSTR_TRY(socket_pair(&vm->terminal_fd, &vm->files.terminal));
	KTSTR_TRY(map_mailbox(vm));
	/* What is restored has booted. */
	return vm->restored ? NULL : ktstr_initramfs_build(config->base, config->kernel, &vm->files.initramfs);
}

static struct ktstr_error *spawn_qemu(struct ktstr_vm *vm, const struct ktstr_vm_config *config,
				      struct ktstr_vm_names *names)
{
	_cleanup_strv_ struct ktstr_strv argv = { 0 };
	int keep[sizeof(vm->files) / sizeof(int) + KTSTR_FREEZE_PORTS];
	struct ktstr_child_spec spec = { .stdin_fd = -1,
					 .stdout_fd = vm->files.qemu_output,
					 .stderr_fd = vm->files.qemu_output,
					 .keep_fds = keep,
					 .own_session = true };

	for (size_t i = 0; i < sizeof(vm->files) / sizeof(int); i++)
		if (((int *)&vm->files)[i] >= 0)
			keep[spec.keep_fds_count++] = ((int *)&vm->files)[i];
	for (size_t i = 0; vm->deterministic && i < KTSTR_FREEZE_PORTS; i++)
		names->gates[i] = keep[spec.keep_fds_count++] = ktstr_freezer_gate(vm->freezer, i);
	names->bell = vm->files.bell;
	names->mailbox = vm->files.mailbox;
	names->initramfs = vm->files.initramfs;
	names->console = vm->files.console;
	names->frames = vm->files.frames;
	names->qmp = vm->files.qmp;
	names->terminal = vm->files.terminal;
	names->gdb = vm->files.gdb;
	KTSTR_TRY(ktstr_vm_argv(config, names, &argv));
	spec.argv = (const char *const *)argv.items;
	KTSTR_TRY(ktstr_child_spawn(&spec, &vm->qemu));
	/* Only QEMU holds its ends now: when it dies, ours see the end of the stream. */
	close_fd(&vm->files.frames);
	close_fd(&vm->files.qmp);
	close_fd(&vm->files.terminal);
	close_fd(&vm->files.gdb);
	close_fd(&vm->files.bell);
	return NULL;
}

static char *read_memory_file(int fd, size_t *length)
{
	struct stat st;
	size_t size = !fstat(fd, &st) ? (size_t)st.st_size : 0;
	char *text;
	ssize_t got;

	if (size > CONSOLE_MAX_BYTES)
		size = CONSOLE_MAX_BYTES;
	text = ktstr_xmalloc(size + 1);
	got = pread(fd, text, size, 0);
	*length = got > 0 ? (size_t)got : 0;
	text[*length] = '\0';
	return text;
}

char *ktstr_vm_console(const struct ktstr_vm *vm, size_t *length)
{
	return read_memory_file(vm->files.console, length);
}

char *ktstr_vm_qemu_output(const struct ktstr_vm *vm)
{
	size_t length;

	return read_memory_file(vm->files.qemu_output, &length);
}

char *ktstr_vm_describe_end(const struct ktstr_vm *vm)
{
	_cleanup_free_ char *how = ktstr_describe_wait_status(vm->qemu_status);

	if (WIFEXITED(vm->qemu_status) && !WEXITSTATUS(vm->qemu_status))
		return ktstr_xstrdup("the guest powered off");
	/* A page of a file in shared memory that the file system has no room for. */
	if (WIFSIGNALED(vm->qemu_status) && WTERMSIG(vm->qemu_status) == SIGBUS)
		return ktstr_xasprintf("QEMU ended with %s, as there was no memory left for the guest's RAM (%s)", how,
				       vm->restored ? "the template store is full: see KTSTR_TEMPLATE_DIR" :
						      "the host is out of memory");
	return ktstr_xasprintf("QEMU ended with %s", how);
}

static bool console_flooded(const struct ktstr_vm *vm)
{
	struct stat st;

	return !fstat(vm->files.console, &st) && st.st_size > CONSOLE_MAX_BYTES;
}

/* Notices QEMU's end once. */
static bool qemu_ended(struct ktstr_vm *vm)
{
	if (!vm->qemu_ended) {
		_cleanup_error_ struct ktstr_error *running =
			ktstr_child_wait(&vm->qemu, 0, &vm->qemu_status);

		vm->qemu_ended = !running;
	}
	return vm->qemu_ended;
}

/* Why there is no ready agent: the most telling of what console and QEMU say. */
static struct ktstr_error *explain_failed_boot(struct ktstr_vm *vm, uint64_t waited_ns)
{
	size_t length;
	_cleanup_free_ char *console = ktstr_vm_console(vm, &length);
	_cleanup_free_ char *panic = ktstr_console_panic_text(console, length, PANIC_LINES);
	_cleanup_free_ char *tail = ktstr_console_tail(console, length, TAIL_LINES);
	_cleanup_free_ char *qemu = ktstr_vm_qemu_output(vm);
	char waited[32];

	if (panic)
		return ktstr_error_new(KTSTR_ERR_GUEST, "kernel panic during boot:\n%s", panic);
	if (vm->qemu_ended && !length) {
		_cleanup_free_ char *how = ktstr_describe_wait_status(vm->qemu_status);

		return ktstr_error_new(KTSTR_ERR_GUEST, "QEMU ended with %s before the kernel printed anything: %s",
				       how, *qemu ? qemu : "it said nothing");
	}
	if (vm->qemu_ended)
		return ktstr_error_new(KTSTR_ERR_GUEST,
				       "the guest powered off before its agent was ready; its last words:\n%s%s",
				       tail, qemu);
	ktstr_format_duration(waited_ns, waited);
	if (!length)
		return ktstr_error_new(KTSTR_ERR_TIMEOUT,
				       "no kernel output within %s: is the image bootable on this machine type?",
				       waited);
	return ktstr_error_new(KTSTR_ERR_TIMEOUT,
			       "the agent was not ready within %s; the console's last lines:\n%s", waited, tail);
}

/* 60 s, and a second per CPU beyond four: under emulation every vCPU that comes up costs. */
static uint64_t default_boot_timeout(const struct ktstr_vm_config *config)
{
	unsigned int cpus = ktstr_topology_total_cpus(config->topology);
	uint64_t base = KTSTR_SEC(60 + (cpus > 4 ? cpus - 4 : 0));

	/* One host thread emulates all CPUs, and counts instructions. */
	return config->deterministic ? 3 * base : base;
}

bool ktstr_vm_agent_reached(const struct ktstr_vm *vm, uint32_t stage)
{
	/* That of a deterministic guest counts when its freeze has been served. */
	return (vm->deterministic ? vm->announced_stage :
				    __atomic_load_n(&vm->mailbox->agent_stage, __ATOMIC_ACQUIRE)) >= stage;
}

/* The agent announces a stage: where it is to be saved QEMU finds our command as soon as the guest goes on. */
static void serve_stage(struct ktstr_vm *vm)
{
	uint32_t before = vm->announced_stage;

	vm->announced_stage = __atomic_load_n(&vm->mailbox->agent_stage, __ATOMIC_ACQUIRE);
	if (vm->save_stage && before < vm->save_stage && ktstr_vm_agent_reached(vm, vm->save_stage))
		vm->stop_failure = ktstr_qmp_send(vm->qmp, "stop", ktstr_now_ns() + RESTORE_TIMEOUT);
}

static void serve_freeze(struct ktstr_vm *vm, uint8_t reason)
{
	struct ktstr_mailbox *mailbox = vm->mailbox;
	uint32_t length = mailbox->freeze.request_length;
	_cleanup_free_ char *request = NULL;
	struct ktstr_vm_freeze freeze = { .reason = reason,
					  .reply = (char *)mailbox + KTSTR_MAILBOX_REPLY_OFFSET,
					  .reply_capacity = KTSTR_MAILBOX_REPLY_BYTES };

	if (vm->on_freeze) {
		freeze.request_length = length < KTSTR_MAILBOX_REQUEST_BYTES ? length : KTSTR_MAILBOX_REQUEST_BYTES;
		freeze.request = request = ktstr_xmalloc(freeze.request_length + 1);
		memcpy(request, (char *)mailbox + KTSTR_MAILBOX_REQUEST_OFFSET, freeze.request_length);
		vm->on_freeze(vm->freeze_context, vm, &freeze);
	}
	mailbox->freeze.reply_length = (uint32_t)freeze.reply_length;
}

/* Waits for a deterministic guest to freeze itself, and lets it go on when that has been dealt with. */
static void wait_for_freeze(struct ktstr_vm *vm, uint64_t limit_ns)
{
	struct timespec limit = { .tv_nsec = (long)limit_ns };
	struct pollfd bell = { .fd = ktstr_freezer_fd(vm->freezer), .events = POLLIN };
	uint8_t reason;

	/* Without a QEMU at the other end there is nothing to wait for, and poll() would not. */
	if (ppoll(&bell, 1, &limit, NULL) > 0 && !(bell.revents & POLLIN))
		ktstr_sleep_ns(limit_ns);
	if (!ktstr_freezer_is_frozen(vm->freezer, &reason))
		return;
	if (reason == KTSTR_FREEZE_STAGE)
		serve_stage(vm);
	else
		serve_freeze(vm, reason);
	ktstr_freezer_release(vm->freezer);
}

void ktstr_vm_on_freeze(struct ktstr_vm *vm, ktstr_vm_freeze_fn fn, void *context)
{
	vm->on_freeze = fn;
	vm->freeze_context = context;
}

/* Without a sound of the guest. */
static void wait_a_little(struct ktstr_vm *vm)
{
	if (vm->deterministic)
		wait_for_freeze(vm, POLL_NS);
	else
		ktstr_sleep_ns(POLL_NS);
}

static struct ktstr_error *wait_until_ready(struct ktstr_vm *vm, const struct ktstr_vm_config *config)
{
	uint64_t began = ktstr_now_ns();
	uint64_t limit = config->boot_timeout_ns ? config->boot_timeout_ns : default_boot_timeout(config);

	while (!ktstr_vm_agent_reached(vm, KTSTR_AGENT_READY)) {
		if (qemu_ended(vm) || ktstr_now_ns() - began > limit || console_flooded(vm))
			return explain_failed_boot(vm, limit);
		wait_a_little(vm);
	}
	return NULL;
}

static struct ktstr_vm *vm_new(const struct ktstr_vm_config *config)
{
	struct ktstr_vm *vm = ktstr_xcalloc(1, sizeof(*vm));

	vm->files = (struct vm_files){ -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 };
	vm->frames_fd = vm->qmp_fd = vm->terminal_fd = vm->gdb_fd = vm->kept_fd = vm->qemu.pidfd = -1;
	vm->deterministic = config->deterministic;
	return vm;
}

static struct ktstr_error *open_qmp(struct ktstr_vm *vm)
{
	if (vm->qmp)
		return NULL;
	KTSTR_TRY(ktstr_qmp_open(ktstr_take_fd(&vm->qmp_fd), ktstr_now_ns() + RESTORE_TIMEOUT, &vm->qmp));
	vm->answered_ns = ktstr_now_ns();
	return NULL;
}

struct ktstr_error *ktstr_vm_boot(const struct ktstr_vm_config *config, const char *ram_path,
				  const struct ktstr_vm_job *job, struct ktstr_vm **out)
{
	struct ktstr_vm *vm = *out = vm_new(config);
	_cleanup_free_ char *anonymous = NULL;
	bool to_be_stopped = config->deterministic && ram_path && !job;
	struct ktstr_vm_names names = { .ram_share = true, .paused = to_be_stopped };

	KTSTR_TRY(open_files(vm, config, ram_path, config->observe && job));
	anonymous = ktstr_xasprintf("/proc/self/fd/%d", vm->files.ram);
	names.ram_path = ram_path ? ram_path : anonymous;
	/* Before the CPUs run: nothing reaches a running guest from outside (see determinism.h). */
	if (job)
		KTSTR_TRY(ktstr_vm_submit(vm, job));
	KTSTR_TRY(spawn_qemu(vm, config, &names));
	if (!to_be_stopped)
		return wait_until_ready(vm, config);
	vm->save_stage = KTSTR_AGENT_READY;
	KTSTR_TRY(open_qmp(vm));
	KTSTR_TRY(ktstr_determinism_resume(vm->qmp, ktstr_now_ns() + RESTORE_TIMEOUT));
	return wait_until_ready(vm, config);
}

/* QEMU's own words, when it has ended or is about to. */
static struct ktstr_error *explain_failed_restore(struct ktstr_vm *vm, struct ktstr_error *error)
{
	uint64_t deadline = ktstr_now_ns() + KTSTR_MS(500);
	_cleanup_free_ char *qemu = NULL;

	while (!qemu_ended(vm) && ktstr_now_ns() < deadline)
		ktstr_sleep_ns(POLL_NS);
	qemu = ktstr_vm_qemu_output(vm);
	return ktstr_error_wrap(error, "cannot restore the template%s%s%s", *qemu ? " (QEMU: " : "", qemu,
				*qemu ? ")" : "");
}

struct ktstr_error *ktstr_vm_restore(const struct ktstr_vm_config *config, const char *ram_path,
				     const char *state_path, bool private_ram,
				     const struct ktstr_vm_job *job, struct ktstr_vm **out)
{
	struct ktstr_vm *vm = *out = vm_new(config);
	struct ktstr_vm_names names = { .ram_path = ram_path,
					.ram_share = !private_ram,
					.incoming = true,
					.paused = true };
	struct ktstr_error *error;

	vm->restored = true;
	vm->save_stage = config->deterministic && !private_ram ? KTSTR_AGENT_ATTACHED : 0;
	KTSTR_TRY(open_files(vm, config, ram_path, config->observe && job && private_ram));
	if (job)
		KTSTR_TRY(ktstr_vm_submit(vm, job));
	KTSTR_TRY(spawn_qemu(vm, config, &names));
	error = open_qmp(vm);
	if (!error)
		error = ktstr_migrate_load(vm->qmp, state_path, ktstr_now_ns() + RESTORE_TIMEOUT);
	if (!error)
		error = ktstr_determinism_resume(vm->qmp, ktstr_now_ns() + RESTORE_TIMEOUT);
	return error ? explain_failed_restore(vm, error) : NULL;
}

struct ktstr_error *ktstr_vm_save(struct ktstr_vm *vm, const char *state_path)
{
	KTSTR_TRY(open_qmp(vm));
	if (vm->save_stage) {
		uint32_t looked;

		KTSTR_TRY(ktstr_take(vm->stop_failure));
		KTSTR_TRY_WRAP(ktstr_qmp_await(vm->qmp, ktstr_now_ns() + RESTORE_TIMEOUT), "stop");
		looked = __atomic_load_n(&vm->mailbox->looked_stage, __ATOMIC_ACQUIRE);
		if (looked >= vm->save_stage)
			return ktstr_error_new(KTSTR_ERR_BUSY, "QEMU stopped the guest too late");
	}
	return ktstr_migrate_save(vm->qmp, state_path, ktstr_now_ns() + RESTORE_TIMEOUT);
}

/* A restored guest lives in the past of its template: it gets the time and fresh entropy. */
static struct ktstr_error *fill_outside_world(const struct ktstr_vm *vm, struct ktstr_mailbox *mailbox)
{
	struct timespec now;

	if (vm->deterministic) {
		mailbox->realtime_ns = 0;
		ktstr_determinism_entropy(mailbox->seed, mailbox->entropy, sizeof(mailbox->entropy));
		return NULL;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	mailbox->realtime_ns =
		vm->restored ? (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec : 0;
	if (getrandom(mailbox->entropy, sizeof(mailbox->entropy), 0) < 0)
		return ktstr_error_sys(errno, "cannot draw random numbers for the guest");
	return NULL;
}

struct ktstr_error *ktstr_vm_submit(struct ktstr_vm *vm, const struct ktstr_vm_job *job)
{
	struct ktstr_mailbox *mailbox = vm->mailbox;

	if (job->archive_length > KTSTR_MAILBOX_JOB_BYTES)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "the test with its libraries takes %zu MiB; the mailbox holds %llu MiB",
				       job->archive_length >> 20, KTSTR_MAILBOX_JOB_BYTES >> 20);
	memcpy((char *)mailbox + KTSTR_MAILBOX_JOB_OFFSET, job->archive, job->archive_length);
	mailbox->job_length = job->archive_length;
	mailbox->seed = job->seed;
	KTSTR_TRY(fill_outside_world(vm, mailbox));
	__atomic_store_n(&mailbox->go, job->stage, __ATOMIC_RELEASE);
	return NULL;
}

/* One read from the port; false at its end. */
static bool read_port(struct ktstr_vm *vm)
{
	char chunk[65536];
	ssize_t got = recv(vm->frames_fd, chunk, sizeof(chunk), MSG_DONTWAIT);

	if (got > 0)
		ktstr_frame_decoder_feed(&vm->decoder, chunk, (size_t)got);
	return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

/* Decodes what the guest has added to the mailbox log; false when there was nothing new. */
static bool read_log(struct ktstr_vm *vm)
{
	uint64_t length = __atomic_load_n(&vm->mailbox->log_length, __ATOMIC_ACQUIRE);
	const char *log = (const char *)vm->mailbox + KTSTR_MAILBOX_LOG_OFFSET;
	uint64_t fresh;

	if (length > KTSTR_MAILBOX_LOG_BYTES || length <= vm->log_read)
		return false;
	fresh = length - vm->log_read;
	if (fresh > KTSTR_FRAME_MAX_PAYLOAD)
		fresh = KTSTR_FRAME_MAX_PAYLOAD;
	ktstr_frame_decoder_feed(&vm->decoder, log + vm->log_read, fresh);
	vm->log_read += fresh;
	return true;
}

/* Waits for bytes of either transport; false when QEMU is gone and there are none left. */
static bool wait_for_bytes(struct ktstr_vm *vm, int limit_ms)
{
	struct pollfd port = { .fd = vm->frames_fd, .events = POLLIN };

	if (vm->deterministic) {
		if (read_log(vm))
			return true;
		if (qemu_ended(vm))
			return read_log(vm);
		wait_a_little(vm);
		return true;
	}
	/* A guest that ended has its last frames still in the socket: read to the end first. */
	if (poll(&port, 1, limit_ms > 100 ? 100 : limit_ms) <= 0 || read_port(vm))
		return true;
	if (qemu_ended(vm))
		return false;
	ktstr_sleep_ns(POLL_NS);
	return true;
}

enum ktstr_vm_wait ktstr_vm_next_frame(struct ktstr_vm *vm, uint64_t deadline_ns,
				       struct ktstr_frame *frame)
{
	for (;;) {
		int left_ms = ktstr_ms_until(deadline_ns);

		if (ktstr_frame_decoder_next(&vm->earlier, frame) || ktstr_frame_decoder_next(&vm->decoder, frame))
			return KTSTR_VM_FRAME;
		if (!left_ms || console_flooded(vm))
			return KTSTR_VM_DEADLINE;
		if (!wait_for_bytes(vm, left_ms))
			return KTSTR_VM_ENDED;
	}
}

struct ktstr_error *ktstr_vm_send_frame(struct ktstr_vm *vm, uint32_t type, const void *payload, size_t length)
{
	_cleanup_str_ struct ktstr_str bytes = { 0 };
	uint64_t deadline = ktstr_now_ns() + SEND_TIMEOUT;
	struct pollfd port = { .fd = vm->frames_fd, .events = POLLOUT };
	size_t sent = 0;

	if (vm->deterministic)
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED, "nothing may be sent to a running deterministic guest");
	ktstr_frame_encode(&bytes, type, payload, length);
	while (sent < bytes.length) {
		ssize_t done = send(vm->frames_fd, bytes.data + sent, bytes.length - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (done > 0)
			sent += (size_t)done;
		else if (done < 0 && errno != EAGAIN && errno != EINTR)
			return ktstr_error_sys(errno, "cannot send to the guest");
		else if (!ktstr_ms_until(deadline))
			return ktstr_error_new(KTSTR_ERR_TIMEOUT, "the guest's agent does not read what is sent to it");
		else
			poll(&port, 1, ktstr_ms_until(deadline));
	}
	return NULL;
}

uint64_t ktstr_vm_answered_ns(const struct ktstr_vm *vm)
{
	return vm->answered_ns;
}

void ktstr_vm_keep_fd(struct ktstr_vm *vm, int fd)
{
	close_fd(&vm->kept_fd);
	vm->kept_fd = fd;
}

void ktstr_vm_replay_frames(struct ktstr_vm *vm, const void *bytes, size_t length)
{
	ktstr_frame_decoder_feed(&vm->earlier, bytes, length);
}

int ktstr_vm_terminal_fd(const struct ktstr_vm *vm)
{
	return vm->terminal_fd;
}

uint64_t ktstr_vm_corrupt_frames(const struct ktstr_vm *vm)
{
	return vm->decoder.corrupt_frames + vm->decoder.resyncs;
}

int ktstr_vm_pid(const struct ktstr_vm *vm)
{
	return vm->qemu.pid;
}

int ktstr_vm_take_gdb_fd(struct ktstr_vm *vm)
{
	return ktstr_take_fd(&vm->gdb_fd);
}

struct ktstr_error *ktstr_vm_open_ram(const struct ktstr_vm *vm, int *fd, uint64_t *bytes)
{
	*bytes = vm->ram_bytes;
	*fd = vm->ram_path ? open(vm->ram_path, O_RDWR | O_CLOEXEC) : fcntl(vm->files.ram, F_DUPFD_CLOEXEC, 3);
	return *fd < 0 ? ktstr_error_sys(errno, "cannot open the guest's RAM file") : NULL;
}

uint64_t ktstr_vm_vmcoreinfo(const struct ktstr_vm *vm)
{
	return __atomic_load_n(&vm->mailbox->vmcoreinfo, __ATOMIC_RELAXED);
}

static int thread_of(const json_t *cpu)
{
	return (int)json_integer_value(json_object_get(cpu, "thread-id"));
}

struct ktstr_error *ktstr_vm_vcpu_threads(struct ktstr_vm *vm, int *tids, size_t cap, size_t *count)
{
	json_t *cpus;

	*count = 0;
	if (vm->deterministic)
		return NULL; /* one thread, and no command may reach a running guest */
	KTSTR_TRY(open_qmp(vm));
	KTSTR_TRY(ktstr_qmp_execute(vm->qmp, "query-cpus-fast", NULL, ktstr_now_ns() + QMP_TIMEOUT, &cpus));
	for (size_t i = 0; i < json_array_size(cpus) && i < cap; i++) {
		bool shared = i && thread_of(json_array_get(cpus, i)) == thread_of(json_array_get(cpus, 0));

		tids[i] = shared ? 0 : thread_of(json_array_get(cpus, i));
		if (shared)
			tids[0] = 0;
		*count = i + 1;
	}
	json_decref(cpus);
	return NULL;
}
