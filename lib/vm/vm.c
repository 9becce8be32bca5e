// SPDX-License-Identifier: GPL-2.0-only
/* A virtual machine's life; see vm.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <zlib.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "ktstr/units.h"
#include "vm/console.h"
#include "vm/initramfs.h"
#include "vm/qmp.h"
#include "vm/vm.h"
#include "wire/mailbox.h"

enum {
	READY_POLL_NS = 2 * 1000 * 1000,
	CONSOLE_MAX_BYTES = 64 << 20, /* a guest that prints more has gone mad: no longer read */
	PANIC_LINES = 24,
	TAIL_LINES = 12,
};

/* Descriptors that QEMU inherits; ours stays open here where we need it, too. */
struct vm_files {
	int ram, mailbox, initramfs, console, qemu_output; /* anonymous files */
	int frames, qmp, terminal; /* QEMU's ends of socket pairs; -1 once handed over */
};

struct ktstr_vm {
	struct vm_files files;
	struct ktstr_child qemu;
	bool qemu_ended;
	int qemu_status;
	int frames_fd, qmp_fd, terminal_fd; /* our ends */
	struct ktstr_mailbox *mailbox;
	struct ktstr_frame_decoder decoder;
	uint64_t boot_ns;
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
	if (vm->mailbox)
		munmap(vm->mailbox, KTSTR_MAILBOX_BYTES);
	for (size_t i = 0; i < sizeof(vm->files) / sizeof(int); i++)
		close_fd((int *)&vm->files + i);
	close_fd(&vm->frames_fd);
	close_fd(&vm->qmp_fd);
	close_fd(&vm->terminal_fd);
	ktstr_frame_decoder_deinit(&vm->decoder);
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
	return NULL;
}

static struct ktstr_error *open_files(struct ktstr_vm *vm, const struct ktstr_vm_config *config)
{
	uint64_t memory_mib = ktstr_machine_memory_mib(config->topology, config->memory_mib);

	KTSTR_TRY(ktstr_memfd("ktstr-ram", memory_mib << 20, &vm->files.ram));
	KTSTR_TRY(ktstr_memfd("ktstr-mailbox", KTSTR_MAILBOX_BYTES, &vm->files.mailbox));
	KTSTR_TRY(ktstr_memfd("ktstr-console", 0, &vm->files.console));
	KTSTR_TRY(ktstr_memfd("ktstr-qemu-output", 0, &vm->files.qemu_output));
	KTSTR_TRY(socket_pair(&vm->frames_fd, &vm->files.frames));
	KTSTR_TRY(socket_pair(&vm->qmp_fd, &vm->files.qmp));
	if (config->interactive_console)
		KTSTR_TRY(socket_pair(&vm->terminal_fd, &vm->files.terminal));
	KTSTR_TRY(map_mailbox(vm));
	return ktstr_initramfs_build(config->agent_path, config->kernel, &vm->files.initramfs);
}

/* Each word has its reason in docs/architecture/vm. */
static char *kernel_command_line(const struct ktstr_vm_config *config)
{
	return ktstr_xasprintf(
		"console=ttyS0 rdinit=/init panic=-1 loglevel=4 mitigations=off random.trust_cpu=on "
		"no_timer_check i8042.noaux i8042.nomux i8042.nopnp i8042.dumbkbd lockdown=none "
		"sysctl.kernel.unprivileged_bpf_disabled=0 sysctl.kernel.sched_schedstats=1 delayacct "
		"sysctl.kernel.task_delayacct=1 sysctl.vm.overcommit_memory=1 "
		"initramfs_options=size=90%% numa_balancing=%s KTSTR_GUEST=1%s%s",
		ktstr_topology_has_memory_only_nodes(config->topology) ? "enable" : "disable",
		config->extra_kargs ? " " : "", config->extra_kargs ? config->extra_kargs : "");
}

static struct ktstr_error *build_argv(const struct ktstr_vm *vm, const struct ktstr_vm_config *config,
				      struct ktstr_strv *argv)
{
	const struct vm_files *files = &vm->files;
	_cleanup_free_ char *ram_path = ktstr_xasprintf("/proc/self/fd/%d", files->ram);
	_cleanup_free_ char *command_line = kernel_command_line(config);
	struct ktstr_machine machine = {
		.topology = config->topology,
		.memory_mib = config->memory_mib,
		.accel = config->accel->accel,
		.qemu_major = config->qemu->major,
		.qemu_minor = config->qemu->minor,
		.ram_path = ram_path,
		.ram_share = true,
	};
	static const char *const fixed[] = { "-nodefaults", "-no-user-config", "-display", "none",
					     "-no-reboot",  "-device",	       "virtio-serial-pci" };

	ktstr_strv_add(argv, config->qemu->path);
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		ktstr_strv_add(argv, fixed[i]);
	KTSTR_TRY(ktstr_machine_args(&machine, argv));
	ktstr_strv_add(argv, "-object");
	ktstr_strv_addf(argv, "memory-backend-file,id=mailbox,size=%llu,mem-path=/proc/self/fd/%d,share=on",
			KTSTR_MAILBOX_BYTES, files->mailbox);
	ktstr_strv_add(argv, "-device");
	ktstr_strv_add(argv, "ivshmem-plain,memdev=mailbox");
	ktstr_strv_add(argv, "-chardev");
	ktstr_strv_addf(argv, "socket,id=frames,fd=%d", files->frames);
	ktstr_strv_add(argv, "-device");
	ktstr_strv_add(argv, "virtserialport,chardev=frames,name=" KTSTR_PORT_FRAMES);
	ktstr_strv_add(argv, "-chardev");
	ktstr_strv_addf(argv, "socket,id=qmp,fd=%d", files->qmp);
	ktstr_strv_add(argv, "-mon");
	ktstr_strv_add(argv, "chardev=qmp,mode=control");
	ktstr_strv_add(argv, "-chardev");
	ktstr_strv_addf(argv, "file,id=console,path=/proc/self/fd/%d", files->console);
	ktstr_strv_add(argv, "-serial");
	ktstr_strv_add(argv, "chardev:console");
	if (files->terminal >= 0) {
		ktstr_strv_add(argv, "-chardev");
		ktstr_strv_addf(argv, "socket,id=terminal,fd=%d", files->terminal);
		ktstr_strv_add(argv, "-device");
		ktstr_strv_add(argv, "virtconsole,chardev=terminal");
	}
	ktstr_strv_add(argv, "-kernel");
	ktstr_strv_add(argv, config->kernel->image_path);
	ktstr_strv_add(argv, "-initrd");
	ktstr_strv_addf(argv, "/proc/self/fd/%d", files->initramfs);
	ktstr_strv_add(argv, "-append");
	ktstr_strv_add(argv, command_line);
	return NULL;
}

static struct ktstr_error *spawn_qemu(struct ktstr_vm *vm, const struct ktstr_vm_config *config)
{
	_cleanup_strv_ struct ktstr_strv argv = { 0 };
	int keep[] = { vm->files.ram,	  vm->files.mailbox, vm->files.initramfs, vm->files.console,
		       vm->files.frames,  vm->files.qmp,     vm->files.terminal };
	struct ktstr_child_spec spec = {
		.stdin_fd = -1,
		.stdout_fd = vm->files.qemu_output,
		.stderr_fd = vm->files.qemu_output,
		.keep_fds = keep,
		.keep_fds_count = sizeof(keep) / sizeof(keep[0]) - (vm->files.terminal < 0),
		.own_session = true,
	};

	KTSTR_TRY(build_argv(vm, config, &argv));
	spec.argv = (const char *const *)argv.items;
	KTSTR_TRY(ktstr_child_spawn(&spec, &vm->qemu));
	/* Only QEMU holds its ends now: when it dies, ours see the end of the stream. */
	close_fd(&vm->files.frames);
	close_fd(&vm->files.qmp);
	close_fd(&vm->files.terminal);
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
static uint64_t default_boot_timeout(const struct ktstr_topology *topology)
{
	unsigned int cpus = ktstr_topology_total_cpus(topology);

	return KTSTR_SEC(60 + (cpus > 4 ? cpus - 4 : 0));
}

static struct ktstr_error *wait_until_ready(struct ktstr_vm *vm, const struct ktstr_vm_config *config)
{
	uint64_t began = ktstr_now_ns();
	uint64_t limit = config->boot_timeout_ns ? config->boot_timeout_ns :
						   default_boot_timeout(config->topology);

	while (!__atomic_load_n(&vm->mailbox->agent_ready, __ATOMIC_ACQUIRE)) {
		if (qemu_ended(vm) || ktstr_now_ns() - began > limit || console_flooded(vm))
			return explain_failed_boot(vm, limit);
		ktstr_sleep_ns(READY_POLL_NS);
	}
	vm->boot_ns = ktstr_now_ns() - began;
	return NULL;
}

struct ktstr_error *ktstr_vm_boot(const struct ktstr_vm_config *config, struct ktstr_vm **out)
{
	struct ktstr_vm *vm = *out = ktstr_xcalloc(1, sizeof(*vm));

	vm->files = (struct vm_files){ -1, -1, -1, -1, -1, -1, -1, -1 };
	vm->frames_fd = vm->qmp_fd = vm->terminal_fd = vm->qemu.pidfd = -1;
	KTSTR_TRY(open_files(vm, config));
	KTSTR_TRY(spawn_qemu(vm, config));
	return wait_until_ready(vm, config);
}

struct ktstr_error *ktstr_vm_submit(struct ktstr_vm *vm, const struct ktstr_vm_job *job)
{
	struct ktstr_mailbox *mailbox = vm->mailbox;
	struct timespec now;

	if (job->archive_length > KTSTR_MAILBOX_JOB_BYTES)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "the test with its libraries takes %zu MiB; the mailbox holds %llu MiB",
				       job->archive_length >> 20, KTSTR_MAILBOX_JOB_BYTES >> 20);
	memcpy((char *)mailbox + KTSTR_MAILBOX_JOB_OFFSET, job->archive, job->archive_length);
	clock_gettime(CLOCK_REALTIME, &now);
	mailbox->transport = KTSTR_TRANSPORT_PORT;
	mailbox->job_length = job->archive_length;
	mailbox->job_crc32 = (uint32_t)crc32(0, job->archive, (uInt)job->archive_length);
	mailbox->realtime_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	mailbox->seed = job->seed;
	if (getrandom(mailbox->entropy, sizeof(mailbox->entropy), 0) < 0)
		return ktstr_error_sys(errno, "cannot draw random numbers for the guest");
	__atomic_store_n(&mailbox->go, 1, __ATOMIC_RELEASE);
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

enum ktstr_vm_wait ktstr_vm_next_frame(struct ktstr_vm *vm, uint64_t deadline_ns,
				       struct ktstr_frame *frame)
{
	for (;;) {
		struct pollfd port = { .fd = vm->frames_fd, .events = POLLIN };
		int left_ms = ktstr_ms_until(deadline_ns);

		if (ktstr_frame_decoder_next(&vm->decoder, frame))
			return KTSTR_VM_FRAME;
		if (!left_ms || console_flooded(vm))
			return KTSTR_VM_DEADLINE;
		/* A guest that ended has its last frames still in the socket: read to the end first. */
		if (poll(&port, 1, left_ms > 100 ? 100 : left_ms) > 0 && !read_port(vm)) {
			if (ktstr_frame_decoder_next(&vm->decoder, frame))
				return KTSTR_VM_FRAME;
			if (qemu_ended(vm))
				return KTSTR_VM_ENDED;
			ktstr_sleep_ns(READY_POLL_NS);
		}
	}
}

int ktstr_vm_terminal_fd(const struct ktstr_vm *vm)
{
	return vm->terminal_fd;
}

uint64_t ktstr_vm_corrupt_frames(const struct ktstr_vm *vm)
{
	return vm->decoder.corrupt_frames + vm->decoder.resyncs;
}

uint64_t ktstr_vm_boot_ns(const struct ktstr_vm *vm)
{
	return vm->boot_ns;
}
