// SPDX-License-Identifier: GPL-2.0-only
/*
 * Topologies in QEMU's words: which arguments which machine gets, what is refused, and where RAM
 * lies in its file.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "vm/machine.h"
#include "unit.h"

#define GIB (1ull << 30)

static struct ktstr_machine tcg(const struct ktstr_topology *topology)
{
	return (struct ktstr_machine){
		.topology = topology,
		.qemu_major = 10,
		.ram_path = "/proc/self/fd/9",
		.ram_share = true,
	};
}

static struct ktstr_topology shape(const char *text)
{
	struct ktstr_topology topology;

	assert_null(ktstr_topology_parse(text, &topology));
	return topology;
}

/* The arguments as one line. */
static char *line_of(const struct ktstr_machine *machine)
{
	_cleanup_strv_ struct ktstr_strv argv = { 0 };
	struct ktstr_str line = { 0 };

	assert_null(ktstr_machine_args(machine, &argv));
	for (size_t i = 0; i < argv.count; i++)
		ktstr_str_addf(&line, "%s%s", i ? " " : "", argv.items[i]);
	return ktstr_str_take(&line);
}

static void assert_argument(const struct ktstr_machine *machine, const char *part)
{
	_cleanup_free_ char *line = line_of(machine);

	if (!strstr(line, part))
		fail_msg("no \"%s\" in: %s", part, line);
}

static void assert_lacks(const struct ktstr_machine *machine, const char *part)
{
	_cleanup_free_ char *line = line_of(machine);

	if (strstr(line, part))
		fail_msg("unexpected \"%s\" in: %s", part, line);
}

static void assert_unsupported(const struct ktstr_machine *machine, const char *part)
{
	_cleanup_strv_ struct ktstr_strv argv = { 0 };
	_cleanup_error_ struct ktstr_error *error = ktstr_machine_args(machine, &argv);

	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_UNSUPPORTED);
	assert_non_null(strstr(ktstr_error_message(error), part));
	assert_int_equal(argv.count, 0);
}

/*
 * Booted by hand with QEMU 10.0.2 and compared with the guest's sysfs: change it only with another
 * boot.
 */
static void smt_machine_is_exactly_this(void **state)
{
	struct ktstr_topology topology = shape("1n2l2c2t");
	struct ktstr_machine machine = tcg(&topology);
	_cleanup_free_ char *line = line_of(&machine);

	(void)state;
	assert_string_equal(
		line,
		"-machine pc,max-ram-below-4g=2147483648,memory-backend=ram0 "
		"-accel tcg,thread=multi -cpu max,vendor=GenuineIntel,level=0x1e "
		"-smp 8,sockets=1,dies=2,cores=2,threads=2 -m 512M "
		"-object memory-backend-file,id=ram0,size=512M,mem-path=/proc/self/fd/9,share=on");
}

static void nodes_are_slices_of_one_file(void **state)
{
	struct ktstr_topology topology = shape("2n4l2c1t");
	struct ktstr_machine machine = tcg(&topology);

	(void)state;
	machine.memory_mib = 1001;
	machine.ram_share = false;
	assert_argument(&machine, "-machine pc,max-ram-below-4g=2147483648,hmat=on ");
	assert_argument(&machine, "-smp 8,sockets=2,dies=2,cores=2,threads=1 -m 1001M ");
	assert_argument(&machine, "id=ram0,size=500M,mem-path=/proc/self/fd/9,share=off ");
	assert_argument(&machine, "id=ram1,size=501M,mem-path=/proc/self/fd/9,share=off,offset=500M ");
	assert_argument(&machine, "-numa node,nodeid=0,memdev=ram0,cpus=0-3 ");
	assert_argument(&machine, "-numa node,nodeid=1,memdev=ram1,cpus=4-7 ");
	assert_argument(&machine, "-numa dist,src=0,dst=1,val=20 ");
	assert_argument(&machine, "initiator=0,target=0,hierarchy=memory,data-type=access-latency,"
			     "latency=100 ");
	assert_argument(&machine, "initiator=1,target=0,hierarchy=memory,data-type=access-latency,"
			     "latency=200 ");
	assert_argument(&machine, "initiator=1,target=1,hierarchy=memory,data-type=access-bandwidth,"
			     "bandwidth=51200M");
}

static void uneven_nodes_get_a_socket_per_llc(void **state)
{
	static const struct ktstr_mem_side_cache cache = {
		.size_bytes = 64 << 20, .associativity = 1, .write_policy = 1, .line_size_bytes = 64
	};
	struct ktstr_numa_node nodes[] = {
		{ .llcs = 3, .memory_mib = 512 },
		{ .llcs = 1, .memory_mib = 256, .cache = &cache },
		{ .memory_mib = 128, .latency_ns = KTSTR_SOME(444) },
	};
	static const uint8_t cells[] = { 10, 17, 40, 17, 10, 20, 40, 20, 10 };
	const struct ktstr_numa_distance distances = { .n = 3, .cells = cells };
	struct ktstr_topology topology = { 3, 4, 2, 2, nodes, 3, &distances };
	struct ktstr_machine machine = tcg(&topology);

	(void)state;
	machine.memory_mib = 9999; /* explicit nodes say how much */
	assert_argument(&machine, "-smp 16,sockets=4,dies=1,cores=2,threads=2 -m 896M ");
	assert_argument(&machine, "-numa node,nodeid=0,memdev=ram0,cpus=0-11 ");
	assert_argument(&machine, "offset=768M -numa");
	/*
	 * Node 2 is nearer to node 1, for which its declared latency holds; from node 0 it doubles.
	 */
	assert_argument(&machine, "-numa node,nodeid=2,memdev=ram2,initiator=1 ");
	assert_argument(&machine, "initiator=1,target=2,hierarchy=memory,data-type=access-latency,"
			     "latency=444 ");
	assert_argument(&machine, "initiator=0,target=2,hierarchy=memory,data-type=access-latency,"
			     "latency=888 ");
	assert_argument(&machine, "initiator=0,target=2,hierarchy=memory,data-type=access-bandwidth,"
			     "bandwidth=10240M ");
	assert_lacks(&machine, "hmat-lb,initiator=2");
	assert_argument(&machine,
		   "-numa hmat-cache,node-id=1,size=67108864,level=1,associativity=direct,"
		   "policy=write-back,line=64");
	assert_argument(&machine, "-numa dist,src=1,dst=2,val=20 ");
}

static void unspeakable_caches_are_refused(void **state)
{
	static const struct ktstr_mem_side_cache cache = { .size_bytes = 1, .associativity = 3 };
	struct ktstr_numa_node nodes[] = {
		{ .llcs = 1, .memory_mib = 512, .cache = &cache },
		{ .llcs = 1, .memory_mib = 512 },
	};
	struct ktstr_topology topology = { 2, 2, 1, 1, nodes, 2, NULL };
	struct ktstr_machine machine = tcg(&topology);

	(void)state;
	assert_unsupported(&machine, "cannot express cache associativity 3");
}

static void determinism_needs_tcg(void **state)
{
	struct ktstr_topology topology = shape("1n1l2c1t");
	struct ktstr_machine machine = tcg(&topology);

	(void)state;
	machine.deterministic = true;
	assert_argument(&machine, "-accel tcg,thread=single -icount shift=2,sleep=off "
			     "-rtc base=2026-01-01T00:00:00,clock=vm -seed 1 ");
	assert_argument(&machine, ",-rdrand,-rdseed ");
	machine.accel = KTSTR_ACCEL_KVM;
	assert_unsupported(&machine, "KTSTR_ACCEL=tcg");
}

static void old_qemu_gets_what_it_can_do(void **state)
{
	struct ktstr_topology topology = shape("1n2l2c1t"), numa = shape("2n2l1c1t"),
			      wide = shape("1n14l9c2t");
	struct ktstr_machine machine = tcg(&topology);

	(void)state;
	machine.qemu_major = 7;
	machine.qemu_minor = 2;
	assert_argument(&machine, "-accel tcg,thread=single -cpu max,vendor=GenuineIntel -smp");
	machine.topology = &numa;
	assert_unsupported(&machine, "topology 2n2l1c1t has 2 NUMA nodes, which needs QEMU 8.1");
	machine.qemu_major = 8;
	machine.qemu_minor = 1;
	assert_argument(&machine, "-accel tcg,thread=single ");
	machine.topology = &wide;
	assert_unsupported(&machine, "topology 1n14l9c2t has APIC ids up to 433");
}

static void wide_machines_get_interrupt_remapping(void **state)
{
	/* 240 CPUs and 240 APIC ids; 252 CPUs but ids up to 433, because 9 cores take 4 bits. */
	struct ktstr_topology fits = shape("1n15l8c2t"), wide = shape("1n14l9c2t");
	struct ktstr_machine machine = tcg(&fits);

	(void)state;
	assert_argument(&machine, "-machine pc,");
	assert_lacks(&machine, "intel-iommu");
	machine.topology = &wide;
	assert_argument(&machine, "-machine q35,");
	assert_argument(&machine, "-device intel-iommu,intremap=on,eim=on ");
	machine.accel = KTSTR_ACCEL_KVM;
	assert_argument(&machine, "-accel kvm,kernel-irqchip=split ");
}

static void kvm_follows_the_host_vendor(void **state)
{
	struct ktstr_topology topology = shape("2n4l2c2t");
	struct ktstr_machine machine = tcg(&topology);

	(void)state;
	machine.accel = KTSTR_ACCEL_KVM;
	assert_argument(&machine, "-accel kvm -cpu host,host-cache-info=off,l3-cache=on -smp "
			     "16,sockets=2,dies=2,cores=2,threads=2 ");
	machine.dedicated = true;
	assert_argument(&machine, "-cpu host,host-cache-info=off,l3-cache=on,kvm-hint-dedicated=on -overcommit cpu-pm=on -smp ");
	machine.accel = KTSTR_ACCEL_TCG;
	assert_lacks(&machine, "dedicated");
	assert_lacks(&machine, "cpu-pm");
	machine.accel = KTSTR_ACCEL_KVM;
	machine.dedicated = false;
	machine.host_cpu_amd = true;
	assert_argument(&machine, "l3-cache=on,topoext=on -smp 16,sockets=4,dies=1,cores=2,threads=2 ");
}

static void memory_has_a_floor_and_paths_may_have_commas(void **state)
{
	struct ktstr_topology topology = shape("1n1l2c1t"), many = shape("1n14l9c2t");
	struct ktstr_machine machine = tcg(&topology);

	(void)state;
	assert_int_equal(ktstr_machine_memory_mib(&topology, 0), 256);
	assert_int_equal(ktstr_machine_memory_mib(&topology, 2048), 2048);
	assert_int_equal(ktstr_machine_memory_mib(&many, 2048), 16128);
	machine.ram_path = "/tmp/a,b";
	assert_argument(&machine, "mem-path=/tmp/a,,b,share=on");
}

static uint64_t offset_of(const struct ktstr_machine *machine, uint64_t address)
{
	uint64_t offset;

	assert_null(ktstr_machine_ram_offset(machine, address, &offset));
	return offset;
}

static void assert_no_ram(const struct ktstr_machine *machine, uint64_t address)
{
	uint64_t offset;
	_cleanup_error_ struct ktstr_error *error =
		ktstr_machine_ram_offset(machine, address, &offset);

	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_INVALID);
	assert_non_null(strstr(ktstr_error_message(error), "outside the guest's RAM"));
}

static void ram_is_split_at_two_gib(void **state)
{
	struct ktstr_topology topology = shape("1n1l2c1t");
	struct ktstr_machine machine = tcg(&topology);

	(void)state;
	machine.memory_mib = 512;
	assert_int_equal(offset_of(&machine, 0), 0);
	assert_int_equal(offset_of(&machine, 0x9ffff), 0x9ffff);
	assert_int_equal(offset_of(&machine, 0x100000), 0x100000);
	assert_int_equal(offset_of(&machine, (512 << 20) - 1), (512 << 20) - 1);
	assert_no_ram(&machine, 0xa0000);
	assert_no_ram(&machine, 0xfffff);
	assert_no_ram(&machine, 512 << 20);
	assert_no_ram(&machine, 4 * GIB);

	machine.memory_mib = 4096;
	assert_int_equal(offset_of(&machine, 2 * GIB - 1), 2 * GIB - 1);
	assert_no_ram(&machine, 2 * GIB);
	assert_no_ram(&machine, 4 * GIB - 1);
	assert_int_equal(offset_of(&machine, 4 * GIB), 2 * GIB);
	assert_int_equal(offset_of(&machine, 6 * GIB - 1), 4 * GIB - 1);
	assert_no_ram(&machine, 6 * GIB);
	assert_no_ram(&machine, UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(smt_machine_is_exactly_this),
		cmocka_unit_test(nodes_are_slices_of_one_file),
		cmocka_unit_test(uneven_nodes_get_a_socket_per_llc),
		cmocka_unit_test(unspeakable_caches_are_refused),
		cmocka_unit_test(determinism_needs_tcg),
		cmocka_unit_test(old_qemu_gets_what_it_can_do),
		cmocka_unit_test(wide_machines_get_interrupt_remapping),
		cmocka_unit_test(kvm_follows_the_host_vendor),
		cmocka_unit_test(memory_has_a_floor_and_paths_may_have_commas),
		cmocka_unit_test(ram_is_split_at_two_gib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
