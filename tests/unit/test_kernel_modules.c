// SPDX-License-Identifier: GPL-2.0-only
/* Module trees made by hand: what a module depends on comes along. */
#include <stdlib.h>

#include "base/str.h"
#include "kernel_fixture.h"

static void modules_follow_their_dependencies(void **state)
{
	static const char *const wanted[] = { "top", "not_there", "other", NULL };
	_cleanup_free_ char *root = ktstr_xasprintf("%s/root", scratch);
	_cleanup_free_ char *into = ktstr_xasprintf("%s/into", scratch);
	_cleanup_free_ char *order_path = ktstr_xasprintf("%s/order", into), *order = NULL;
	size_t count;

	(void)state;
	PUT_MODULE("root/kernel/lib/mid-dle.ko", "depends=leaf");
	PUT_MODULE("root/kernel/lib/leaf.ko", "depends=");
	PUT_MODULE("root/kernel/lib/later.ko", "depends=");
	PUT_MODULE("root/kernel/lib/other.ko", "depends=leaf");
	PUT_MODULE("root/kernel/lib/unwanted.ko", "depends=");
	PUT_MODULE("root/kernel/crypto/hash_generic.ko", "alias=fancy-hash\0depends=");
	put("root/kernel/lib/notes.ko.txt", "no module");
	/* depends= spells names with '_' whatever the file is called. */
	PUT_MODULE("root/kernel/fs/top.ko",
		   "license=GPL\0softdep=pre: fancy-hash absent post: later\0depends=mid_dle,leaf");
	assert_ok(ktstr_modules_collect(root, wanted, into, &count));
	assert_int_equal(count, 5);
	order = ktstr_read_line(order_path);
	assert_string_equal(order, "hash_generic.ko\nleaf.ko\nmid_dle.ko\ntop.ko\nother.ko");
}

/* Of what was collected a machine loads what its devices need: again each behind what it depends on. */
static void a_machine_loads_what_it_needs(void **state)
{
	static const char *const all[] = { "disk", "net", NULL }, *const net[] = { "net", "built_in", NULL }, *const none[] = { NULL };
	_cleanup_free_ char *root = ktstr_xasprintf("%s/all", scratch), *into = ktstr_xasprintf("%s/few", scratch);
	_cleanup_strv_ struct ktstr_strv files = { 0 };
	size_t count;

	(void)state;
	PUT_MODULE("all/drivers/disk.ko", "depends=");
	PUT_MODULE("all/drivers/net.ko", "softdep=pre: fancy-sum\0depends=shared");
	PUT_MODULE("all/drivers/shared.ko", "depends=");
	PUT_MODULE("all/crypto/sum_generic.ko", "alias=fancy-sum\0depends=");
	assert_ok(ktstr_modules_collect(root, all, into, &count));
	assert_int_equal(count, 4);
	assert_ok(ktstr_modules_order(into, none, &files));
	assert_int_equal(files.count, 0);
	assert_ok(ktstr_modules_order(into, net, &files));
	assert_int_equal(files.count, 3);
	assert_string_equal(files.items[0], "sum_generic.ko");
	assert_string_equal(files.items[1], "shared.ko");
	assert_string_equal(files.items[2], "net.ko");
}

static void missing_dependency_is_an_error(void **state)
{
	static const char *const wanted[] = { "alone", NULL };
	_cleanup_free_ char *root = ktstr_xasprintf("%s/broken", scratch);
	_cleanup_free_ char *into = ktstr_xasprintf("%s/into2", scratch);
	size_t count;

	(void)state;
	PUT_MODULE("broken/alone.ko", "depends=gone");
	assert_fails(ktstr_modules_collect(root, wanted, into, &count), KTSTR_ERR_CORRUPT,
		     "needs gone");
	put("broken/alone.ko", "not ELF");
	assert_fails(ktstr_modules_collect(root, wanted, into, &count), KTSTR_ERR_CORRUPT,
		     "not an ELF");
}

static void dependency_cycles_end(void **state)
{
	static const char *const wanted[] = { "one", NULL };
	_cleanup_free_ char *root = ktstr_xasprintf("%s/cycle", scratch);
	_cleanup_free_ char *into = ktstr_xasprintf("%s/into3", scratch);
	size_t count;

	(void)state;
	PUT_MODULE("cycle/one.ko", "depends=two");
	PUT_MODULE("cycle/two.ko", "depends=one");
	assert_ok(ktstr_modules_collect(root, wanted, into, &count));
	assert_int_equal(count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_CACHE(modules_follow_their_dependencies),
		IN_CACHE(a_machine_loads_what_it_needs),
		IN_CACHE(missing_dependency_is_an_error),
		IN_CACHE(dependency_cycles_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
