// SPDX-License-Identifier: GPL-2.0-only
/*
 * A topology in QEMU's words, so that the guest's own sysfs shows exactly the declared LLCs, SMT
 * siblings and NUMA nodes. Measured with QEMU 10.0.2; what is known of other versions stands at the
 * place it concerns.
 */
#include <string.h>

#include "vm/machine.h"
#include "vm/numa.h"

/*
 * RAM below the PCI hole. Said to QEMU explicitly: its default depends on machine type and RAM size
 * (pc keeps 3.5 or 3 GiB low, q35 2.75 or 2), and whoever reads guest memory needs one answer.
 */
#define LOW_RAM_BYTES     (2ull << 30)
#define HIGH_RAM_START    (4ull << 30)
#define LEGACY_HOLE_START 0xa0000ull
#define LEGACY_HOLE_END   0x100000ull

#define MIN_MEMORY_MIB         256
#define MIN_MEMORY_MIB_PER_CPU 64

/* An xAPIC id is 8 bits and 255 means all of them. */
#define MAX_XAPIC_ID 254

/* What -smp says. */
struct layout {
	unsigned int sockets, dies, cores, threads;
};

static bool is_at_least(const struct ktstr_machine *machine, unsigned int major, unsigned int minor)
{
	return machine->qemu_major > major ||
	       (machine->qemu_major == major && machine->qemu_minor >= minor);
}

/* All nodes with CPUs have the same number of LLCs. */
static bool llcs_are_even(const struct ktstr_topology *topology)
{
	unsigned int bearing = ktstr_topology_cpu_bearing_nodes(topology);

	for (unsigned int i = 0; i < topology->numa_nodes; i++) {
		unsigned int llcs = ktstr_topology_llcs_in_node(topology, i);

		if (llcs && llcs * bearing != topology->llcs)
			return false;
	}
	return true;
}

/*
 * One socket per node and one die per LLC, as real machines are built. Sockets are all alike, so
 * uneven nodes get a socket per LLC instead; so does an AMD host under KVM, whose CPUID has no
 * place for more than 8 dies and which groups caches by die only in some CPU families. The kernel's
 * scheduling domains are the same either way: the level above the LLC spans the node, not the
 * package.
 */
static struct layout choose_layout(const struct ktstr_machine *machine)
{
	const struct ktstr_topology *topology = machine->topology;
	bool amd = machine->accel == KTSTR_ACCEL_KVM && machine->host_cpu_amd;
	struct layout layout = {
		.sockets = topology->llcs,
		.dies = 1,
		.cores = topology->cores_per_llc,
		.threads = topology->threads_per_core,
	};

	if (!amd && llcs_are_even(topology)) {
		layout.sockets = ktstr_topology_cpu_bearing_nodes(topology);
		layout.dies = topology->llcs / layout.sockets;
	}
	return layout;
}

static unsigned int bits_for(unsigned int count)
{
	return count > 1 ? 32 - __builtin_clz(count - 1) : 0;
}

/* QEMU gives each level of an APIC id as many bits as its count needs, so that ids have gaps. */
static unsigned int highest_apic_id(const struct layout *layout)
{
	unsigned int core_shift = bits_for(layout->threads);
	unsigned int die_shift = core_shift + bits_for(layout->cores);
	unsigned int socket_shift = die_shift + bits_for(layout->dies);

	return (layout->sockets - 1) << socket_shift | (layout->dies - 1) << die_shift |
	       (layout->cores - 1) << core_shift | (layout->threads - 1);
}

static struct ktstr_error *check(const struct ktstr_machine *machine, unsigned int apic_id)
{
	char shape[KTSTR_TOPOLOGY_TEXT_BYTES];

	ktstr_topology_format(machine->topology, shape);
	if (machine->deterministic && machine->accel == KTSTR_ACCEL_KVM)
		return ktstr_error_new(
			KTSTR_ERR_UNSUPPORTED,
			"deterministic mode counts instructions, which KVM cannot do; use "
			"the TCG accelerator (KTSTR_ACCEL=tcg)");
	/* Without offset= of memory-backend-file, new in 8.1, nodes cannot share one RAM file. */
	if (machine->topology->numa_nodes > 1 && !is_at_least(machine, 8, 1))
		return ktstr_error_new(
			KTSTR_ERR_UNSUPPORTED,
			"topology %s has %u NUMA nodes, which needs QEMU 8.1 or newer; this "
			"is QEMU %u.%u",
			shape, machine->topology->numa_nodes, machine->qemu_major,
			machine->qemu_minor);
	/* x2APIC came to TCG with QEMU 9.0. */
	if (apic_id > MAX_XAPIC_ID && machine->accel == KTSTR_ACCEL_TCG &&
	    !is_at_least(machine, 9, 0))
		return ktstr_error_new(
			KTSTR_ERR_UNSUPPORTED,
			"topology %s has APIC ids up to %u; more than %d without KVM needs "
			"QEMU 9.0 or newer, this is QEMU %u.%u",
			shape, apic_id, MAX_XAPIC_ID, machine->qemu_major, machine->qemu_minor);
	return NULL;
}

static void add_accel(const struct ktstr_machine *machine, bool wide, struct ktstr_strv *argv)
{
	/*
	 * Multi-threaded TCG of QEMU 7.2 lets the guest execute half-patched kernel text (static
	 * keys): "Oops: int3" soon after a sched_ext scheduler attaches. 10.0 does not.
	 */
	bool threads = is_at_least(machine, 10, 0) && !machine->deterministic;

	ktstr_strv_add(argv, "-accel");
	if (machine->accel == KTSTR_ACCEL_KVM)
		ktstr_strv_add(argv, wide ? "kvm,kernel-irqchip=split" : "kvm");
	else
		ktstr_strv_add(argv, threads ? "tcg,thread=multi" : "tcg,thread=single");
	if (!machine->deterministic)
		return;
	ktstr_strv_add(argv, "-icount");
	ktstr_strv_add(argv, "shift=2,sleep=off");
	ktstr_strv_add(argv, "-rtc");
	ktstr_strv_add(argv, "base=2026-01-01T00:00:00,clock=vm");
	ktstr_strv_add(argv, "-seed");
	ktstr_strv_add(argv, "1");
}

/*
 * pc and q35 boot equally fast and both know dies, NUMA and HMAT; pc is what warm and deterministic
 * starts were measured with. It ends at 255 CPUs and has no interrupt remapping, without which a
 * kernel does not start CPUs whose APIC id exceeds 8 bits: those need q35 with an IOMMU.
 */
static void add_machine(const struct ktstr_machine *machine, bool wide, struct ktstr_strv *argv)
{
	bool numa = machine->topology->numa_nodes > 1;

	ktstr_strv_add(argv, "-machine");
	ktstr_strv_addf(argv, "%s,max-ram-below-4g=%llu%s", wide ? "q35" : "pc", LOW_RAM_BYTES,
			numa ? ",hmat=on" : ",memory-backend=ram0");
	add_accel(machine, wide, argv);
	if (wide) {
		ktstr_strv_add(argv, "-device");
		ktstr_strv_add(argv, "intel-iommu,intremap=on,eim=on");
	}
}

/*
 * -cpu max calls itself AMD under TCG and then shows one L3 per package; an Intel CPU shows one per
 * die (CPUID leaf 4). Leaf 0x1f, which comes with dies, is kept away by a lower `level`: an Intel
 * CPU answers a leaf that does not exist as if its highest one had been asked, the firmware asks
 * for such leaves, and QEMU 10.0 aborts on their sub-leaf numbers when the highest is 0x1f. 7.2
 * does not.
 */
static void add_cpu(const struct ktstr_machine *machine, const struct layout *layout,
		    struct ktstr_strv *argv)
{
	const char *model = is_at_least(machine, 9, 0) ? "max,vendor=GenuineIntel,level=0x1e"
						       : "max,vendor=GenuineIntel";
	const char *extra = machine->deterministic ? ",-rdrand,-rdseed" : "";
	bool dedicated = machine->dedicated && machine->accel == KTSTR_ACCEL_KVM;

	if (machine->accel == KTSTR_ACCEL_KVM) {
		/* The host's own cache sizes would come with the host's own sharing. */
		model = "host,host-cache-info=off,l3-cache=on";
		/* QEMU hides SMT from AMD guests without it. */
		extra = machine->host_cpu_amd ? ",topoext=on" : "";
	}
	ktstr_strv_add(argv, "-cpu");
	/* KVM_HINTS_REALTIME: the guest spins instead of yielding; with cpu-pm HLT and PAUSE do not leave it. */
	ktstr_strv_addf(argv, "%s%s%s", model, extra, dedicated ? ",kvm-hint-dedicated=on" : "");
	if (dedicated) {
		ktstr_strv_add(argv, "-overcommit");
		ktstr_strv_add(argv, "cpu-pm=on");
	}
	ktstr_strv_add(argv, "-smp");
	ktstr_strv_addf(argv, "%u,sockets=%u,dies=%u,cores=%u,threads=%u",
			ktstr_topology_total_cpus(machine->topology), layout->sockets, layout->dies,
			layout->cores, layout->threads);
}

uint64_t ktstr_machine_memory_mib(const struct ktstr_topology *topology, uint64_t memory_mib)
{
	uint64_t floor_mib = (uint64_t)ktstr_topology_total_cpus(topology) * MIN_MEMORY_MIB_PER_CPU;

	if (topology->nodes)
		return ktstr_topology_total_node_memory_mib(topology);
	if (floor_mib < MIN_MEMORY_MIB)
		floor_mib = MIN_MEMORY_MIB;
	return memory_mib > floor_mib ? memory_mib : floor_mib;
}

/*
 * The slice [offset_mib, offset_mib + size_mib) of the RAM file. A comma in an option's value is
 * doubled.
 */
static void add_backend(const struct ktstr_machine *machine, unsigned int index,
			uint64_t offset_mib, uint64_t size_mib, struct ktstr_strv *argv)
{
	_cleanup_str_ struct ktstr_str object = { 0 };

	ktstr_str_addf(&object, "memory-backend-file,id=ram%u,size=%lluM,mem-path=", index,
		       (unsigned long long)size_mib);
	for (const char *at = machine->ram_path; *at; at++) {
		ktstr_str_add_bytes(&object, at, 1);
		if (*at == ',')
			ktstr_str_add(&object, ",");
	}
	ktstr_str_addf(&object, ",share=%s", machine->ram_share ? "on" : "off");
	if (offset_mib)
		ktstr_str_addf(&object, ",offset=%lluM", (unsigned long long)offset_mib);
	ktstr_strv_add(argv, "-object");
	ktstr_strv_add(argv, ktstr_str_text(&object));
}

static void add_memory(const struct ktstr_machine *machine, struct ktstr_strv *argv)
{
	const struct ktstr_topology *topology = machine->topology;
	uint64_t total = ktstr_machine_memory_mib(topology, machine->memory_mib), offset = 0;

	ktstr_strv_add(argv, "-m");
	ktstr_strv_addf(argv, "%lluM", (unsigned long long)total);
	for (unsigned int i = 0; i < topology->numa_nodes; i++) {
		uint64_t size = ktstr_numa_node_mib(topology, i, total);

		add_backend(machine, i, offset, size, argv);
		offset += size;
	}
}

struct ktstr_error *ktstr_machine_args(const struct ktstr_machine *machine, struct ktstr_strv *argv)
{
	struct layout layout;
	unsigned int apic_id;

	KTSTR_TRY(ktstr_topology_validate(machine->topology));
	layout = choose_layout(machine);
	apic_id = highest_apic_id(&layout);
	KTSTR_TRY(check(machine, apic_id));
	KTSTR_TRY(ktstr_numa_check(machine->topology));
	add_machine(machine, apic_id > MAX_XAPIC_ID, argv);
	add_cpu(machine, &layout, argv);
	add_memory(machine, argv);
	if (machine->topology->numa_nodes > 1)
		ktstr_numa_args(machine->topology, argv);
	return NULL;
}

uint64_t ktstr_machine_device_memory_address(const struct ktstr_machine *machine)
{
	uint64_t total = ktstr_machine_memory_mib(machine->topology, machine->memory_mib) << 20;
	uint64_t high = total < LOW_RAM_BYTES ? 0 : total - LOW_RAM_BYTES;
	uint64_t gib = 1ull << 30;

	return (HIGH_RAM_START + high + gib - 1) / gib * gib;
}

size_t ktstr_machine_ram_regions(uint64_t ram_bytes, struct ktstr_ram_region regions[2])
{
	uint64_t low = ram_bytes < LOW_RAM_BYTES ? ram_bytes : LOW_RAM_BYTES;

	regions[0] = (struct ktstr_ram_region){ 0, low, 0 };
	regions[1] = (struct ktstr_ram_region){ HIGH_RAM_START, ram_bytes - low, low };
	return regions[1].bytes ? 2 : 1;
}

struct ktstr_error *ktstr_machine_ram_offset(const struct ktstr_machine *machine,
					     uint64_t guest_physical, uint64_t *offset)
{
	uint64_t total = ktstr_machine_memory_mib(machine->topology, machine->memory_mib) << 20;
	uint64_t low = total < LOW_RAM_BYTES ? total : LOW_RAM_BYTES;
	bool legacy = guest_physical >= LEGACY_HOLE_START && guest_physical < LEGACY_HOLE_END;

	if (guest_physical < low && !legacy) {
		*offset = guest_physical;
		return NULL;
	}
	if (guest_physical >= HIGH_RAM_START && guest_physical - HIGH_RAM_START < total - low) {
		*offset = guest_physical - HIGH_RAM_START + low;
		return NULL;
	}
	return ktstr_error_new(
		KTSTR_ERR_INVALID,
		"guest-physical address 0x%llx is outside the guest's RAM of %llu MiB, of "
		"which %llu MiB lie at 0 (without 0xa0000-0xfffff) and the rest from 4 GiB",
		(unsigned long long)guest_physical, (unsigned long long)(total >> 20),
		(unsigned long long)(low >> 20));
}
