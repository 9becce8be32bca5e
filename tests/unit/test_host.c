// SPDX-License-Identifier: GPL-2.0-only
/* Facts of a host: read from a tree of files, printed, compared, through JSON and back. */
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "host/host.h"
#include "host/usable_cpus.h"
#include "scratch.h"

static int make_tree(void **state)
{
	if (make_scratch(state))
		return -1;
	put("proc/cpuinfo", "processor\t: 0\nvendor_id\t: GenuineKtstr\nmodel name\t: Test CPU @ 1 GHz\n\n"
			     "processor\t: 1\nvendor_id\t: Other\nmodel name\t: Other\n");
	put("proc/meminfo", "MemTotal:       24000000 kB\nHugePages_Total:       4\nHugePages_Free:        3\n"
			     "Hugepagesize:       2048 kB\n");
	put("proc/cmdline", "quiet ktstr=1\n");
	put("proc/sys/kernel/sched_rt_runtime_us", "950000\n");
	put("proc/sys/kernel/sched_autogroup_enabled", "0\n");
	put("proc/sys/kernel/panic", "1\n");
	put("sys/devices/system/cpu/online", "0-2,5\n");
	put("sys/devices/system/node/has_cpu", "0-1\n");
	put("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n");
	put("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
	return 0;
}

static void facts_are_read(void **state)
{
	struct ktstr_host_context context;
	_cleanup_free_ char *word = NULL;

	(void)state;
	ktstr_host_context_collect_at(scratch, &context);
	assert_string_equal(context.cpu_model, "Test CPU @ 1 GHz");
	assert_string_equal(context.cpu_vendor, "GenuineKtstr");
	assert_int_equal(context.total_memory_kib.value, 24000000);
	assert_int_equal(context.hugepages_total.value, 4);
	assert_int_equal(context.hugepages_free.value, 3);
	assert_int_equal(context.hugepages_size_kib.value, 2048);
	assert_int_equal(context.online_cpus.value, 4);
	assert_int_equal(context.numa_nodes.value, 2);
	assert_string_equal(context.kernel_cmdline, "quiet ktstr=1");
	assert_int_equal(context.sched_tunables.count, 2);
	assert_string_equal(context.sched_tunables.items[0].name, "sched_autogroup_enabled");
	assert_string_equal(ktstr_text_map_get(&context.cpufreq_governor, "cpu0"), "performance");
	assert_null(context.thp_defrag);
	word = ktstr_host_context_active_word(context.thp_enabled);
	assert_string_equal(word, "madvise");
#ifndef __SANITIZE_ADDRESS__ /* whose allocator tells of none */
	assert_true(context.heap_state.allocated_bytes.value > 0);
#endif
	assert_true(context.heap_state.resident_bytes.value >= 4096);
	ktstr_host_context_deinit(&context);
}

/* Whatever the machine has: as many guests at once as there are CPUs for. */
static void cpus_that_are_not_ours_do_not_count(void **state)
{
	cpu_set_t before, one;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	assert_int_equal(ktstr_usable_cpus(), CPU_COUNT(&before));
	CPU_ZERO(&one);
	for (size_t cpu = 0; cpu < CPU_SETSIZE && !CPU_COUNT(&one); cpu++)
		if (CPU_ISSET(cpu, &before))
			CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(ktstr_usable_cpus(), 1);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

static void unknown_is_not_empty(void **state)
{
	struct ktstr_host_context nothing = { 0 }, empty = { .sched_tunables.known = true };
	_cleanup_free_ char *unknown = ktstr_host_context_format(&nothing);
	_cleanup_free_ char *known = ktstr_host_context_format(&empty);
	_cleanup_free_ char *difference = ktstr_host_context_diff(&nothing, &empty);

	(void)state;
	assert_non_null(strstr(unknown, "cpu_model: (unknown)\n"));
	assert_non_null(strstr(unknown, "sched_tunables: (unknown)\n"));
	assert_non_null(strstr(known, "sched_tunables: (empty)\n"));
	assert_string_equal(difference, "  sched_tunables: (unknown) → (empty)\n");
}

static void differences_are_named(void **state)
{
	struct ktstr_host_context a, b;
	_cleanup_free_ char *same = NULL, *difference = NULL;

	(void)state;
	ktstr_host_context_collect_at(scratch, &a);
	ktstr_host_context_collect_at(scratch, &b);
	same = ktstr_host_context_diff(&a, &b);
	assert_string_equal(same, "");
	b.hugepages_free = (struct ktstr_opt_u64)KTSTR_NONE;
	ktstr_text_map_set(&b.sched_tunables, "sched_rt_runtime_us", "-1");
	ktstr_text_map_set(&b.cpufreq_governor, "cpu1", "powersave");
	difference = ktstr_host_context_diff(&a, &b);
	assert_string_equal(difference, "  hugepages_free: 3 → (unknown)\n"
					"  sched_tunables.sched_rt_runtime_us: 950000 → -1\n"
					"  cpufreq_governor.cpu1: (absent) → powersave\n");
	ktstr_host_context_deinit(&a);
	ktstr_host_context_deinit(&b);
}

static void json_keeps_everything(void **state)
{
	struct ktstr_host_context a, b;
	_cleanup_free_ char *first = NULL, *second = NULL;
	json_t *json;

	(void)state;
	ktstr_host_context_collect_at(scratch, &a);
	json = ktstr_host_context_to_json(&a);
	assert_true(json_is_null(json_object_get(json, "thp_defrag")));
	json_object_set_new(json, "added_later", json_integer(1));
	assert_null(ktstr_host_context_from_json(json, &b));
	first = ktstr_host_context_format(&a);
	second = ktstr_host_context_format(&b);
	assert_string_equal(first, second);
	json_decref(json);
	ktstr_host_context_deinit(&a);
	ktstr_host_context_deinit(&b);
}

static void wrong_types_are_refused(void **state)
{
	static const char *const bad[] = { "[]", "{\"cpu_model\": 3}", "{\"sched_tunables\": [1]}",
					   "{\"sched_tunables\": {\"a\": 1}}", "{\"heap_state\": {\"narenas\": \"x\"}}" };
	struct ktstr_host_context context;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *json = json_loads(bad[i], 0, NULL);
		struct ktstr_error *error = ktstr_host_context_from_json(json, &context);

		assert_int_equal(ktstr_error_code(error), KTSTR_ERR_CORRUPT);
		assert_null(context.cpu_model);
		ktstr_error_free(error);
		json_decref(json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts_are_read),	 cmocka_unit_test(unknown_is_not_empty),
		cmocka_unit_test(cpus_that_are_not_ours_do_not_count),
		cmocka_unit_test(differences_are_named), cmocka_unit_test(json_keeps_everything),
		cmocka_unit_test(wrong_types_are_refused),
	};

	return cmocka_run_group_tests(tests, make_tree, remove_scratch);
}
