// SPDX-License-Identifier: GPL-2.0-only
/* Accessors of dumps: what they find, and what they say when they do not. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ktstr/snapshot.h"
#include "snapshot/select.h"
#include "unit.h"

#define U64(NAME, VALUE) "{\"name\":\"" NAME "\",\"value\":{\"kind\":\"uint\",\"bits\":64,\"value\":" VALUE "}}"
#define SECTION(MAP, KVA, MEMBERS)                                                                                     \
	"{\"name\":\"" MAP "\",\"map_kva\":\"" KVA "\",\"map_type\":\"array\",\"value_size\":8,\"max_entries\":1,"     \
	"\"value\":{\"kind\":\"struct\",\"type_name\":\".bss\",\"members\":[" MEMBERS "]}}"
#define SLOT(VALUE) "{\"kind\":\"struct\",\"members\":[" U64("n", VALUE) "]}"

static const char maps[] =
	"[" SECTION("foo.bss", "0x1000", U64("count", "5") "," U64("nr_enqueues", "7")
		    ",{\"name\":\"in\",\"value\":{\"kind\":\"struct\",\"members\":[{\"name\":\"\",\"value\":{\"kind\":\"struct\","
		    "\"members\":[" U64("deep", "9") "]}},{\"name\":\"list\",\"value\":{\"kind\":\"array\",\"len\":2,\"elements\":["
		    "{\"kind\":\"uint\",\"bits\":32,\"value\":3},{\"kind\":\"uint\",\"bits\":64,\"value\":4294967296}]}}]}}"
		    ",{\"name\":\"neg\",\"value\":{\"kind\":\"int\",\"bits\":32,\"value\":-3}}"
		    ",{\"name\":\"mode\",\"value\":{\"kind\":\"enum\",\"bits\":32,\"value\":2,\"variant\":\"FAST\",\"is_signed\":false}}"
		    ",{\"name\":\"ratio\",\"value\":{\"kind\":\"float\",\"bits\":64,\"value\":0.5}}"
		    ",{\"name\":\"task\",\"value\":{\"kind\":\"ptr\",\"value\":\"0xffff888000001000\",\"deref\":{\"kind\":\"struct\","
		    "\"members\":[" U64("pid", "42") "]}}}"
		    ",{\"name\":\"wide\",\"value\":{\"kind\":\"uint\",\"bits\":64,\"value\":\"18446744073709551615\"}}") ","
	    SECTION("foo.data", "0x2000", U64("limit", "1")) ","
	    SECTION("old.bss", "0x3000", U64("count", "90") "," U64("only_old", "1")) ","
	    "{\"name\":\"h\",\"map_type\":\"hash\",\"value_size\":8,\"max_entries\":9,\"entries\":["
	    "{\"key\":{\"kind\":\"uint\",\"bits\":32,\"value\":10},\"value\":" SLOT("1") "},"
	    "{\"key\":{\"kind\":\"uint\",\"bits\":32,\"value\":20},\"value\":" SLOT("4") "},"
	    "{\"key\":{\"kind\":\"uint\",\"bits\":32,\"value\":30},\"value\":" SLOT("4") "},{\"key_hex\":\"00\"}]},"
	    "{\"name\":\"p\",\"map_type\":\"percpu_array\",\"value_size\":8,\"max_entries\":2,\"percpu_entries\":["
	    "{\"key\":0,\"per_cpu\":[" SLOT("\"18446744073709551615\"") ",null," SLOT("2") "]},{\"key\":1,\"per_cpu\":[null,null]}]},"
	    "{\"name\":\"q\",\"map_type\":\"queue\",\"value_size\":8,\"max_entries\":2,\"error\":\"not read\"}]";

struct fixture {
	struct ktstr_failure_dump_any dump;
	struct ktstr_snapshot snapshot;
};

static void open_dump(struct fixture *fixture, const char *keys)
{
	_cleanup_free_ char *json = NULL;
	struct ktstr_error *error;

	if (asprintf(&json, "{\"schema\":\"single\",%s\"maps\":%s}", keys, maps) < 0)
		abort();
	error = ktstr_failure_dump_parse(json, strlen(json), &fixture->dump);
	if (error)
		fail_msg("%s", ktstr_error_message(error));
	fixture->snapshot = ktstr_snapshot_open(fixture->dump.single);
}

static void close_dump(struct fixture *fixture)
{
	ktstr_snapshot_close(&fixture->snapshot);
	ktstr_failure_dump_deinit(&fixture->dump);
}

static void assert_error(const struct ktstr_snapshot_error *error, enum ktstr_snapshot_error_kind kind, const char *message)
{
	assert_non_null(error);
	if (error->kind != kind || !strstr(error->message, message))
		fail_msg("%s: %s\nwanted %s: %s", ktstr_snapshot_error_kind_name(error->kind), error->message,
			 ktstr_snapshot_error_kind_name(kind), message);
}

static uint64_t u64_of(struct ktstr_snapshot_field field)
{
	uint64_t value = 0;
	const struct ktstr_snapshot_error *error = ktstr_snapshot_field_as_u64(field, &value);

	if (error)
		fail_msg("%s", error->message);
	return value;
}

static void variables_and_maps_by_name(void **state)
{
	struct fixture f;
	struct ktstr_snapshot_map map;

	(void)state;
	open_dump(&f, "");
	assert_int_equal(u64_of(ktstr_snapshot_var(&f.snapshot, "nr_enqueues")), 7);
	assert_int_equal(u64_of(ktstr_snapshot_var(&f.snapshot, "limit")), 1);
	assert_error(ktstr_snapshot_var(&f.snapshot, "nr_enqueue").error, KTSTR_SNAPSHOT_VAR_NOT_FOUND,
		     "did you mean \"nr_enqueues\"?");
	map = ktstr_snapshot_map(&f.snapshot, "foo.bs");
	assert_error(map.error, KTSTR_SNAPSHOT_MAP_NOT_FOUND, "maps: foo.bss, foo.data, old.bss, h, p, q");
	/* The error sticks. */
	assert_ptr_equal(ktstr_snapshot_map_at(&map, 3).error, map.error);
	close_dump(&f);
}

static void ambiguous_variables_are_the_active_schedulers(void **state)
{
	struct fixture f;
	struct ktstr_snapshot active;
	struct ktstr_snapshot_field *all;
	size_t count;

	(void)state;
	open_dump(&f, "");
	assert_error(ktstr_snapshot_var(&f.snapshot, "count").error, KTSTR_SNAPSHOT_AMBIGUOUS_VAR, "foo.bss, old.bss");
	assert_error(ktstr_snapshot_active(&f.snapshot).error, KTSTR_SNAPSHOT_NO_ACTIVE_SCHEDULER, "several objects");
	all = ktstr_snapshot_vars(&f.snapshot, "count", &count);
	assert_int_equal(count, 2);
	assert_int_equal(u64_of(all[1]), 90);
	free(all);
	close_dump(&f);

	open_dump(&f, "\"active_obj_name\":\"foo\",\"active_map_kvas\":[\"0x1000\",\"0x2000\"],");
	assert_int_equal(u64_of(ktstr_snapshot_var(&f.snapshot, "count")), 5);
	assert_int_equal(u64_of(ktstr_snapshot_var(&f.snapshot, "only_old")), 1);
	assert_error(ktstr_snapshot_live_var(&f.snapshot, "only_old").error, KTSTR_SNAPSHOT_ACTIVE_FILTER_EXCLUDED_MAPS,
		     "do not belong to the active scheduler foo have it: old.bss");
	active = ktstr_snapshot_active(&f.snapshot);
	assert_error(ktstr_snapshot_map(&active, "old.bss").error, KTSTR_SNAPSHOT_MAP_NOT_FOUND, "maps: foo.bss, foo.data");
	close_dump(&f);

	/* Two copies of one object: the addresses tell. */
	open_dump(&f, "\"active_obj_name\":\"foo\",\"active_map_kvas\":[\"0x9000\"],");
	assert_error(ktstr_snapshot_live_var(&f.snapshot, "count").error, KTSTR_SNAPSHOT_ACTIVE_FILTER_EXCLUDED_MAPS, "0x9000");
	close_dump(&f);
}

static int pick_none(const struct ktstr_snapshot_row *rows, size_t count, void *context)
{
	(void)rows, (void)count, (void)context;
	return -1;
}

static void copies_are_picked_as_rows(void **state)
{
	static const char *const names[] = { "count", "nr_enqueues" };
	struct ktstr_snapshot_field fields[2];
	struct fixture f;

	(void)state;
	open_dump(&f, "");
	assert_int_equal(u64_of(ktstr_snapshot_live_var_via(&f.snapshot, "count", ktstr_snapshot_max_by_counter_value, NULL)), 90);
	/* Only foo.bss has both. */
	assert_null(ktstr_snapshot_live_vars_via(&f.snapshot, names, 2, ktstr_snapshot_max_by_sum_u64, NULL, fields));
	assert_int_equal(u64_of(fields[0]), 5);
	assert_int_equal(u64_of(fields[1]), 7);
	assert_error(ktstr_snapshot_live_var_via(&f.snapshot, "count", pick_none, NULL).error, KTSTR_SNAPSHOT_PROJECTION_FAILED,
		     "count: none of the copies could be picked");
	/* A row with a field that is no u64 is out. */
	assert_error(ktstr_snapshot_live_var_via(&f.snapshot, "neg", ktstr_snapshot_max_by_sum_u64, NULL).error,
		     KTSTR_SNAPSHOT_PROJECTION_FAILED, "neg");
	close_dump(&f);
}

static void fields_by_path(void **state)
{
	struct ktstr_snapshot_field in;
	struct fixture f;

	(void)state;
	open_dump(&f, "");
	in = ktstr_snapshot_var(&f.snapshot, "in");
	assert_int_equal(u64_of(ktstr_snapshot_field_get(in, "deep")), 9);
	assert_int_equal(u64_of(ktstr_snapshot_field_get(in, "list[0]")), 3);
	assert_int_equal(u64_of(ktstr_snapshot_field_get(in, "list.1")), UINT64_C(4294967296));
	assert_int_equal(u64_of(ktstr_snapshot_field_get(ktstr_snapshot_var(&f.snapshot, "task"), "pid")), 42);
	assert_true(ktstr_snapshot_field_is_present(ktstr_snapshot_field_get(in, "")));
	assert_error(ktstr_snapshot_field_get(in, "dep").error, KTSTR_SNAPSHOT_FIELD_NOT_FOUND, "did you mean \"deep\"?");
	assert_error(ktstr_snapshot_field_get(in, "deep.x").error, KTSTR_SNAPSHOT_NOT_A_STRUCT, "deep has no members");
	assert_error(ktstr_snapshot_field_get(in, "deep.x.y").error, KTSTR_SNAPSHOT_NOT_A_STRUCT, "\"deep.x.y\": deep has no");
	assert_error(ktstr_snapshot_field_get(in, "list[1].x").error, KTSTR_SNAPSHOT_NOT_A_STRUCT, ": list[1] has no members");
	assert_error(ktstr_snapshot_field_get(in, "list[2]").error, KTSTR_SNAPSHOT_INDEX_OUT_OF_RANGE, "list: no entry 2, it has 2");
	assert_error(ktstr_snapshot_field_get(in, "list[2].x").error, KTSTR_SNAPSHOT_INDEX_OUT_OF_RANGE, "list: no entry 2");
	assert_error(ktstr_snapshot_field_get(in, "list.x").error, KTSTR_SNAPSHOT_NOT_A_STRUCT, "of kind array");
	assert_error(ktstr_snapshot_field_get(in, "a..b").error, KTSTR_SNAPSHOT_FIELD_NOT_FOUND, "no \"a\"");
	assert_error(ktstr_snapshot_field_get(in, ".deep").error, KTSTR_SNAPSHOT_EMPTY_PATH_COMPONENT, "empty component");
	close_dump(&f);
}

static void coercions(void **state)
{
	struct fixture f;
	struct ktstr_snapshot *s = &f.snapshot;
	_cleanup_free_ uint64_t *wide = NULL;
	_cleanup_free_ uint32_t *narrow = NULL;
	const char *name;
	size_t count;
	uint64_t u;
	int64_t i;
	double d;
	bool b;

	(void)state;
	open_dump(&f, "");
	assert_error(ktstr_snapshot_field_as_u64(ktstr_snapshot_var(s, "neg"), &u), KTSTR_SNAPSHOT_TYPE_MISMATCH, "got int");
	assert_null(ktstr_snapshot_field_as_i64(ktstr_snapshot_var(s, "neg"), &i));
	assert_int_equal(i, -3);
	assert_null(ktstr_snapshot_field_as_f64(ktstr_snapshot_var(s, "neg"), &d));
	assert_true(d == -3);
	assert_non_null(ktstr_snapshot_field_as_i64(ktstr_snapshot_var(s, "wide"), &i));
	assert_null(ktstr_snapshot_field_as_str(ktstr_snapshot_var(s, "mode"), &name));
	assert_string_equal(name, "FAST");
	assert_int_equal(u64_of(ktstr_snapshot_var(s, "mode")), 2);
	assert_null(ktstr_snapshot_field_as_f64(ktstr_snapshot_var(s, "ratio"), &d));
	assert_true(d == 0.5);
	assert_non_null(ktstr_snapshot_field_as_u64(ktstr_snapshot_var(s, "ratio"), &u));
	assert_null(ktstr_snapshot_field_as_bool(ktstr_snapshot_var(s, "ratio"), &b));
	assert_true(b);
	/* A pointer is an address, whether or not it was followed. */
	assert_true(u64_of(ktstr_snapshot_var(s, "task")) == UINT64_C(0xffff888000001000));
	assert_non_null(ktstr_snapshot_field_as_f64(ktstr_snapshot_var(s, "task"), &d));
	assert_error(ktstr_snapshot_field_as_bool(ktstr_snapshot_var(s, "in"), &b), KTSTR_SNAPSHOT_TYPE_MISMATCH, "got struct");
	assert_null(ktstr_snapshot_field_as_u64_array(ktstr_snapshot_field_get(ktstr_snapshot_var(s, "in"), "list"), &wide, &count));
	assert_int_equal(count, 2);
	assert_int_equal(wide[0], 3);
	assert_error(ktstr_snapshot_field_as_u32_array(ktstr_snapshot_field_get(ktstr_snapshot_var(s, "in"), "list"), &narrow, &count),
		     KTSTR_SNAPSHOT_TYPE_MISMATCH, "32 bits");
	assert_null(narrow);
	close_dump(&f);
}

static bool n_is_four(const struct ktstr_snapshot_entry *entry, void *context)
{
	uint64_t n;

	(void)context;
	return !ktstr_snapshot_field_as_u64(ktstr_snapshot_entry_get(entry, "n"), &n) && n == 4;
}

static bool never(const struct ktstr_snapshot_entry *entry, void *context)
{
	(void)entry, (void)context;
	return false;
}

static struct ktstr_opt_f64 score_n(const struct ktstr_snapshot_entry *entry, void *context)
{
	struct ktstr_opt_f64 score = { 0 };

	(void)context;
	score.set = !ktstr_snapshot_field_as_f64(ktstr_snapshot_entry_get(entry, "n"), &score.value);
	return score;
}

static void entries_of_maps(void **state)
{
	struct fixture f;
	struct ktstr_snapshot_map h, q;
	struct ktstr_snapshot_entry entry, *some;
	size_t count;

	(void)state;
	open_dump(&f, "");
	h = ktstr_snapshot_map(&f.snapshot, "h");
	assert_int_equal(ktstr_snapshot_map_len(&h), 4);
	entry = ktstr_snapshot_map_at(&h, 1);
	assert_int_equal(u64_of(ktstr_snapshot_entry_key(&entry, "")), 20);
	assert_error(ktstr_snapshot_map_at(&h, 4).error, KTSTR_SNAPSHOT_INDEX_OUT_OF_RANGE, "h: no entry 4, it has 4");
	entry = ktstr_snapshot_map_find(&h, n_is_four, NULL);
	assert_int_equal(u64_of(ktstr_snapshot_entry_key(&entry, "")), 20);
	entry = ktstr_snapshot_map_max_by(&h, score_n, NULL); /* the last of equal ones */
	assert_int_equal(u64_of(ktstr_snapshot_entry_key(&entry, "")), 30);
	some = ktstr_snapshot_map_filter(&h, n_is_four, NULL, &count);
	assert_int_equal(count, 2);
	free(some);
	assert_error(ktstr_snapshot_map_find(&h, never, NULL).error, KTSTR_SNAPSHOT_NO_MATCH,
		     "find matched none of 4; first keys: 10, 20, 30");
	entry = ktstr_snapshot_map_at(&h, 3);
	assert_error(ktstr_snapshot_entry_get(&entry, "n").error, KTSTR_SNAPSHOT_NO_RENDERED, "the value");
	q = ktstr_snapshot_map(&f.snapshot, "q");
	assert_error(ktstr_snapshot_map_at(&q, 0).error, KTSTR_SNAPSHOT_MAP_RENDER_INCOMPLETE, "not read");
	close_dump(&f);
}

static void per_cpu_entries(void **state)
{
	struct fixture f;
	struct ktstr_snapshot_map p, narrowed;
	struct ktstr_snapshot_entry entry;
	uint64_t result;
	double real;

	(void)state;
	open_dump(&f, "");
	p = ktstr_snapshot_map(&f.snapshot, "p");
	entry = ktstr_snapshot_map_at(&p, 0);
	assert_error(ktstr_snapshot_entry_get(&entry, "n").error, KTSTR_SNAPSHOT_PER_CPU_NOT_NARROWED, "cpu(n)");
	narrowed = ktstr_snapshot_map_cpu(p, 2);
	entry = ktstr_snapshot_map_at(&narrowed, 0);
	assert_int_equal(u64_of(ktstr_snapshot_entry_get(&entry, "n")), 2);
	narrowed = ktstr_snapshot_map_cpu(p, 1);
	entry = ktstr_snapshot_map_at(&narrowed, 0);
	assert_error(ktstr_snapshot_entry_get(&entry, "n").error, KTSTR_SNAPSHOT_PER_CPU_SLOT, "could not be read");
	narrowed = ktstr_snapshot_map_cpu(p, 7);
	entry = ktstr_snapshot_map_at(&narrowed, 0);
	assert_error(ktstr_snapshot_entry_get(&entry, "n").error, KTSTR_SNAPSHOT_PER_CPU_SLOT, "no CPU 7, it has 3");
	assert_null(ktstr_snapshot_entry_cpu_sum_u64(&entry, "n", &result));
	assert_true(result == UINT64_MAX); /* saturates */
	assert_null(ktstr_snapshot_entry_cpu_min_u64(&entry, "n", &result));
	assert_int_equal(result, 2);
	assert_null(ktstr_snapshot_entry_cpu_max_f64(&entry, "n", &real));
	assert_true(real == 0x1p64);
	assert_int_equal(u64_of(ktstr_snapshot_entry_key(&entry, "")), 0);
	assert_error(ktstr_snapshot_entry_cpu_sum_u64(&entry, "m", &result), KTSTR_SNAPSHOT_FIELD_NOT_FOUND, "no \"m\"");
	entry = ktstr_snapshot_map_at(&p, 1);
	assert_error(ktstr_snapshot_entry_cpu_sum_u64(&entry, "n", &result), KTSTR_SNAPSHOT_NO_MATCH, "of 2");
	/* cpu() means nothing to other maps. */
	assert_false(ktstr_snapshot_map_cpu(ktstr_snapshot_map(&f.snapshot, "h"), 1).cpu.set);
	close_dump(&f);
}

static void placeholders_have_nothing(void **state)
{
	struct ktstr_failure_dump *dump = ktstr_failure_dump_placeholder("the guest was gone");
	struct ktstr_snapshot snapshot = ktstr_snapshot_open(dump);

	(void)state;
	assert_error(ktstr_snapshot_var(&snapshot, "x").error, KTSTR_SNAPSHOT_PLACEHOLDER_SNAPSHOT, "the guest was gone");
	ktstr_snapshot_close(&snapshot);
	ktstr_failure_dump_free(dump);
}

static void statistics_by_path(void **state)
{
	json_t *stats = json_loads("{\"b\":{\"x\":\"12\",\"f\":3.0,\"g\":0.5,\"t\":true,\"list\":[1,2]},\"a\":1}", 0, NULL);
	struct fixture f;
	struct ktstr_json_field field;
	uint64_t u;
	double d;
	bool b;

	(void)state;
	open_dump(&f, "");
	field = ktstr_stats_path(&f.snapshot, stats, "b");
	assert_null(ktstr_json_field_as_u64(ktstr_json_field_get(field, "x"), &u));
	assert_int_equal(u, 12);
	assert_null(ktstr_json_field_as_u64(ktstr_json_field_get(field, "f"), &u));
	assert_int_equal(u, 3);
	assert_null(ktstr_json_field_as_u64(ktstr_json_field_get(field, "t"), &u));
	assert_int_equal(u, 1);
	assert_null(ktstr_json_field_as_u64(ktstr_stats_path(&f.snapshot, stats, "b.list.1"), &u));
	assert_int_equal(u, 2);
	assert_non_null(ktstr_json_field_as_u64(ktstr_json_field_get(field, "g"), &u));
	assert_null(ktstr_json_field_as_f64(ktstr_json_field_get(field, "g"), &d));
	assert_non_null(ktstr_json_field_as_bool(ktstr_json_field_get(field, "x"), &b));
	assert_error(ktstr_json_field_get(field, "list.9").error, KTSTR_SNAPSHOT_INDEX_OUT_OF_RANGE, "list: no entry 9, it has");
	assert_error(ktstr_json_field_get(field, "y").error, KTSTR_SNAPSHOT_FIELD_NOT_FOUND, "there are: f, g, list, t, x");
	close_dump(&f);
	json_decref(stats);
}

static void paths_as_people_type_them(void **state)
{
	static const struct {
		const char *path, *text;
	} cases[] = {
		{ "foo.bss.count", "5" }, { "foo.bss.in.list[0]", "3" }, { "nr_enqueues", "7" }, { "task.pid", "42" },
		{ "h[1].n", "4" },	  { "p[0@2].n", "2" },		 { "maps[3].name", "\"h\"" },
		{ "p[0].n", "cpu 0: 18446744073709551615\ncpu 2: 2" },
	};
	struct fixture f;

	(void)state;
	open_dump(&f, "");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_free_ char *text = NULL;

		assert_null(ktstr_dump_select(&f.dump, cases[i].path, false, &text));
		assert_string_equal(text, cases[i].text);
	}
	close_dump(&f);
}

static void paths_that_lead_nowhere(void **state)
{
	static const struct {
		const char *path, *message;
	} cases[] = {
		{ "nr_enqueue", "no map, variable or part of the dump is called \"nr_enqueue\"; did you mean \"nr_enqueues\"?" },
		{ "nr_enqueue", "\n  maps: foo.bss, foo.data, old.bss, h, p, q\n  parts: schema, maps" },
		{ "ph", "did you mean \"h\"?" },
		{ "active_obj_nam", "did you mean \"active_obj_name\"?" },
		{ "task.pit", "task: no \"pit\"; did you mean \"pid\"?" },
		{ "foo.bss.in.lis", "foo.bss: \"in.lis\": no \"lis\" in in; did you mean \"list\"?" },
		{ "maps[3].nme", "\"maps[3].nme\": no \"nme\" in maps[3]; did you mean \"name\"?" },
		{ "maps[9]", "maps: no entry 9, it has 6" },
		{ "h[9].n", "h: no entry 9, it has 4" },
		{ "h[x]", "h[x]: an entry is chosen by its place in the dump, h[0]" },
		{ "h[1", "h[1: an entry is chosen by its place in the dump, h[0]" },
		{ "p[0@]", "p[0@]: an entry is chosen by its place in the dump, p[0], a CPU's copy of it with [0@CPU]" },
		{ "p[0@3]", "p: no CPU 3, it has 3" },
		{ "p[0].m", "no \"m\"" },
		{ "p[1]", "matched none of 2" },
	};
	struct fixture f;

	(void)state;
	open_dump(&f, "\"active_obj_name\":\"foo\",");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_error_ struct ktstr_error *error = NULL;
		_cleanup_free_ char *text = NULL;

		error = ktstr_dump_select(&f.dump, cases[i].path, false, &text);
		if (!error || !strstr(ktstr_error_message(error), cases[i].message))
			fail_msg("%s: %s", cases[i].path, error ? ktstr_error_message(error) : text);
	}
	close_dump(&f);
}

static void the_early_dump_that_there_is_not(void **state)
{
	static const char json[] = "{\"schema\":\"dual\",\"late\":{\"schema\":\"single\"},\"early_skipped_reason\":\"no scan\"}";
	_cleanup_error_ struct ktstr_error *error = NULL;
	_cleanup_free_ char *text = NULL;
	struct ktstr_failure_dump_any dump;

	(void)state;
	assert_null(ktstr_failure_dump_parse(json, strlen(json), &dump));
	error = ktstr_dump_select(&dump, "early.nr", false, &text);
	assert_non_null(error);
	assert_string_equal(ktstr_error_message(error), "there is no early dump: no scan");
	ktstr_failure_dump_deinit(&dump);
}

static void a_degraded_dump_has_no_variables(void **state)
{
	static const char json[] = "{\"schema\":\"degraded\",\"reason\":\"late\"}";
	_cleanup_error_ struct ktstr_error *error = NULL;
	_cleanup_free_ char *text = NULL, *reason = NULL;
	struct ktstr_failure_dump_any dump;

	(void)state;
	assert_null(ktstr_failure_dump_parse(json, strlen(json), &dump));
	assert_null(ktstr_dump_select(&dump, "reason", false, &reason));
	assert_string_equal(reason, "\"late\"");
	error = ktstr_dump_select(&dump, "nr_enqueues", false, &text);
	assert_non_null(error);
	assert_non_null(strstr(ktstr_error_message(error), "the dump is degraded: no \"nr_enqueues\"; there are: "));
	ktstr_failure_dump_deinit(&dump);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables_and_maps_by_name),
		cmocka_unit_test(ambiguous_variables_are_the_active_schedulers),
		cmocka_unit_test(copies_are_picked_as_rows),
		cmocka_unit_test(fields_by_path),
		cmocka_unit_test(coercions),
		cmocka_unit_test(entries_of_maps),
		cmocka_unit_test(per_cpu_entries),
		cmocka_unit_test(placeholders_have_nothing),
		cmocka_unit_test(statistics_by_path),
		cmocka_unit_test(paths_as_people_type_them),
		cmocka_unit_test(paths_that_lead_nowhere),
		cmocka_unit_test(the_early_dump_that_there_is_not),
		cmocka_unit_test(a_degraded_dump_has_no_variables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
