// SPDX-License-Identifier: GPL-2.0-only
/* QEMU's command line and the kernel's; each word has its reason in docs/architecture/vm.md. */
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "disk/disk.h"
#include "vm/argv.h"
#include "vm/initramfs.h"
#include "wire/mailbox.h"

static char *kernel_command_line(const struct ktstr_vm_config *config, uint64_t mailbox_address)
{
	_cleanup_free_ char *disk = config->disk ? ktstr_disk_kernel_words(config->disk) : ktstr_xstrdup("");
	const char *modules[KTSTR_MACHINE_MODULES_MAX + 1];

	ktstr_machine_modules(config, modules);
	return ktstr_xasprintf(
		"console=ttyS0 rdinit=/init panic=-1 loglevel=4 mitigations=off random.trust_cpu=on "
		"no_timer_check tsc=reliable damon_stat.enabled=0 cryptomgr.notests%s i8042.noaux i8042.nomux i8042.nopnp i8042.dumbkbd lockdown=none "
		"sysctl.kernel.unprivileged_bpf_disabled=0 sysctl.kernel.sched_schedstats=1 sysctl.kernel.bpf_stats_enabled=1 delayacct "
		"sysctl.kernel.task_delayacct=1 sysctl.vm.overcommit_memory=1 "
		"initramfs_options=size=90%% numa_balancing=%s KTSTR_GUEST=1 KTSTR_MAILBOX=0x%llx "
		"KTSTR_SETTLE_MS=%u%s%s%s%s",
		modules[0] ? "" : " initcall_blacklist=load_system_certificate_list",
		ktstr_topology_has_memory_only_nodes(config->topology) ? "enable" : "disable",
		(unsigned long long)mailbox_address, config->settle_ms, config->deterministic ? " idle=halt" : "", disk, config->extra_kargs ? " " : "",
		config->extra_kargs ? config->extra_kargs : "");
}

static bool host_is_amd(void)
{
	_cleanup_free_ char *cpuinfo = NULL;
	_cleanup_error_ struct ktstr_error *error = ktstr_read_file("/proc/cpuinfo", &cpuinfo, NULL);

	return !error && strstr(cpuinfo, "AuthenticAMD");
}

/*
 * An NVDIMM without a driver: plain memory at a fixed address, which the agent maps through /dev/mem. Not a PCI BAR
 * (ivshmem): QEMU compares the addresses of shared memory before it has restored the BARs, and refuses.
 */
static void add_mailbox(const struct ktstr_machine *machine, const struct ktstr_vm_names *names,
			struct ktstr_strv *argv)
{
	uint64_t ram_mib = ktstr_machine_memory_mib(machine->topology, machine->memory_mib);

	ktstr_strv_add(argv, "-machine");
	ktstr_strv_add(argv, "nvdimm=on");
	ktstr_strv_add(argv, "-m");
	ktstr_strv_addf(argv, "slots=1,maxmem=%lluM",
			(unsigned long long)(ram_mib + (KTSTR_MAILBOX_BYTES >> 20)));
	ktstr_strv_add(argv, "-object");
	ktstr_strv_addf(argv, "memory-backend-file,id=mailbox,size=%llu,mem-path=/proc/self/fd/%d,share=on",
			KTSTR_MAILBOX_BYTES, names->mailbox);
	ktstr_strv_add(argv, "-device");
	ktstr_strv_addf(argv, "nvdimm,memdev=mailbox,addr=0x%llx",
			(unsigned long long)ktstr_machine_device_memory_address(machine));
}

/* A path is an option's value: a comma in it is doubled. */
static void add_debugger(const char *socket_path, struct ktstr_strv *argv)
{
	_cleanup_str_ struct ktstr_str chardev = { 0 };

	ktstr_str_add(&chardev, "socket,id=debugger,server=on,wait=off,path=");
	for (const char *at = socket_path; *at; at++)
		ktstr_str_add(&chardev, (char[]){ *at, *at == ',' ? ',' : '\0', '\0' });
	ktstr_strv_add(argv, "-chardev");
	ktstr_strv_add(argv, ktstr_str_text(&chardev));
	ktstr_strv_add(argv, "-gdb");
	ktstr_strv_add(argv, "chardev:debugger");
}

static void add_monitors(const struct ktstr_vm_names *names, struct ktstr_strv *argv)
{
	ktstr_strv_add(argv, "-chardev");
	ktstr_strv_addf(argv, "socket,id=qmp,fd=%d", names->qmp);
	ktstr_strv_add(argv, "-mon");
	ktstr_strv_add(argv, "chardev=qmp,mode=control");
	ktstr_strv_add(argv, "-chardev");
	ktstr_strv_addf(argv, "file,id=console,path=/proc/self/fd/%d", names->console);
	ktstr_strv_add(argv, "-serial");
	ktstr_strv_add(argv, "chardev:console");
	if (names->gdb < 0)
		return;
	ktstr_strv_add(argv, "-chardev");
	ktstr_strv_addf(argv, "socket,id=gdb,fd=%d", names->gdb);
	ktstr_strv_add(argv, "-gdb");
	ktstr_strv_add(argv, "chardev:gdb");
}

/* What a deterministic guest freezes itself with: each byte to the bell first, then to the gate; see freezer.h. */
static void add_freezer(const struct ktstr_vm_names *names, struct ktstr_strv *argv)
{
	for (unsigned int i = 0; i < KTSTR_FREEZERS * KTSTR_FREEZE_PORTS; i++) {
		unsigned int freezer = i / KTSTR_FREEZE_PORTS, gate = i % KTSTR_FREEZE_PORTS;

		ktstr_strv_add(argv, "-chardev");
		ktstr_strv_addf(argv, "file,id=freeze%u,path=/proc/self/fd/%d,logfile=/proc/self/fd/%d,logappend=on", i,
				names->bells[freezer], names->gates[freezer][gate]);
		ktstr_strv_add(argv, "-device");
		ktstr_strv_addf(argv, "isa-debugcon,iobase=0x%x,chardev=freeze%u", KTSTR_FREEZE_PORT + i, i);
	}
}

/* The frame port, and hvc0 for `ktstr shell`: always both, so that shells and tests share templates. */
static void add_ports(const struct ktstr_vm_names *names, struct ktstr_strv *argv)
{
	ktstr_strv_add(argv, "-device");
	ktstr_strv_add(argv, "virtio-serial-pci");
	ktstr_strv_add(argv, "-chardev");
	ktstr_strv_addf(argv, "socket,id=frames,fd=%d", names->frames);
	ktstr_strv_add(argv, "-device");
	ktstr_strv_add(argv, "virtserialport,chardev=frames,name=" KTSTR_PORT_FRAMES);
	ktstr_strv_add(argv, "-chardev");
	if (names->terminal >= 0)
		ktstr_strv_addf(argv, "socket,id=terminal,fd=%d", names->terminal);
	else
		ktstr_strv_add(argv, "null,id=terminal");
	ktstr_strv_add(argv, "-device");
	ktstr_strv_add(argv, "virtconsole,chardev=terminal");
}

static void add_limit(const char *key, uint64_t rate, uint64_t burst, struct ktstr_str *drive)
{
	if (rate)
		ktstr_str_addf(drive, ",throttling.%s=%llu,throttling.%s-max=%llu", key, (unsigned long long)rate, key,
			       (unsigned long long)(burst ? burst : rate));
}

/*
 * The file dies with the VM: nobody needs it on the host's disk, so that flushes, which each stop of the CPUs brings, too,
 * are not passed on. A request that fails is the guest's to see, and counted; QEMU would stop at a full file system.
 */
static void add_disk(const struct ktstr_disk_config *disk, const struct ktstr_vm_names *names, struct ktstr_strv *argv)
{
	_cleanup_str_ struct ktstr_str drive = { 0 };

	ktstr_str_addf(&drive, "if=none,id=" KTSTR_VM_DISK_ID ",format=raw,file.driver=file,file.filename=/proc/self/fd/%d"
			       ",file.locking=off,cache.no-flush=on,discard=unmap", names->disk);
	if (disk->read_only)
		ktstr_str_add(&drive, ",readonly=on");
	if (!names->for_template) {
		add_limit("iops-total", disk->throttle.iops, disk->throttle.iops_burst_capacity, &drive);
		add_limit("bps-total", disk->throttle.bytes_per_sec, disk->throttle.bytes_burst_capacity, &drive);
	}
	ktstr_strv_add(argv, "-drive");
	ktstr_strv_add(argv, drive.data);
	ktstr_strv_add(argv, "-device");
	ktstr_strv_add(argv, "virtio-blk-pci,drive=" KTSTR_VM_DISK_ID ",werror=report,rerror=report");
}

/*
 * Every frame that comes back is for the guest, whatever its destination: without ctrl_rx the device is promiscuous. No
 * announcement after a restore, so that all traffic is the test's; no option ROM, which the firmware would load.
 */
static struct ktstr_error *add_networks(const struct ktstr_vm_config *config, const struct ktstr_vm_names *names,
					struct ktstr_strv *argv)
{
	const struct ktstr_qemu *qemu = config->qemu;

	if (config->networks.count && qemu->major <= 7 && !(qemu->major == 7 && qemu->minor >= 2))
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
				       "network devices (.networks) need QEMU 7.2 or newer, which has the dgram backend; this is QEMU %u.%u",
				       qemu->major, qemu->minor);
	for (size_t i = 0; i < config->networks.count; i++) {
		ktstr_strv_add(argv, "-netdev");
		ktstr_strv_addf(argv, "dgram,id=net%zu,local.type=fd,local.str=%d", i, names->networks[i]);
		ktstr_strv_add(argv, "-device");
		ktstr_strv_addf(argv, "virtio-net-pci,netdev=net%zu,mac=%s,ctrl_rx=off,guest_announce=off,romfile=", i,
				config->networks.items[i].mac);
	}
	return NULL;
}

/* Not for a machine that is restored: it has booted, and reading a kernel takes QEMU 12 ms. */
static void add_kernel(const struct ktstr_vm_config *config, const struct ktstr_machine *machine,
		       const struct ktstr_vm_names *names, struct ktstr_strv *argv)
{
	_cleanup_free_ char *command_line =
		kernel_command_line(config, ktstr_machine_device_memory_address(machine));

	ktstr_strv_add(argv, "-kernel");
	if (names->kernel)
		ktstr_strv_addf(argv, "/proc/self/fd/%d", names->kernel);
	else
		ktstr_strv_add(argv, config->kernel->image_path);
	ktstr_strv_add(argv, "-initrd");
	ktstr_strv_addf(argv, "/proc/self/fd/%d", names->initramfs);
	ktstr_strv_add(argv, "-append");
	ktstr_strv_add(argv, command_line);
}

struct ktstr_error *ktstr_vm_argv(const struct ktstr_vm_config *config, const struct ktstr_vm_names *names,
				  struct ktstr_strv *argv)
{
	static const char *const fixed[] = { "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot" };
	struct ktstr_machine machine = {
		.topology = config->topology,
		.memory_mib = config->memory_mib,
		.accel = config->accel->accel,
		.qemu_major = config->qemu->major,
		.qemu_minor = config->qemu->minor,
		.dedicated = config->dedicated,
		.deterministic = config->deterministic,
		.host_cpu_amd = config->accel->accel == KTSTR_ACCEL_KVM && host_is_amd(),
		.ram_path = names->ram_path,
		.ram_share = names->ram_share,
	};

	ktstr_strv_add(argv, config->qemu->path);
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		ktstr_strv_add(argv, fixed[i]);
	KTSTR_TRY(ktstr_machine_args(&machine, argv));
	add_mailbox(&machine, names, argv);
	add_monitors(names, argv);
	if (names->debug_socket)
		add_debugger(names->debug_socket, argv);
	if (config->deterministic) {
		/* Rule 11: lockstep.c knows the CPUs' thread by its name. */
		ktstr_strv_add(argv, "-name");
		ktstr_strv_add(argv, "ktstr,debug-threads=on");
		add_freezer(names, argv);
	} else { /* rule 7 of determinism.h */
		add_ports(names, argv);
		KTSTR_TRY(add_networks(config, names, argv));
	}
	if (config->disk)
		add_disk(config->disk, names, argv);
	if (names->incoming) {
		ktstr_strv_add(argv, "-incoming");
		ktstr_strv_add(argv, "defer");
	} else {
		add_kernel(config, &machine, names, argv);
	}
	/* The CPUs start when QMP says so. */
	ktstr_strv_add(argv, "-S");
	return NULL;
}
