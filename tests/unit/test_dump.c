// SPDX-License-Identifier: GPL-2.0-only
/* Dumps: JSON to structs and back, what is refused, text, and that tables and JSON schema tell the same. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "dump/shape.h"
#include "unit.h"

static void parse(const char *json, struct ktstr_failure_dump_any *dump)
{
	struct ktstr_error *error = ktstr_failure_dump_parse(json, strlen(json), dump);

	if (error)
		fail_msg("%s", ktstr_error_message(error));
}

static void assert_refused(const char *json, const char *message)
{
	struct ktstr_failure_dump_any dump;
	_cleanup_error_ struct ktstr_error *error = ktstr_failure_dump_parse(json, strlen(json), &dump);

	assert_non_null(error);
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_CORRUPT);
	if (!strstr(ktstr_error_message(error), message))
		fail_msg("lacks \"%s\": %s", message, ktstr_error_message(error));
	assert_null(dump.single);
}

/* One of every kind of value and of map contents. */
static const char everything[] =
	"{\"schema\":\"single\",\"active_obj_name\":\"scx_foo\",\"active_map_kvas\":[\"0xff00000000001000\"],"
	"\"maps\":[{\"name\":\"scx_foo.bss\",\"map_kva\":\"0xff00000000001000\",\"map_type\":\"array\",\"value_size\":64,"
	"\"max_entries\":1,\"value\":{\"kind\":\"struct\",\"type_name\":\".bss\",\"members\":["
	"{\"name\":\"count\",\"value\":{\"kind\":\"uint\",\"bits\":64,\"value\":\"18446744073709551615\"}},"
	"{\"name\":\"offset\",\"value\":{\"kind\":\"int\",\"bits\":32,\"value\":-5}},"
	"{\"name\":\"on\",\"value\":{\"kind\":\"bool\",\"value\":true}},"
	"{\"name\":\"letter\",\"value\":{\"kind\":\"char\",\"value\":65}},"
	"{\"name\":\"half\",\"value\":{\"kind\":\"float\",\"bits\":64,\"value\":0.5}},"
	"{\"name\":\"mode\",\"value\":{\"kind\":\"enum\",\"bits\":32,\"value\":-2,\"variant\":\"MODE_X\",\"is_signed\":true}},"
	"{\"name\":\"idle\",\"value\":{\"kind\":\"cpu_list\",\"cpus\":\"0-2\"}},"
	"{\"name\":\"task\",\"value\":{\"kind\":\"ptr\",\"value\":\"0xff00000000002000\",\"deref\":{\"kind\":\"uint\",\"bits\":32,"
	"\"value\":7},\"cast_annotation\":\"cast→kernel\"}},"
	"{\"name\":\"list\",\"value\":{\"kind\":\"array\",\"len\":3,\"elements\":[{\"kind\":\"uint\",\"bits\":32,\"value\":1},"
	"{\"kind\":\"uint\",\"bits\":32,\"value\":2},{\"kind\":\"uint\",\"bits\":32,\"value\":0}]}},"
	"{\"name\":\"raw\",\"value\":{\"kind\":\"bytes\",\"hex\":\"00ff\"}},"
	"{\"name\":\"cut\",\"value\":{\"kind\":\"truncated\",\"needed\":8,\"had\":4,\"partial\":{\"kind\":\"bytes\",\"hex\":\"01020304\"}}},"
	"{\"name\":\"odd\",\"value\":{\"kind\":\"unsupported\",\"reason\":\"NaN\"}}]}},"
	"{\"name\":\"h\",\"map_type\":\"hash\",\"value_size\":8,\"max_entries\":10,\"entries\":[{\"key\":{\"kind\":\"uint\",\"bits\":32,"
	"\"value\":1},\"key_hex\":\"01000000\",\"value\":{\"kind\":\"uint\",\"bits\":64,\"value\":10},\"value_hex\":\"0a\"},"
	"{\"key\":{\"kind\":\"uint\",\"bits\":32,\"value\":2},\"value\":{\"kind\":\"uint\",\"bits\":64,\"value\":200}}]},"
	"{\"name\":\"p\",\"map_type\":\"percpu_array\",\"value_size\":8,\"max_entries\":1,\"percpu_entries\":[{\"key\":0,\"per_cpu\":["
	"{\"kind\":\"uint\",\"bits\":64,\"value\":3},null,{\"kind\":\"uint\",\"bits\":64,\"value\":3}]}]},"
	"{\"name\":\"q\",\"map_type\":\"queue\",\"value_size\":8,\"max_entries\":4,\"error\":\"contents of this type are not read\"}],"
	"\"vcpu_regs\":[{\"instruction_pointer\":\"0xffffffff81000000\",\"stack_pointer\":\"0x10\",\"page_table_root\":\"0x2000\","
	"\"symbol\":\"schedule\"},null],"
	"\"task_enrichments\":[{\"task_kva\":\"0xff00000000002000\",\"pid\":42,\"tgid\":42,\"comm\":\"worker\",\"weight\":100,"
	"\"prio\":120,\"static_prio\":120,\"normal_prio\":120,\"rt_priority\":0,\"sched_class\":\"ext\",\"nvcsw\":5,\"nivcsw\":6}],"
	"\"dsq_states\":[{\"id\":\"9223372036854775809\",\"origin\":\"global node 0\",\"nr\":1,\"seq\":3,"
	"\"task_kvas\":[\"0xff00000000002000\"]}],"
	"\"scx_sched_state\":{\"exit_kind\":1026,\"bypass_depth\":-1,\"ops_name\":\"foo\"},"
	"\"cgroup_psi\":[{\"cgroup\":\"cg_0\",\"id\":42,\"has_children\":true,\"cpu_some\":{\"avg10_pct\":12.5,\"total_us\":1234567},"
	"\"cpu_full\":{\"avg10_pct\":0.0,\"total_us\":999}},{\"cgroup\":\"cg_0/a\",\"id\":43}],"
	"\"cgroup_psi_irq_unavailable\":\"no IRQ time\",\"cgroup_psi_truncated\":true,"
	"\"dump_truncated_at_us\":1500}";

static void everything_survives_the_way_to_structs_and_back(void **state)
{
	struct ktstr_failure_dump_any dump, again;
	_cleanup_free_ char *first = NULL, *second = NULL;
	const struct ktstr_rendered_value *bss;

	(void)state;
	parse(everything, &dump);
	assert_int_equal(dump.schema, KTSTR_DUMP_SINGLE);
	assert_int_equal(dump.single->maps_count, 4);
	bss = dump.single->maps[0].value;
	assert_true(ktstr_rendered_member(bss, "count")->number == UINT64_MAX);
	assert_true((int64_t)ktstr_rendered_member(bss, "mode")->number == -2);
	assert_int_equal(ktstr_rendered_peel(ktstr_rendered_member(bss, "task"))->number, 7);
	assert_null(ktstr_rendered_member(bss, "nothing"));
	assert_null(dump.single->vcpu_regs[1]);
	assert_null(dump.single->maps[2].percpu_entries[0].per_cpu[1]);
	assert_true(dump.single->dsq_states[0].id == (UINT64_C(1) << 63) + 1);
	assert_true(dump.single->dump_truncated_at_us.set);
	assert_true(dump.single->cgroup_psi[0].has_children && dump.single->cgroup_psi[0].cpu_some->avg10_pct == 12.5);
	assert_null(dump.single->cgroup_psi[0].irq_full);
	assert_false(dump.single->task_enrichments[0].pgid.set);
	first = ktstr_failure_dump_to_json(&dump);
	parse(first, &again);
	second = ktstr_failure_dump_to_json(&again);
	assert_string_equal(first, second);
	ktstr_failure_dump_deinit(&dump);
	ktstr_failure_dump_deinit(&again);
}

static void what_is_no_dump_is_refused_by_its_place(void **state)
{
	(void)state;
	assert_refused("", "not JSON");
	assert_refused("{\"schema\":", "line 1");
	assert_refused("[]", "no \"schema\"");
	assert_refused("{\"maps\":[]}", "no \"schema\"");
	assert_refused("{\"schema\":\"triple\"}", "unknown \"schema\"");
	assert_refused("{\"schema\":\"single\",\"maps\":{}}", "maps: expected a list");
	assert_refused("{\"schema\":\"single\",\"maps\":[{\"name\":\"a\",\"map_type\":\"hash\",\"value_size\":-1,\"max_entries\":1}]}",
		       "maps[0].value_size: expected a number, not negative");
	assert_refused("{\"schema\":\"single\",\"maps\":[{\"map_type\":\"hash\"}]}", "maps[0].name: expected to be there");
	assert_refused("{\"schema\":\"single\",\"maps\":[{\"name\":\"a\",\"map_type\":\"array\",\"value_size\":1,\"max_entries\":1,"
		       "\"value\":{\"kind\":\"nonsense\"}}]}",
		       "maps[0].value: expected a kind that is known");
	assert_refused("{\"schema\":\"single\",\"active_map_kvas\":[\"0xzz\"]}", "active_map_kvas[0]");
	assert_refused("{\"schema\":\"dual\"}", "late: expected to be there");
	assert_refused("{\"schema\":\"dual\",\"late\":{\"schema\":\"degraded\"}}", "late: expected a dump of schema \"single\"");
	assert_refused("{\"schema\":\"degraded\"}", "reason: expected to be there");
}

static void placeholders_say_why_in_every_part(void **state)
{
	struct ktstr_failure_dump_any dump = { .single = ktstr_failure_dump_placeholder("the guest died"), };
	_cleanup_free_ char *json = ktstr_failure_dump_to_json(&dump), *text = ktstr_failure_dump_to_text(&dump, NULL);

	(void)state;
	assert_non_null(strstr(json, "\"is_placeholder\": true"));
	assert_non_null(strstr(text, "no dump was taken"));
	assert_non_null(strstr(text, "unavailable: the guest died"));
	ktstr_failure_dump_deinit(&dump);
}

static void assert_text(const char *json, const char *expected)
{
	struct ktstr_failure_dump_any dump;
	_cleanup_free_ char *text = NULL;

	parse(json, &dump);
	text = ktstr_failure_dump_to_text(&dump, NULL);
	if (!strstr(text, expected))
		fail_msg("lacks:\n%s\nin:\n%s", expected, text);
	ktstr_failure_dump_deinit(&dump);
}

static void text_has_every_part(void **state)
{
	(void)state;
	assert_text(everything, "count=18446744073709551615, offset=-5, on=true\n");
	assert_text(everything, "letter='A', half=0.5, mode=MODE_X (-2)\n");
	assert_text(everything, "idle=cpus={0-2}");
	assert_text(everything, "task=0xff00000000002000 (cast→kernel) → 7\n");
	assert_text(everything, "list=[0..1]={0x1, 0x2}\n");
	assert_text(everything, "raw=00ff\n");
	assert_text(everything, "cut=01020304 [4 of 8 bytes]");
	assert_text(everything, "odd=<NaN>");
	assert_text(everything, "    keys | values\n       1 |     10\n       2 |    200\n");
	assert_text(everything, "    [0] cpu 0,2: 3, cpu 1: <unmapped>\n");
	assert_text(everything, "contents of this type are not read");
	assert_text(everything, "never stood still");
	assert_text(everything, "queue global node 0 GLOBAL, 1 tasks: worker (42)\n");
	assert_text(everything, "exit_kind ERROR_STALL (1026), bypass_depth -1");
	assert_text(everything, "  cgroup  id    cpu some  cpu full");
	assert_text(everything, "  cg_0    42  12.50/1234    0.00/0");
	assert_text(everything, "  no irq full: no IRQ time\n  (there are more cgroups, or some could not be read)\n");
	assert_text(everything, "after 1500 us");
	assert_text("{\"schema\":\"single\"}", "(empty failure dump)\n");
	assert_text("{\"schema\":\"degraded\",\"reason\":\"vCPU rendezvous timed out\",\"exit_kind\":1025,\"vcpu_regs\":[null]}",
		    "degraded dump: vCPU rendezvous timed out\nexit_kind ERROR_BPF (1025)\n");
	assert_text("{\"schema\":\"dual\",\"early_skipped_reason\":\"no scan\",\"late\":{\"schema\":\"single\"}}",
		    "not taken: no scan\n=== late dump\n(empty failure dump)\n");
}

static void the_task_that_waits_longest_is_named(void **state)
{
#define TASK(PID, COMM, MORE) "{\"task_kva\":\"0x" PID "\",\"pid\":" PID ",\"tgid\":1,\"comm\":\"" COMM "\"" MORE "}"
#define WAITING                                                                                                        \
	"{\"schema\":\"single\",\"task_enrichments\":[" TASK("70", "runs", "") ","                                       \
	TASK("71", "waits", ",\"cpu\":3,\"runnable_for_ms\":3488") ","                                                 \
	TASK("72", "later", ",\"cpu\":1,\"runnable_for_ms\":20,\"pi_boosted_out_of_scx\":true") "],"                   \
	"\"scx_sched_state\":{\"exit_kind\":1026,\"bypass_depth\":0},\"dsq_states\":[{\"id\":1,\"origin\":\"user\",\"nr\":1,\"seq\":1,"
	(void)state;
	assert_text(WAITING "\"task_kvas\":[\"0x71\"]}]}", "  waits longest: waits (71), 3488 ms, on cpu 3, in queue user DSQ(0x1)\n");
	assert_text(WAITING "\"task_kvas\":[\"0x72\"]}]}", "  waits longest: waits (71), 3488 ms, on cpu 3, in no queue of the kernel\n");
	assert_text(WAITING "\"truncated\":true}]}", "  waits longest: waits (71), 3488 ms, on cpu 3\n");
	assert_text(WAITING "\"truncated\":true}]}", "runnable for 20 ms, boosted out of sched_ext\n");
#undef WAITING
#undef TASK
}

/* What a report shows of a dump. */
static void the_short_text_has_the_variables_of_the_scheduler(void **state)
{
#define SECTION(NAME)                                                                                                  \
	"{\"name\":\"" NAME "\",\"map_type\":\"array\",\"value_size\":8,\"max_entries\":1,\"value\":{\"kind\":\"struct\","   \
	"\"type_name\":\"s\",\"members\":[{\"name\":\"nr\",\"value\":{\"kind\":\"uint\",\"bits\":64,\"value\":7}}]}}"
	static const struct ktstr_dump_text_options brief = { .sched_ext_only = true };
	struct ktstr_failure_dump_any dump;
	_cleanup_free_ char *text = NULL;

	(void)state;
	parse("{\"schema\":\"single\",\"active_obj_name\":\"foo\",\"maps\":[" SECTION("foo.bss") "," SECTION("foo.rodata") "," SECTION(
		      "other.bss") "],\"scx_sched_state\":{\"exit_kind\":1025,\"bypass_depth\":0}}",
	      &dump);
	text = ktstr_failure_dump_to_text(&dump, &brief);
	assert_string_equal(text, "  scheduler ?: exit_kind ERROR_BPF (1025), bypass_depth 0\n"
				  "  foo.bss (array, value 8 bytes, max 1)\n    s{nr=7}\n");
	ktstr_failure_dump_deinit(&dump);
#undef SECTION
}

static void assert_value(const char *json, const char *expected)
{
	json_t *tree = json_loads(json, 0, NULL);
	struct ktstr_rendered_value value = { 0 };
	_cleanup_free_ char *text = NULL;

	assert_non_null(tree);
	assert_null(ktstr_shape_from_json(&ktstr_value_shape, tree, &value));
	text = ktstr_rendered_to_text(&value);
	assert_string_equal(text, expected);
	ktstr_shape_deinit(&ktstr_value_shape, &value);
	json_decref(tree);
}

/* An array of 8-bit or 32-bit numbers in JSON. */
static char *array_of(unsigned int bits, const unsigned int *numbers, size_t count)
{
	struct ktstr_str text = { 0 };

	ktstr_str_addf(&text, "{\"kind\":\"array\",\"len\":%zu,\"elements\":[", count);
	for (size_t i = 0; i < count; i++)
		ktstr_str_addf(&text, "%s{\"kind\":\"uint\",\"bits\":%u,\"value\":%u}", i ? "," : "", bits, numbers[i]);
	ktstr_str_add(&text, "]}");
	return ktstr_str_take(&text);
}

static void assert_array(unsigned int bits, const unsigned int *numbers, size_t count, const char *expected)
{
	_cleanup_free_ char *json = array_of(bits, numbers, count);

	assert_value(json, expected);
}

static void arrays_leave_out_what_is_zero(void **state)
{
	(void)state;
	assert_array(32, (unsigned int[]){ 0, 0, 0 }, 3, "[all 3 zero]");
	assert_array(32, (unsigned int[]){ 0, 5, 0 }, 3, "[1]=0x5");
	assert_array(16, (unsigned int[]){ 7, 7, 7, 0, 1, 2 }, 6, "[0..2]=7 [4..5]={1, 2}");
	assert_array(8, (unsigned int[]){ 'h', 'i', 0, 0 }, 4, "\"hi\"");
	assert_array(8, (unsigned int[]){ 'h', 'i', 0, 1 }, 4, "[0..1]={104, 105} [3]=1");
	assert_array(8, NULL, 0, "[]");
	assert_value("{\"kind\":\"array\",\"len\":9,\"elements\":[{\"kind\":\"int\",\"bits\":32,\"value\":1}]}",
		     "[0]=1 [8 more not read]");
}

#define INT(NAME, VALUE) "{\"name\":\"" NAME "\",\"value\":{\"kind\":\"int\",\"bits\":32,\"value\":" VALUE "}}"
#define LONG_NAME "a_member_with_a_name_that_is_so_long_that_few_of_them_fit"

static void structs_take_one_line_when_they_fit(void **state)
{
	(void)state;
	assert_value("{\"kind\":\"struct\",\"type_name\":\"t\",\"members\":[" INT("a", "1") "," INT("z", "0") "," INT("b", "2") "]}",
		     "t{a=1, b=2}");
	assert_value("{\"kind\":\"struct\",\"type_name\":\"t\",\"members\":[" INT("z", "0") "]}", "t{}");
	/* Anonymous members are flattened. */
	assert_value("{\"kind\":\"struct\",\"members\":[{\"name\":\"\",\"value\":{\"kind\":\"struct\",\"members\":[" INT("u", "3")
		     "]}}]}",
		     "{u=3}");
	assert_value("{\"kind\":\"struct\",\"type_name\":\"t\",\"members\":[" INT("a", "1") "," INT(LONG_NAME, "2") "," INT("c", "3")
		     "," INT(LONG_NAME "_too", "4") ",{\"name\":\"in\",\"value\":{\"kind\":\"struct\",\"type_name\":\"s\",\"members\":["
		     INT("x", "9") "]}}]}",
		     "t:\n  a=1, " LONG_NAME "=2, c=3\n  " LONG_NAME "_too=4\n  in=s{x=9}");
	assert_value("{\"kind\":\"ptr\",\"value\":\"0x10\",\"deref_skipped_reason\":\"cycle at depth 3\"}", "0x10 [cycle]");
	assert_value("{\"kind\":\"ptr\",\"value\":\"0x10\",\"deref_skipped_reason\":\"not mapped\"}", "0x10 [chase: not mapped]");
}

static void names_of_a_guest_cannot_drive_a_terminal(void **state)
{
	(void)state;
	assert_text("{\"schema\":\"single\",\"maps\":[{\"name\":\"\\u001b[2J\",\"map_type\":\"hash\",\"value_size\":1,"
		    "\"max_entries\":1}]}",
		    "  \\x1b[2J (hash");
}

static void percpu_structs_have_common_and_varying_members(void **state)
{
	(void)state;
#define SLOT_OF(X) "{\"kind\":\"struct\",\"type_name\":\"s\",\"members\":[" INT("same", "7") "," INT("x", X) "]}"
	assert_text("{\"schema\":\"single\",\"maps\":[{\"name\":\"p\",\"map_type\":\"percpu_array\",\"value_size\":8,\"max_entries\":1,"
		    "\"percpu_entries\":[{\"key\":0,\"per_cpu\":[" SLOT_OF("1") "," SLOT_OF("22") "]}]}]}",
		    "    [0]\n      common: same=7\n      per-cpu:   x\n             0   1\n             1  22\n");
	assert_text("{\"schema\":\"single\",\"maps\":[{\"name\":\"p\",\"map_type\":\"percpu_array\",\"value_size\":8,\"max_entries\":1,"
		    "\"percpu_entries\":[{\"key\":0,\"per_cpu\":[" SLOT_OF("1") "," SLOT_OF("1") "," SLOT_OF("2") "]}]}]}",
		    "      cpu 0-1: s{same=7, x=1}\n      cpu 2: s{same=7, x=2}\n");
}

/* The schema's definition of a shape has the shape's members, those that must be there as such, and no others. */
static void compare(const json_t *definitions, const struct ktstr_shape *shape, const char *name)
{
	const json_t *definition = json_object_get(definitions, name);
	const json_t *properties = json_object_get(definition, "properties"), *required = json_object_get(definition, "required");
	size_t extra = json_object_get(properties, "schema") || json_object_get(properties, "kind"), i;

	if (!definition)
		fail_msg("the schema lacks %s", name);
	assert_int_equal(json_object_size(properties), shape->slots_count + extra);
	for (size_t s = 0; s < shape->slots_count; s++) {
		bool must = false;
		json_t *key;

		json_array_foreach((json_t *)required, i, key)
			must |= !strcmp(json_string_value(key), shape->slots[s].key);
		if (!json_object_get(properties, shape->slots[s].key))
			fail_msg("the schema's %s lacks %s", name, shape->slots[s].key);
		if (must != ((shape->slots[s].flags & KTSTR_SLOT_REQUIRED) != 0))
			fail_msg("%s.%s is required by only one of schema and table", name, shape->slots[s].key);
	}
}

static void schema_and_tables_agree(void **state)
{
	json_t *schema = json_load_file(KTSTR_SOURCE_DIR "/docs/schema/failure-dump.schema.json", 0, NULL);
	const json_t *definitions = json_object_get(schema, "$defs");
	char name[64];

	(void)state;
	assert_non_null(definitions);
	for (size_t i = 0; i < ktstr_dump_shapes_count; i++)
		compare(definitions, ktstr_dump_shapes[i], ktstr_dump_shapes[i]->name);
	for (int kind = 0; kind < KTSTR_RENDERED_KINDS; kind++) {
		snprintf(name, sizeof(name), "value_%s", ktstr_value_shapes[kind].name);
		compare(definitions, &ktstr_value_shapes[kind], name);
	}
	json_decref(schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_survives_the_way_to_structs_and_back),
		cmocka_unit_test(what_is_no_dump_is_refused_by_its_place),
		cmocka_unit_test(placeholders_say_why_in_every_part),
		cmocka_unit_test(text_has_every_part),
		cmocka_unit_test(the_task_that_waits_longest_is_named),
		cmocka_unit_test(the_short_text_has_the_variables_of_the_scheduler),
		cmocka_unit_test(arrays_leave_out_what_is_zero),
		cmocka_unit_test(structs_take_one_line_when_they_fit),
		cmocka_unit_test(names_of_a_guest_cannot_drive_a_terminal),
		cmocka_unit_test(percpu_structs_have_common_and_varying_members),
		cmocka_unit_test(schema_and_tables_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
