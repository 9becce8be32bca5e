// SPDX-License-Identifier: GPL-2.0-only
/* Bytes to values by BTF types made up here. */
#include <bpf/btf.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "observe/render.h"
#include "observe/types.h"
#include "unit.h"

static void assert_renders(const struct btf *btf, int type, const void *bytes, size_t have, const char *expected)
{
	json_t *json = ktstr_render(btf, (uint32_t)type, bytes, have);
	_cleanup_free_ char *text = json_dumps(json, JSON_COMPACT);

	assert_string_equal(text, expected);
	json_decref(json);
}

static void scalars(void **state)
{
	struct btf *btf = btf__new_empty();
	int s32 = btf__add_int(btf, "int", 4, BTF_INT_SIGNED), u64 = btf__add_int(btf, "u64", 8, 0);
	int flag = btf__add_int(btf, "bool", 1, BTF_INT_BOOL), letter = btf__add_int(btf, "char", 1, BTF_INT_CHAR);
	int pointer = btf__add_ptr(btf, s32), number = btf__add_float(btf, "double", 8);
	int alias = btf__add_typedef(btf, "alias", s32), kind = btf__add_enum(btf, "kind", 4);
	const double half = 0.5, infinite = 1e308 * 10;

	(void)state;
	btf__add_enum_value(btf, "KIND_ONE", 1);
	assert_renders(btf, s32, "\xfe\xff\xff\xff", 4, "{\"kind\":\"int\",\"bits\":32,\"value\":-2}");
	assert_renders(btf, alias, "\x07\0\0\0", 4, "{\"kind\":\"int\",\"bits\":32,\"value\":7}");
	assert_renders(btf, u64, "\xff\xff\xff\xff\xff\xff\xff\xff", 8,
		       "{\"kind\":\"uint\",\"bits\":64,\"value\":\"18446744073709551615\"}");
	assert_renders(btf, flag, "\x01", 1, "{\"kind\":\"bool\",\"value\":true}");
	assert_renders(btf, letter, "A", 1, "{\"kind\":\"char\",\"value\":65}");
	assert_renders(btf, pointer, "\x00\x10\xa0\x82\xff\xff\xff\xff", 8,
		       "{\"kind\":\"ptr\",\"value\":\"0xffffffff82a01000\"}");
	assert_renders(btf, number, &half, 8, "{\"kind\":\"float\",\"bits\":64,\"value\":0.5}");
	assert_renders(btf, number, &infinite, 8, "{\"kind\":\"unsupported\",\"reason\":\"inf\"}");
	assert_renders(btf, kind, "\x01\0\0\0", 4,
		       "{\"kind\":\"enum\",\"bits\":32,\"value\":1,\"variant\":\"KIND_ONE\",\"is_signed\":false}");
	assert_renders(btf, kind, "\x02\0\0\0", 4, "{\"kind\":\"enum\",\"bits\":32,\"value\":2,\"is_signed\":false}");
	assert_renders(btf, s32, "\x01\x02", 2,
		       "{\"kind\":\"truncated\",\"needed\":4,\"had\":2,\"partial\":{\"kind\":\"bytes\",\"hex\":\"0102\"}}");
	assert_renders(btf, 12345, "", 0, "{\"kind\":\"unsupported\",\"reason\":\"BTF type 12345 is none\"}");
	btf__free(btf);
}

static void structures(void **state)
{
	struct btf *btf = btf__new_empty();
	int u32 = btf__add_int(btf, "u32", 4, 0), pair = btf__add_struct(btf, "pair", 8), array, mask;

	(void)state;
	btf__add_field(btf, "a", u32, 0, 0);
	btf__add_field(btf, "low", u32, 32, 4);
	btf__add_field(btf, "high", u32, 36, 28);
	array = btf__add_array(btf, u32, u32, 3);
	mask = btf__add_struct(btf, "bpf_cpumask", 8);
	btf__add_field(btf, "bits", u32, 0, 0);
	assert_renders(btf, pair, "\x05\0\0\0\x2f\0\0\0", 8,
		       "{\"kind\":\"struct\",\"type_name\":\"pair\",\"members\":["
		       "{\"name\":\"a\",\"value\":{\"kind\":\"uint\",\"bits\":32,\"value\":5}},"
		       "{\"name\":\"low\",\"value\":{\"kind\":\"uint\",\"bits\":4,\"value\":15}},"
		       "{\"name\":\"high\",\"value\":{\"kind\":\"uint\",\"bits\":28,\"value\":2}}]}");
	assert_renders(btf, array, "\x01\0\0\0\x02\0\0\0\x03\0\0\0", 12,
		       "{\"kind\":\"array\",\"len\":3,\"elements\":[{\"kind\":\"uint\",\"bits\":32,\"value\":1},"
		       "{\"kind\":\"uint\",\"bits\":32,\"value\":2},{\"kind\":\"uint\",\"bits\":32,\"value\":3}]}");
	assert_renders(btf, mask, "\x27\0\0\0\0\0\0\0", 8, "{\"kind\":\"cpu_list\",\"cpus\":\"0-2,5\"}");
	btf__free(btf);
}

/* A struct of arrays of itself by value cannot be, but a guest can claim it. */
static void recursion_ends(void **state)
{
	struct btf *btf = btf__new_empty();
	int self = btf__add_struct(btf, "self", 8);
	json_t *json;

	(void)state;
	for (int i = 0; i < 8; i++)
		btf__add_field(btf, "again", self, 0, 0);
	json = ktstr_render(btf, (uint32_t)self, "12345678", 8);
	assert_non_null(json);
	json_decref(json);
	btf__free(btf);
}

static void members_by_path(void **state)
{
	struct btf *btf = btf__new_empty();
	int u64 = btf__add_int(btf, "u64", 8, 0), inner, anonymous, array;
	struct ktstr_types *types;
	struct ktstr_field field;
	const void *raw;
	uint32_t size;

	(void)state;
	anonymous = btf__add_union(btf, NULL, 8);
	btf__add_field(btf, "hidden", u64, 0, 0);
	inner = btf__add_struct(btf, "inner", 16);
	btf__add_field(btf, "x", u64, 0, 0);
	btf__add_field(btf, NULL, anonymous, 64, 0);
	array = btf__add_array(btf, u64, inner, 4);
	btf__add_struct(btf, "outer", 88);
	btf__add_field(btf, "bits", u64, 0, 3);
	btf__add_field(btf, "in", inner, 64, 0);
	btf__add_field(btf, "list", array, 192, 0);
	btf__add_struct(btf, "outer", 8); /* a smaller one of that name, from another file */
	btf__add_field(btf, "other", u64, 0, 0);
	raw = btf__raw_data(btf, &size);
	assert_null(ktstr_types_parse(raw, size, NULL, &types));
	field = ktstr_types_field(types, "outer", "in.hidden");
	assert_true(field.found);
	assert_int_equal(field.offset, 16);
	assert_int_equal(field.bytes, 8);
	field = ktstr_types_field(types, "outer", "list[2].x");
	assert_true(field.found);
	assert_int_equal(field.offset, 24 + 2 * 16);
	assert_false(ktstr_types_field(types, "outer", "list[4].x").found);
	assert_false(ktstr_types_field(types, "outer", "in.none").found);
	assert_false(ktstr_types_field(types, "outer", "bits").found);
	assert_true(ktstr_types_field(types, "outer", "other").found);
	assert_false(ktstr_types_field(types, "nothing", "x").found);
	assert_int_equal(ktstr_types_size(types, "outer"), 88);
	ktstr_types_destroy(types);
	btf__free(btf);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(scalars),
		cmocka_unit_test(structures),
		cmocka_unit_test(recursion_ends),
		cmocka_unit_test(members_by_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
