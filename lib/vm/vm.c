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
#include "disk/image.h"
#include "ktstr/units.h"
#include "vm/argv.h"
#include "vm/coherence.h"
#include "vm/determinism.h"
#include "vm/direct_boot.h"
#include "vm/freezer.h"
#include "vm/lockstep.h"
#include "vm/migrate.h"
#include "vm/preload.h"
#include "vm/vm_private.h"

#define SEND_TIMEOUT	KTSTR_SEC(10)

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_networks(struct ktstr_vm *vm)
{
	for (size_t i = 0; i < KTSTR_NETWORKS_MAX; i++)
		close_fd(&vm->networks[i]);
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
	close_networks(vm);
	ktstr_echo_destroy(vm->echo);
	for (size_t i = 0; i < KTSTR_FREEZERS; i++)
		ktstr_freezer_destroy(vm->freezers[i]);
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

static struct ktstr_error *prepare_boot(struct ktstr_vm *vm, const struct ktstr_vm_config *config)
{
	_cleanup_close_ int ram = -1;
	uint64_t ram_bytes;
	struct stat initramfs;

	KTSTR_TRY(ktstr_initramfs_build(config, &vm->files.initramfs));
	if (fstat(vm->files.initramfs, &initramfs))
		return ktstr_error_sys(errno, "cannot measure the initramfs");
	KTSTR_TRY(ktstr_vm_open_ram(vm, &ram, &ram_bytes));
	return ktstr_direct_boot(config, ram, (uint64_t)initramfs.st_size, &vm->files.kernel);
}

/* for_template: nothing looks at the disk before the VM is a clone, which gets another one. */
static struct ktstr_error *open_files(struct ktstr_vm *vm, const struct ktstr_vm_config *config,
				      const char *ram_path, bool for_template, bool observed)
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
	for (size_t i = 0; vm->deterministic && i < KTSTR_FREEZERS; i++)
		KTSTR_TRY(ktstr_freezer_create(&vm->freezers[i], &vm->files.bells[i]));
	if (config->networks.count)
		KTSTR_TRY(ktstr_echo_create(config->networks.count, vm->networks, &vm->echo));
	if (observed)
		KTSTR_TRY(socket_pair(&vm->gdb_fd, &vm->files.gdb));
	if (config->interactive_console)
		KTSTR_TRY(socket_pair(&vm->terminal_fd, &vm->files.terminal));
	if (config->disk)
		KTSTR_TRY_WRAP(ktstr_disk_image_open(config->disk, for_template, &vm->files.disk), "disk");
	KTSTR_TRY(map_mailbox(vm));
	/* What is restored has booted. */
	return vm->restored ? NULL : prepare_boot(vm, config);
}

/* Known to be needed, and to fit, in these versions: see coherence.c. */
static bool needs_coherence(const struct ktstr_vm_config *config)
{
	return config->accel->accel == KTSTR_ACCEL_TCG && config->accel->multi_threaded &&
	       ktstr_topology_total_cpus(config->topology) > 1 && (config->qemu->major == 10 || config->qemu->major == 11);
}

/* What is loaded into QEMU; NULL = nothing. */
static const char *library_of(const struct ktstr_vm_config *config)
{
	if (config->deterministic)
		return config->lockstep_path;
	return needs_coherence(config) ? config->coherence_path : NULL;
}

/*
 * debugged: a debugger's words must be heard while CPUs run, so the main loop waits for them for a millisecond at most,
 * and repeats are no longer certain.
 */
static void set_environment(const struct ktstr_vm_config *config, bool debugged, struct ktstr_strv *environment)
{
	ktstr_preload_environment(library_of(config), environment);
	if (config->deterministic && debugged)
		ktstr_strv_add(environment, KTSTR_LOCKSTEP_IMPATIENT "=1");
	if (!config->deterministic && (config->qemu->major > 10 || config->qemu->minor > 0))
		ktstr_strv_add(environment, KTSTR_COHERENCE_FORM "=" KTSTR_COHERENCE_BY_CPU);
}

static struct ktstr_error *spawn_qemu(struct ktstr_vm *vm, const struct ktstr_vm_config *config,
				      struct ktstr_vm_names *names)
{
	_cleanup_strv_ struct ktstr_strv argv = { 0 };
	int keep[sizeof(vm->files) / sizeof(int) + KTSTR_FREEZERS * KTSTR_FREEZE_PORTS + KTSTR_NETWORKS_MAX];
	_cleanup_strv_ struct ktstr_strv environment = { 0 };
	struct ktstr_child_spec spec = { .stdin_fd = -1,
					 .stdout_fd = vm->files.qemu_output,
					 .stderr_fd = vm->files.qemu_output,
					 .keep_fds = keep,
					 .own_session = true };

	for (size_t i = 0; i < sizeof(vm->files) / sizeof(int); i++)
		if (((int *)&vm->files)[i] >= 0)
			keep[spec.keep_fds_count++] = ((int *)&vm->files)[i];
	for (size_t i = 0; vm->deterministic && i < KTSTR_FREEZERS; i++) {
		names->bells[i] = vm->files.bells[i];
		for (unsigned int gate = 0; gate < KTSTR_FREEZE_PORTS; gate++)
			names->gates[i][gate] = keep[spec.keep_fds_count++] =
				ktstr_freezer_gate(vm->freezers[i], gate);
	}
	for (size_t i = 0; i < config->networks.count; i++)
		names->networks[i] = keep[spec.keep_fds_count++] = vm->networks[i];
	names->mailbox = vm->files.mailbox;
	names->initramfs = vm->files.initramfs;
	names->kernel = vm->files.kernel > 0 ? vm->files.kernel : 0;
	names->console = vm->files.console;
	names->frames = vm->files.frames;
	names->qmp = vm->files.qmp;
	names->terminal = vm->files.terminal;
	names->gdb = vm->files.gdb;
	names->disk = vm->files.disk;
	KTSTR_TRY(ktstr_vm_argv(config, names, &argv));
	spec.argv = (const char *const *)argv.items;
	if (library_of(config)) {
		set_environment(config, names->debug_socket, &environment);
		spec.env = (const char *const *)environment.items;
	}
	KTSTR_TRY(ktstr_child_spawn(&spec, &vm->qemu));
	/* Only QEMU holds its ends now: when it dies, ours see the end of the stream. */
	close_fd(&vm->files.frames);
	close_fd(&vm->files.qmp);
	close_fd(&vm->files.terminal);
	close_fd(&vm->files.gdb);
	for (size_t i = 0; i < KTSTR_FREEZERS; i++)
		close_fd(&vm->files.bells[i]);
	close_networks(vm);
	return NULL;
}

bool ktstr_vm_qemu_ended(struct ktstr_vm *vm)
{
	if (!vm->qemu_ended) {
		_cleanup_error_ struct ktstr_error *running =
			ktstr_child_wait(&vm->qemu, 0, &vm->qemu_status);

		vm->qemu_ended = !running;
	}
	return vm->qemu_ended;
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

static struct ktstr_error *wait_until_ready(struct ktstr_vm *vm, const struct ktstr_vm_config *config)
{
	uint64_t began = ktstr_now_ns();
	uint64_t limit = config->boot_timeout_ns ? config->boot_timeout_ns : default_boot_timeout(config);

	while (!ktstr_vm_agent_reached(vm, KTSTR_AGENT_READY)) {
		if (ktstr_vm_qemu_ended(vm) || ktstr_now_ns() - began > limit || ktstr_vm_console_flooded(vm))
			return ktstr_vm_explain_failed_boot(vm, limit);
		ktstr_vm_wait_a_little(vm);
	}
	return NULL;
}

static struct ktstr_vm *vm_new(const struct ktstr_vm_config *config)
{
	struct ktstr_vm *vm = ktstr_xcalloc(1, sizeof(*vm));

	memset(&vm->files, -1, sizeof(vm->files));
	vm->frames_fd = vm->qmp_fd = vm->terminal_fd = vm->gdb_fd = vm->kept_fd = vm->qemu.pidfd = -1;
	for (size_t i = 0; i < KTSTR_NETWORKS_MAX; i++)
		vm->networks[i] = -1;
	vm->deterministic = config->deterministic;
	return vm;
}

struct ktstr_error *ktstr_vm_open_qmp(struct ktstr_vm *vm)
{
	if (vm->qmp)
		return NULL;
	KTSTR_TRY(ktstr_qmp_open(ktstr_take_fd(&vm->qmp_fd), ktstr_now_ns() + KTSTR_VM_QEMU_LIMIT, &vm->qmp));
	vm->answered_ns = ktstr_now_ns();
	return NULL;
}

/* What could not be done, with QEMU's own words when it has ended or is about to. */
static struct ktstr_error *explain_silent_qemu(struct ktstr_vm *vm, struct ktstr_error *error, const char *what)
{
	uint64_t deadline = ktstr_now_ns() + KTSTR_MS(500);
	_cleanup_free_ char *qemu = NULL;

	while (!ktstr_vm_qemu_ended(vm) && ktstr_now_ns() < deadline)
		ktstr_sleep_ns(KTSTR_VM_POLL);
	qemu = ktstr_vm_qemu_output(vm);
	return ktstr_error_wrap(error, "%s%s%s%s", what, *qemu ? " (QEMU: " : "", qemu,
				*qemu ? ")" : "");
}

/*
 * Has QEMU tell coherence.c what it has to know. A QEMU that has not loaded it, or has no such event, runs guests all the
 * same, but for a rare crash of theirs.
 */
static void tell_of_stores(struct ktstr_vm *vm, const char *library)
{
	if (library && ktstr_preload_worked(vm->qemu.pid, library))
		ktstr_error_free(ktstr_qmp_execute(vm->qmp, "trace-event-set-state",
						   json_pack("{ss sb}", "name", KTSTR_COHERENCE_EVENT, "enable", true),
						   ktstr_now_ns() + KTSTR_VM_QEMU_LIMIT, NULL));
}

/* They stand still until then. */
static struct ktstr_error *start_cpus(struct ktstr_vm *vm, const struct ktstr_vm_config *config)
{
	KTSTR_TRY(ktstr_vm_open_qmp(vm));
	if (vm->deterministic)
		KTSTR_TRY(ktstr_determinism_check(vm->qemu.pid, config->lockstep_path));
	else
		tell_of_stores(vm, library_of(config));
	return ktstr_determinism_resume(vm->qmp, vm->deterministic, ktstr_now_ns() + KTSTR_VM_QEMU_LIMIT);
}

struct ktstr_error *ktstr_vm_boot(const struct ktstr_vm_config *config, const char *ram_path,
				  const struct ktstr_vm_job *job, struct ktstr_vm **out)
{
	struct ktstr_vm *vm = *out = vm_new(config);
	_cleanup_free_ char *anonymous = NULL;
	struct ktstr_vm_names names = { .ram_share = true, .for_template = ram_path != NULL };
	struct ktstr_error *error;

	KTSTR_TRY(open_files(vm, config, ram_path, names.for_template, config->observe && job));
	anonymous = ktstr_xasprintf("/proc/self/fd/%d", vm->files.ram);
	names.ram_path = ram_path ? ram_path : anonymous;
	/* Before the CPUs run: nothing reaches a running guest from outside (see determinism.h). */
	if (job)
		KTSTR_TRY(ktstr_vm_submit(vm, job));
	KTSTR_TRY(spawn_qemu(vm, config, &names));
	vm->save_stage = config->deterministic && ram_path && !job ? KTSTR_AGENT_READY : 0;
	error = start_cpus(vm, config);
	return error ? explain_silent_qemu(vm, error, "cannot start the CPUs") : wait_until_ready(vm, config);
}

struct ktstr_error *ktstr_vm_restore(const struct ktstr_vm_config *config, const char *ram_path,
				     const char *state_path, bool private_ram,
				     const struct ktstr_vm_job *job, struct ktstr_vm **out)
{
	struct ktstr_vm *vm = *out = vm_new(config);
	struct ktstr_vm_names names = { .ram_path = ram_path,
					.ram_share = !private_ram,
					.for_template = !private_ram,
					.debug_socket = private_ram ? config->debug_socket : NULL,
					.incoming = true };
	struct ktstr_error *error;

	vm->restored = true;
	vm->save_stage = config->deterministic && !private_ram && job ? job->holds_at : 0;
	KTSTR_TRY(open_files(vm, config, ram_path, names.for_template, config->observe && job && private_ram));
	if (job)
		KTSTR_TRY(ktstr_vm_submit(vm, job));
	KTSTR_TRY(spawn_qemu(vm, config, &names));
	error = ktstr_vm_open_qmp(vm);
	if (!error)
		error = ktstr_migrate_load(vm->qmp, state_path, ktstr_now_ns() + KTSTR_VM_QEMU_LIMIT);
	if (!error && !names.debug_socket)
		error = start_cpus(vm, config);
	return error ? explain_silent_qemu(vm, error, "cannot restore the template") : NULL;
}

struct ktstr_error *ktstr_vm_save(struct ktstr_vm *vm, const char *state_path)
{
	KTSTR_TRY(ktstr_vm_open_qmp(vm));
	if (vm->save_stage) {
		uint32_t looked;

		KTSTR_TRY(ktstr_take(vm->stop_failure));
		KTSTR_TRY_WRAP(ktstr_qmp_await(vm->qmp, ktstr_now_ns() + KTSTR_VM_QEMU_LIMIT), "stop");
		looked = __atomic_load_n(&vm->mailbox->looked_stage, __ATOMIC_ACQUIRE);
		if (looked >= vm->save_stage)
			return ktstr_error_new(KTSTR_ERR_BUSY, "QEMU stopped the guest too late");
	}
	return ktstr_migrate_save(vm->qmp, state_path, ktstr_now_ns() + KTSTR_VM_QEMU_LIMIT);
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

int ktstr_vm_terminal_fd(const struct ktstr_vm *vm)
{
	return vm->terminal_fd;
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

struct ktstr_virtio_net_counters_snapshot ktstr_vm_net_counters(const struct ktstr_vm *vm, size_t index)
{
	/* It did not come that far. */
	if (!vm->echo)
		return (struct ktstr_virtio_net_counters_snapshot){ 0 };
	return ktstr_echo_counters(vm->echo, index);
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
	KTSTR_TRY(ktstr_vm_open_qmp(vm));
	KTSTR_TRY(ktstr_qmp_execute(vm->qmp, "query-cpus-fast", NULL, ktstr_now_ns() + KTSTR_VM_QUERY_LIMIT, &cpus));
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
