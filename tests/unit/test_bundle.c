// SPDX-License-Identifier: GPL-2.0-only
/* Bundles, read back through libarchive, and the library closure of real programs. */
#include <archive.h>
#include <archive_entry.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "vm/bundle.h"
#include "scratch.h"

KTSTR_DEFINE_CLEANUP(struct ktstr_bundle *, cleanup_bundle, ktstr_bundle_destroy)
#define _cleanup_bundle_ _cleanup_(cleanup_bundle)

static char *below(const char *name)
{
	return ktstr_xasprintf("%s/%s", scratch, name);
}

/*
 * One line an entry: "d755 lib", "f644 etc/x 5 hello", "l777 init -> /bin/x"; checks what all
 * share.
 */
static char *listing(const void *data, size_t length)
{
	struct archive *reader = archive_read_new();
	struct archive_entry *entry;
	struct ktstr_str text = { 0 };

	archive_read_support_format_cpio(reader);
	assert_int_equal(archive_read_open_memory(reader, data, length), ARCHIVE_OK);
	while (archive_read_next_header(reader, &entry) == ARCHIVE_OK) {
		unsigned int type = archive_entry_filetype(entry);
		char content[64] = "";

		assert_int_equal(archive_entry_uid(entry), 0);
		assert_int_equal(archive_entry_gid(entry), 0);
		assert_int_equal(archive_entry_mtime(entry), 0);
		assert_int_equal(archive_entry_nlink(entry), 1);
		ktstr_str_addf(&text, "%c%o %s",
			       type == AE_IFDIR   ? 'd'
			       : type == AE_IFLNK ? 'l'
						  : 'f',
			       archive_entry_perm(entry), archive_entry_pathname(entry));
		if (type == AE_IFLNK)
			ktstr_str_addf(&text, " -> %s", archive_entry_symlink(entry));
		if (type == AE_IFREG) {
			archive_read_data(reader, content, sizeof(content) - 1);
			ktstr_str_addf(&text, " %lld %.8s", (long long)archive_entry_size(entry),
				       content);
		}
		ktstr_str_add(&text, "\n");
	}
	archive_read_free(reader);
	return ktstr_str_take(&text);
}

static void fill(struct ktstr_bundle *bundle)
{
	assert_ok(ktstr_bundle_add_data(bundle, "/etc/ktstr/plan", 0600, "hello", 5));
	assert_ok(ktstr_bundle_add_data(bundle, "/etc/empty", 04755, NULL, 0));
	assert_ok(ktstr_bundle_add_data(bundle, "/etc//./ktstr/x/../plan", 0644, "second", 6));
	assert_ok(ktstr_bundle_add_symlink(bundle, "/init", "/bin/\xc3\xa4"));
	assert_ok(ktstr_bundle_add_data(bundle, "/bin/\xc3\xa4", 0755, "x", 1));
}

static void entries_and_equal_bytes(void **state)
{
	_cleanup_bundle_ struct ktstr_bundle *a = NULL, *b = NULL;
	_cleanup_free_ char *text = NULL;
	const void *a_data, *b_data;
	size_t a_length, b_length;

	(void)state;
	assert_ok(ktstr_bundle_create(&a));
	assert_ok(ktstr_bundle_create(&b));
	fill(a);
	sleep(1); /* the clock must not show */
	fill(b);
	assert_ok(ktstr_bundle_finish(a, &a_data, &a_length));
	assert_ok(ktstr_bundle_finish(b, &b_data, &b_length));
	text = listing(a_data, a_length);
	assert_string_equal(text, "d755 etc\nd755 etc/ktstr\nf600 etc/ktstr/plan 5 hello\n"
				  "f4755 etc/empty 0 \nl777 init -> /bin/\xc3\xa4\n"
				  "d755 bin\nf755 bin/\xc3\xa4 1 x\n");
	assert_int_equal(a_length, b_length);
	assert_memory_equal(a_data, b_data, a_length);
	assert_memory_equal(a_data, "070701", 6);
	/* Once more gives the same; more entries do not fit behind the end. */
	assert_ok(ktstr_bundle_finish(a, &b_data, &b_length));
	assert_ptr_equal(a_data, b_data);
	assert_fails(ktstr_bundle_add_data(a, "/late", 0644, "", 0), KTSTR_ERR_INVALID, "/late");
}

static void bad_paths(void **state)
{
	_cleanup_bundle_ struct ktstr_bundle *bundle = NULL;
	_cleanup_free_ char *missing = below("missing");

	(void)state;
	assert_ok(ktstr_bundle_create(&bundle));
	assert_fails(ktstr_bundle_add_data(bundle, "x", 0644, "", 0), KTSTR_ERR_INVALID, "\"x\"");
	assert_fails(ktstr_bundle_add_data(bundle, "/../.", 0644, "", 0), KTSTR_ERR_INVALID,
		     "root");
	assert_fails(ktstr_bundle_add_data(bundle, "", 0644, "", 0), KTSTR_ERR_INVALID, "absolute");
	assert_fails(ktstr_bundle_add_file(bundle, "/a", missing, 0644), KTSTR_ERR_NOT_FOUND,
		     missing);
	assert_fails(ktstr_bundle_add_file(bundle, "/a", scratch, 0644), KTSTR_ERR_INVALID,
		     "directory");
	assert_fails(ktstr_bundle_add_file(bundle, "/a", "/dev/null", 0644), KTSTR_ERR_INVALID,
		     "regular");
}

static void large_file_is_complete(void **state)
{
	const size_t length = (3 << 20) + 5;
	_cleanup_bundle_ struct ktstr_bundle *bundle = NULL;
	_cleanup_free_ char *content = ktstr_xcalloc(1, length);
	_cleanup_free_ char *path = below("large");
	_cleanup_free_ char *link = below("link");
	_cleanup_free_ char *text = NULL;
	const void *data;
	size_t total;

	(void)state;
	for (size_t i = 0; i < length; i++)
		content[i] = (char)('a' + i % 23);
	assert_ok(ktstr_write_file_atomic(path, content, length));
	assert_int_equal(symlink(path, link), 0);
	assert_ok(ktstr_bundle_create(&bundle));
	assert_ok(ktstr_bundle_add_file(bundle, "/large", link, 0644));
	assert_ok(ktstr_bundle_finish(bundle, &data, &total));
	assert_non_null(memmem(data, total, content, length));
	text = listing(data, total);
	assert_string_equal(text, "f644 large 3145733 abcdefgh\n");
}

/* Compiles source into scratch; skips the test without a compiler. */
static void compile(const char *source, const char *name, const char *const *flags)
{
	_cleanup_free_ char *in = ktstr_xasprintf("%s/%s.c", scratch, name);
	_cleanup_free_ char *out = below(name);
	_cleanup_free_ char *search = ktstr_xasprintf("-L%s", scratch);
	const char *argv[16] = { "cc", "-o", out, in, search };
	_cleanup_error_ struct ktstr_error *error = NULL;
	size_t count = 5;

	while (*flags)
		argv[count++] = *flags++;
	assert_ok(ktstr_write_file_atomic(in, source, strlen(source)));
	error = ktstr_run_command(argv, 60000000000ull, NULL, NULL);
	if (ktstr_error_code(error) == KTSTR_ERR_NOT_FOUND)
		skip();
	assert_null(error);
}

#define FLAGS(...) ((const char *[]){ __VA_ARGS__, NULL })

static void origin_libraries(void **state)
{
	_cleanup_bundle_ struct ktstr_bundle *bundle = NULL;
	_cleanup_free_ char *program = below("user"), *library = below("libkt.so");
	_cleanup_free_ char *path = NULL, *text = NULL, *wanted = NULL, *none = NULL;
	_cleanup_strv_ struct ktstr_strv closure = { 0 };
	const void *data;
	size_t length;

	(void)state;
	compile("int kt(void) { return 0; }", "libkt.so", FLAGS("-shared", "-fPIC"));
	compile("int kt(void); int main(void) { return kt(); }", "user",
		FLAGS("-lkt", "-Wl,-rpath,$ORIGIN/../ktstr-none:$ORIGIN/."));
	assert_ok(ktstr_elf_closure(program, &closure));
	assert_true(ktstr_str_starts_with(strrchr(closure.items[0], '/'), "/ld-"));
	assert_true(closure.count >= 3);
	assert_ok(ktstr_bundle_create(&bundle));
	assert_ok(ktstr_bundle_library_path(bundle, &none));
	assert_string_equal(none, "");
	assert_ok(ktstr_bundle_add_program(bundle, "/bin/user", program));
	assert_ok(ktstr_bundle_library_path(bundle, &path));
	assert_string_equal(path, scratch);
	assert_ok(ktstr_bundle_finish(bundle, &data, &length));
	text = listing(data, length);
	wanted = ktstr_xasprintf("f755 %s ", library + 1);
	assert_non_null(strstr(text, "f755 bin/user "));
	assert_non_null(strstr(text, wanted));
	assert_non_null(strstr(text, "libc.so.6 "));
	/* Without the library it is an error that names it. */
	assert_int_equal(unlink(library), 0);
	assert_fails(ktstr_elf_closure(program, &closure), KTSTR_ERR_NOT_FOUND, "libkt.so");
}

/* A loader is asked once; where `env` is not in PATH it cannot be asked at all. */
static void libraries_are_remembered_until_something_changes(void **state)
{
	_cleanup_free_ char *program = below("user"), *path = ktstr_xstrdup(getenv("PATH"));
	_cleanup_strv_ struct ktstr_strv first = { 0 }, again = { 0 }, rebuilt = { 0 }, refused = { 0 };

	(void)state;
	compile("int kt(void) { return 0; }", "libkt.so", FLAGS("-shared", "-fPIC"));
	compile("int kt(void); int main(void) { return kt(); }", "user", FLAGS("-lkt", "-Wl,-rpath,$ORIGIN"));
	assert_ok(ktstr_elf_closure(program, &first));
	setenv("PATH", scratch, 1);
	assert_ok(ktstr_elf_closure(program, &again));
	assert_int_equal(again.count, first.count);
	for (size_t i = 0; i < first.count; i++)
		assert_string_equal(again.items[i], first.items[i]);
	setenv("LD_LIBRARY_PATH", "/nowhere", 1);
	ktstr_error_free(ktstr_elf_closure(program, &refused));
	assert_int_equal(refused.count, 0);
	unsetenv("LD_LIBRARY_PATH");
	setenv("PATH", path, 1);
	compile("int kt(void) { return 1; }", "libkt.so", FLAGS("-shared", "-fPIC"));
	setenv("PATH", scratch, 1);
	ktstr_error_free(ktstr_elf_closure(program, &refused));
	assert_int_equal(refused.count, 0);
	setenv("PATH", path, 1);
	compile("int main(void) { return 0; }", "user", FLAGS("-O1"));
	assert_ok(ktstr_elf_closure(program, &rebuilt));
	assert_int_equal(rebuilt.count, first.count - 1);
}

/* glibc loads it by itself, and aborts where it is missing. */
static void threads_that_end_bring_the_unwinder(void **state)
{
	_cleanup_free_ char *plain = below("plain"), *ending = below("ending");
	_cleanup_strv_ struct ktstr_strv without = { 0 }, with = { 0 };

	(void)state;
	compile("int main(void) { return 0; }", "plain", FLAGS("-pthread"));
	compile("void pthread_exit(void *); int main(void) { pthread_exit(0); }", "ending", FLAGS("-pthread"));
	assert_ok(ktstr_elf_closure(plain, &without));
	assert_ok(ktstr_elf_closure(ending, &with));
	assert_int_equal(with.count, without.count + 1);
	assert_true(ktstr_str_ends_with(with.items[with.count - 1], "/libgcc_s.so.1"));
}

static void static_program_needs_nothing(void **state)
{
	_cleanup_free_ char *program = below("alone");
	_cleanup_strv_ struct ktstr_strv closure = { 0 };

	(void)state;
	compile("void _start(void) { for (;;) ; }", "alone", FLAGS("-nostdlib", "-static"));
	assert_ok(ktstr_elf_closure(program, &closure));
	assert_int_equal(closure.count, 0);
}

static void no_programs(void **state)
{
	static const char script[] = "#!/bin/sh\nexit 0\n";
	_cleanup_free_ char *path = below("script"), *object = below("object.o");
	_cleanup_free_ char *missing = below("missing"), *mutant = below("mutant"), *bytes = NULL;
	_cleanup_strv_ struct ktstr_strv closure = { 0 };
	size_t length;

	(void)state;
	assert_ok(ktstr_write_file_atomic(path, script, strlen(script)));
	assert_fails(ktstr_elf_closure(path, &closure), KTSTR_ERR_INVALID,
		     "script is not an ELF executable: it begins with \"#!/bin/sh\"");
	assert_ok(ktstr_write_file_atomic(path, "", 0));
	assert_fails(ktstr_elf_closure(path, &closure), KTSTR_ERR_INVALID, "it is empty");
	assert_ok(ktstr_write_file_atomic(path, "\177ELF\002\001", 6));
	assert_fails(ktstr_elf_closure(path, &closure), KTSTR_ERR_INVALID, "\\x7fELF\\x02\\x01");
	assert_fails(ktstr_elf_closure(scratch, &closure), KTSTR_ERR_INVALID, "is a directory");
	assert_fails(ktstr_elf_closure(missing, &closure), KTSTR_ERR_NOT_FOUND, missing);
	compile("int main(void) { return 0; }", "object.o", FLAGS("-c"));
	assert_fails(ktstr_elf_closure(object, &closure), KTSTR_ERR_INVALID, "an object file");
	/* e_machine at offset 18: 183 is aarch64. */
	compile("int main(void) { return 0; }", "mutant", FLAGS("-O1"));
	assert_ok(ktstr_read_file(mutant, &bytes, &length));
	bytes[18] = (char)183;
	assert_ok(ktstr_write_file_atomic(mutant, bytes, length));
	assert_fails(ktstr_elf_closure(mutant, &closure), KTSTR_ERR_INVALID, "aarch64");
	assert_int_equal(closure.count, 0);
}

static void unreadable_program(void **state)
{
	_cleanup_free_ char *path = below("secret");
	_cleanup_strv_ struct ktstr_strv closure = { 0 };
	struct ktstr_error *error;
	uid_t user = geteuid();

	(void)state;
	assert_ok(ktstr_write_file_atomic(path, "x", 1));
	assert_int_equal(chmod(path, 0), 0);
	/* Root may read everything. */
	if (!user && seteuid(65534))
		skip();
	error = ktstr_elf_closure(path, &closure);
	if (!user)
		assert_int_equal(seteuid(0), 0);
	assert_fails(error, KTSTR_ERR_SYSTEM, "secret: Permission denied");
}

static void missing_loader(void **state)
{
	_cleanup_free_ char *program = below("odd");
	_cleanup_strv_ struct ktstr_strv closure = { 0 };

	(void)state;
	compile("int main(void) { return 0; }", "odd",
		FLAGS("-Wl,--dynamic-linker=/no/such/ld.so"));
	assert_fails(ktstr_elf_closure(program, &closure), KTSTR_ERR_NOT_FOUND, "/no/such/ld.so");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_and_equal_bytes),      cmocka_unit_test(bad_paths),
		cmocka_unit_test(large_file_is_complete),       cmocka_unit_test(libraries_are_remembered_until_something_changes),
		cmocka_unit_test(origin_libraries),             cmocka_unit_test(threads_that_end_bring_the_unwinder),
		cmocka_unit_test(static_program_needs_nothing), cmocka_unit_test(no_programs),
		cmocka_unit_test(unreadable_program),           cmocka_unit_test(missing_loader),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
