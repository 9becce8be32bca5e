// SPDX-License-Identifier: GPL-2.0-only
/* The index of runs: from sidecars, by many processes at once, queried, rebuilt, damaged. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "result/index.h"
#include "result_fixture.h"
#include "scratch.h"

static char *index_path;

static int make_root(void **state)
{
	if (make_scratch(state))
		return -1;
	setenv("KTSTR_RUNS_ROOT", scratch, 1);
	index_path = ktstr_xasprintf("%s/index.sqlite", scratch);
	return 0;
}

static int remove_root(void **state)
{
	free(index_path);
	return remove_scratch(state);
}

static int empty_root(void **state)
{
	(void)state;
	ktstr_error_free(ktstr_remove_tree(scratch));
	return ktstr_make_dirs(scratch) ? -1 : 0;
}

/* Stores a result of that test with so many iterations; the caller frees the path. */
static char *store(const char *dir, const char *epoch, const char *test, uint64_t iterations)
{
	struct ktstr_test_result result = fixture_pass();
	_cleanup_free_ char *run_dir = ktstr_xasprintf("%s/%s", scratch, dir);
	char *path;

	setenv("KTSTR_RUN_EPOCH", epoch, 1);
	fixture_set(&result.test_name, test);
	result.verdict.stats.total_iterations = iterations;
	fixture_add_cgroup(&result, "cg_0", (struct ktstr_cgroup_stats){ .total_iterations = iterations / 2 });
	assert_null(ktstr_make_dirs(run_dir));
	assert_null(ktstr_result_store(run_dir, &result));
	path = ktstr_xstrdup(result.sidecar_path);
	ktstr_test_result_deinit(&result);
	return path;
}

static void record_skip(const char *test)
{
	struct ktstr_test_result result = fixture_skip();
	_cleanup_free_ char *run_dir = ktstr_xasprintf("%s/skips", scratch);

	fixture_set(&result.test_name, test);
	assert_null(ktstr_make_dirs(run_dir));
	assert_null(ktstr_result_store(run_dir, &result));
	assert_null(ktstr_index_record(result.sidecar_path));
	ktstr_test_result_deinit(&result);
}

static void record(const char *dir, const char *epoch, const char *test, uint64_t iterations)
{
	_cleanup_free_ char *path = store(dir, epoch, test, iterations);

	assert_null(ktstr_index_record(path));
}

struct seen {
	size_t count;
	double values[64];
	char tests[64][32];
};

static void see(void *context, const struct ktstr_index_row *row)
{
	struct seen *seen = context;

	assert_true(seen->count < 64);
	snprintf(seen->tests[seen->count], sizeof(seen->tests[0]), "%s", row->test);
	seen->values[seen->count++] = row->value;
}

static struct seen history(const char *metric, const struct ktstr_index_query *query)
{
	struct ktstr_index *index;
	struct seen seen = { 0 };

	assert_null(ktstr_index_open(NULL, &index));
	assert_null(ktstr_index_history(index, metric, query, see, &seen));
	ktstr_index_close(index);
	return seen;
}

static struct seen results(const struct ktstr_index_query *query)
{
	struct ktstr_index *index;
	struct seen seen = { 0 };

	assert_null(ktstr_index_open(NULL, &index));
	assert_null(ktstr_index_each(index, query, see, &seen));
	ktstr_index_close(index);
	return seen;
}

static void history_outlives_the_run_directory(void **state)
{
	const struct ktstr_index_query steady = { .test = "steady" };
	struct seen seen;

	(void)state;
	/* The same file three times, as three invocations write it. */
	record("7.3-abc", "1795383696000000001", "steady", 100);
	record("7.3-abc", "1795383697000000001", "steady", 200);
	record("7.3-abc", "1795383698000000001", "steady", 400);
	record("7.3-abc", "1795383698000000001", "other", 7);
	seen = history("total_iterations", &steady);
	assert_int_equal(seen.count, 3);
	assert_true(seen.values[0] == 100 && seen.values[1] == 200 && seen.values[2] == 400);
	seen = history("cgroup.cg_0.total_iterations", &(struct ktstr_index_query){ .test = "steady", .limit = 1 });
	assert_int_equal(seen.count, 1);
	assert_true(seen.values[0] == 200);
	seen = history("stage.run_ns", &steady);
	assert_true(seen.count == 3 && seen.values[0] == 5e9);
	assert_int_equal(history("no_such_metric", &steady).count, 0);
}

static void skipped_results_have_no_history(void **state)
{
	const struct ktstr_index_query steady = { .test = "steady" };
	_cleanup_strv_ struct ktstr_strv names = { 0 };
	struct ktstr_index *index;
	struct seen seen;

	(void)state;
	record_skip("never_ran");
	record("7.3-abc", "1795383696000000001", "steady", 100);
	record_skip("steady");
	assert_int_equal(results(&steady).count, 2);
	seen = history("total_iterations", &steady);
	assert_int_equal(seen.count, 1);
	assert_true(seen.values[0] == 100);
	assert_null(ktstr_index_open(NULL, &index));
	assert_null(ktstr_index_metric_names(index, &(struct ktstr_index_query){ .test = "never_ran" }, &names));
	ktstr_index_close(index);
	assert_int_equal(names.count, 0);
}

static void filters_narrow(void **state)
{
	(void)state;
	record("7.3-abc", "1795383696000000001", "steady", 1);
	record("7.3-abc", "1795383696000000001", "other", 1);
	assert_int_equal(results(&(struct ktstr_index_query){ .kernel = "7" }).count, 2);
	assert_int_equal(results(&(struct ktstr_index_query){ .kernel = "6" }).count, 0);
	assert_int_equal(results(&(struct ktstr_index_query){ .test = "other", .outcome = "pass" }).count, 1);
	assert_int_equal(results(&(struct ktstr_index_query){ .outcome = "fail" }).count, 0);
	assert_int_equal(results(&(struct ktstr_index_query){ .scheduler = "scx_simple", .topology = "1n2l2c1t" }).count, 2);
	/* A quote is a letter like any other. */
	assert_int_equal(results(&(struct ktstr_index_query){ .test = "it's' OR 1 --" }).count, 0);
}

static void the_same_result_again_replaces_itself(void **state)
{
	(void)state;
	record("7.3-abc", "1795383696000000001", "steady", 100);
	record("7.3-abc", "1795383696000000001", "steady", 150);
	struct seen seen = history("total_iterations", &(struct ktstr_index_query){ .test = "steady" });

	assert_int_equal(seen.count, 1);
	assert_true(seen.values[0] == 150);
}

static void rebuilt_from_sidecars(void **state)
{
	_cleanup_(ktstr_scan_deinit) struct ktstr_scan scan = { 0 };
	_cleanup_free_ char *damaged = ktstr_xasprintf("%s/7.3-abc/damaged-0000000000000000.ktstr.json", scratch);
	struct ktstr_index *index;
	struct ktstr_error *error;

	(void)state;
	record("7.3-abc", "1795383696000000001", "steady", 100);
	record("7.3-abc", "1795383697000000001", "steady", 200);
	free(store("6.16-abc", "1795383697000000001", "steady", 300));
	assert_null(ktstr_write_file_atomic(damaged, "{\"test_name\": 3", 15));

	assert_null(ktstr_index_rebuild(NULL, scratch, false, &scan));
	assert_int_equal(scan.walked, 3);
	assert_int_equal(scan.valid, 2);
	assert_non_null(strstr(scan.failures[0].path, "damaged"));
	assert_int_equal(results(&(struct ktstr_index_query){ 0 }).count, 3);
	ktstr_scan_deinit(&scan);
	assert_null(ktstr_index_rebuild(NULL, scratch, true, &scan));
	assert_int_equal(results(&(struct ktstr_index_query){ 0 }).count, 2);

	/* Not a database at all: opening says what to do, rebuilding does it. */
	ktstr_scan_deinit(&scan);
	assert_null(ktstr_write_file_atomic(index_path, "this is no database, whatever its name says\n", 44));
	error = ktstr_index_open(NULL, &index);
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_CORRUPT);
	assert_non_null(strstr(ktstr_error_message(error), "ktstr runs reindex"));
	ktstr_error_free(error);
	assert_null(ktstr_index_rebuild(NULL, scratch, false, &scan));
	assert_int_equal(results(&(struct ktstr_index_query){ 0 }).count, 2);
}

static void a_newer_schema_is_left_alone(void **state)
{
	struct ktstr_index *index;
	struct ktstr_error *error;

	(void)state;
	record("7.3-abc", "1795383696000000001", "steady", 100);
	if (system(NULL) && system("command -v sqlite3 >/dev/null"))
		skip();
	_cleanup_free_ char *command = ktstr_xasprintf("sqlite3 %s 'PRAGMA user_version = 99'", index_path);

	assert_int_equal(system(command), 0);
	error = ktstr_index_open(NULL, &index);
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_UNSUPPORTED);
	assert_non_null(strstr(ktstr_error_message(error), "newer ktstr"));
	ktstr_error_free(error);
}

/* The results seen by a user who may write nothing there; 255: it cannot be read. *noted: something was said of it. */
static size_t seen_read_only(bool *noted)
{
	pid_t child;
	int status;

	assert_int_equal(chmod(index_path, 0444) && errno != ENOENT, 0);
	assert_int_equal(chmod(scratch, 0555), 0);
	child = fork();
	if (!child) {
		struct seen seen = { 0 };
		struct ktstr_index *index;
		char *note;

		if (!geteuid() && setuid(65534))
			_exit(255);
		if (ktstr_index_open_to_read(NULL, &index, &note) ||
		    ktstr_index_each(index, &(struct ktstr_index_query){ 0 }, see, &seen))
			_exit(255);
		ktstr_index_close(index);
		_exit((int)seen.count + (note ? 100 : 0));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(chmod(scratch, 0755), 0);
	assert_true(WIFEXITED(status));
	*noted = WEXITSTATUS(status) >= 100 && WEXITSTATUS(status) != 255;
	return (size_t)WEXITSTATUS(status) - (*noted ? 100 : 0);
}

static void reading_takes_no_right_to_write(void **state)
{
	_cleanup_free_ char *log = ktstr_xasprintf("%s-wal", index_path);
	bool noted;

	(void)state;
	assert_int_equal(seen_read_only(&noted), 0);
	assert_false(noted);
	record("7.3-abc", "1795383696000000001", "steady", 100);
	record("7.3-abc", "1795383697000000001", "steady", 200);
	/* The index knows both; the one sidecar in the directory is the later one's. */
	assert_int_equal(seen_read_only(&noted), 2);
	assert_false(noted);
	/* What a killed writer leaves may hold results that the file itself does not. */
	assert_null(ktstr_write_file_atomic(log, "x", 1));
	assert_int_equal(seen_read_only(&noted), 1);
	assert_true(noted);
	assert_int_equal(unlink(log), 0);
	assert_null(ktstr_write_file_atomic(index_path, "this is no database, whatever its name says\n", 44));
	assert_int_equal(seen_read_only(&noted), 1);
	assert_true(noted);
	assert_int_equal(unlink(index_path), 0);
	assert_int_equal(seen_read_only(&noted), 1);
	assert_true(noted);
}

enum { WRITERS = 50 };

static void write_as_child(int number)
{
	char test[32];

	snprintf(test, sizeof(test), "writer_%02d", number);
	record("7.3-abc", "1795383696000000001", test, (uint64_t)number);
	_exit(0);
}

static void fifty_writers_lose_nothing(void **state)
{
	_cleanup_(ktstr_scan_deinit) struct ktstr_scan scan = { 0 };
	struct seen seen;

	(void)state;
	for (int i = 0; i < WRITERS; i++)
		if (!fork())
			write_as_child(i);
	for (int i = 0; i < WRITERS; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	seen = results(&(struct ktstr_index_query){ 0 });
	assert_int_equal(seen.count, WRITERS);
	assert_null(ktstr_index_rebuild(NULL, scratch, true, &scan));
	assert_int_equal(scan.valid, WRITERS);
	assert_int_equal(scan.failures_count, 0);
	assert_int_equal(results(&(struct ktstr_index_query){ 0 }).count, WRITERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(history_outlives_the_run_directory, empty_root),
		cmocka_unit_test_setup(skipped_results_have_no_history, empty_root),
		cmocka_unit_test_setup(filters_narrow, empty_root),
		cmocka_unit_test_setup(the_same_result_again_replaces_itself, empty_root),
		cmocka_unit_test_setup(rebuilt_from_sidecars, empty_root),
		cmocka_unit_test_setup(a_newer_schema_is_left_alone, empty_root),
		cmocka_unit_test_setup(reading_takes_no_right_to_write, empty_root),
		cmocka_unit_test_setup(fifty_writers_lose_nothing, empty_root),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
