// SPDX-License-Identifier: GPL-2.0-only
/* The index of runs in SQLite; see index.h. */
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "ktstr/units.h"
#include "result/index.h"
#include "result/result.h"

enum { BUSY_TIMEOUT_MS = 30000, RETRY_NS = 20000000 };

/* PRAGMA user_version counts them: a new one goes to the end, an old one never changes. */
static const char *const migrations[] = {
	"CREATE TABLE result("
	" id INTEGER PRIMARY KEY, sidecar TEXT NOT NULL, run_id TEXT NOT NULL, timestamp TEXT NOT NULL,"
	" test TEXT NOT NULL, topology TEXT NOT NULL, scheduler TEXT NOT NULL, kernel TEXT NOT NULL,"
	" project_commit TEXT NOT NULL, run_source TEXT NOT NULL, outcome TEXT NOT NULL, cause TEXT NOT NULL,"
	" duration_ns INTEGER NOT NULL, UNIQUE(run_id, sidecar));"
	"CREATE INDEX result_by_test ON result(test, timestamp);"
	"CREATE TABLE metric("
	" name TEXT NOT NULL, result INTEGER NOT NULL REFERENCES result(id) ON DELETE CASCADE, value REAL NOT NULL,"
	" PRIMARY KEY(name, result)) WITHOUT ROWID;"
	"CREATE INDEX metric_by_result ON metric(result);",
};
enum { SCHEMA_VERSION = sizeof(migrations) / sizeof(migrations[0]) };

struct ktstr_index {
	sqlite3 *db;
	char *path;
};

static struct ktstr_error *sql_error(const struct ktstr_index *index, const char *doing)
{
	int code = sqlite3_errcode(index->db);
	bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
	bool busy = code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_PROTOCOL;

	return ktstr_error_new(damaged ? KTSTR_ERR_CORRUPT : busy ? KTSTR_ERR_BUSY : KTSTR_ERR_SYSTEM, "%s: cannot %s: %s%s", index->path,
			       doing, sqlite3_errmsg(index->db),
			       damaged ? "; `ktstr runs reindex` makes it anew from the sidecars" : "");
}

static struct ktstr_error *execute(struct ktstr_index *index, const char *sql, const char *doing)
{
	return sqlite3_exec(index->db, sql, NULL, NULL, NULL) == SQLITE_OK ? NULL : sql_error(index, doing);
}

static struct ktstr_error *prepare(struct ktstr_index *index, const char *sql, sqlite3_stmt **statement)
{
	if (sqlite3_prepare_v2(index->db, sql, -1, statement, NULL) != SQLITE_OK)
		return sql_error(index, "query");
	return NULL;
}

KTSTR_DEFINE_CLEANUP(sqlite3_stmt *, cleanup_statement, sqlite3_finalize)
KTSTR_DEFINE_CLEANUP(struct ktstr_index *, cleanup_index, ktstr_index_close)

static struct ktstr_error *read_version(struct ktstr_index *index, int *version)
{
	_cleanup_(cleanup_statement) sqlite3_stmt *statement = NULL;

	KTSTR_TRY(prepare(index, "PRAGMA user_version", &statement));
	if (sqlite3_step(statement) != SQLITE_ROW)
		return sql_error(index, "read its version");
	*version = sqlite3_column_int(statement, 0);
	return NULL;
}

/* Two processes may find an old schema at once: the version is read again under the write lock. */
static struct ktstr_error *migrate(struct ktstr_index *index)
{
	int version;

	KTSTR_TRY(read_version(index, &version));
	if (version > SCHEMA_VERSION)
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
				       "%s was made by a newer ktstr (schema %d, this one knows %d): update ktstr, or move the file away and run "
				       "`ktstr runs reindex`",
				       index->path, version, SCHEMA_VERSION);
	if (version == SCHEMA_VERSION)
		return NULL;
	KTSTR_TRY(execute(index, "BEGIN IMMEDIATE", "lock it"));
	KTSTR_TRY(read_version(index, &version));
	for (; version < SCHEMA_VERSION; version++) {
		_cleanup_free_ char *mark = ktstr_xasprintf("PRAGMA user_version = %d", version + 1);

		KTSTR_TRY(execute(index, migrations[version], "update its schema"));
		KTSTR_TRY(execute(index, mark, "update its schema"));
	}
	return execute(index, "COMMIT", "update its schema");
}

static struct ktstr_error *open_file(struct ktstr_index *index)
{
	if (sqlite3_open(index->path, &index->db) != SQLITE_OK)
		return sql_error(index, "open the index of runs");
	sqlite3_busy_timeout(index->db, BUSY_TIMEOUT_MS);
	KTSTR_TRY(execute(index, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON",
			  "open the index of runs"));
	return migrate(index);
}

static char *default_path(void)
{
	_cleanup_free_ char *root = ktstr_runs_root();

	return ktstr_xasprintf("%s/index.sqlite", root);
}

static char *dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash > path ? ktstr_xstrndup(path, (size_t)(slash - path)) : ktstr_xstrdup(slash ? "/" : ".");
}

struct ktstr_error *ktstr_index_open(const char *path, struct ktstr_index **out)
{
	_cleanup_(cleanup_index) struct ktstr_index *index = ktstr_xcalloc(1, sizeof(*index));
	_cleanup_free_ char *dir = NULL;

	index->path = path ? ktstr_xstrdup(path) : default_path();
	dir = dir_of(index->path);
	KTSTR_TRY(ktstr_make_dirs(dir));
	KTSTR_TRY(open_file(index));
	*out = ktstr_take(index);
	return NULL;
}

void ktstr_index_close(struct ktstr_index *index)
{
	if (!index)
		return;
	sqlite3_close(index->db);
	free(index->path);
	free(index);
}

/* Columns of `result` and the sidecar's keys for them. */
static const struct {
	const char *column, *key;
} text_columns[] = {
	{ "timestamp", "timestamp" },	     { "test", "test_name" },	    { "topology", "topology" },
	{ "scheduler", "scheduler" },	     { "kernel", "kernel_version" }, { "project_commit", "project_commit" },
	{ "run_source", "run_source" },	     { "outcome", "outcome" },	    { "cause", "cause" },
};
enum { TEXT_COLUMNS = sizeof(text_columns) / sizeof(text_columns[0]) };

static const char *text_of(const json_t *sidecar, const char *key)
{
	const char *text = json_string_value(json_object_get(sidecar, key));

	return text ? text : "";
}

static struct ktstr_error *insert_result(struct ktstr_index *index, const char *path, const json_t *sidecar, int64_t *id)
{
	_cleanup_(cleanup_statement) sqlite3_stmt *statement = NULL;
	_cleanup_str_ struct ktstr_str sql = { 0 };

	ktstr_str_add(&sql, "INSERT OR REPLACE INTO result(sidecar, run_id, duration_ns");
	for (int i = 0; i < TEXT_COLUMNS; i++)
		ktstr_str_addf(&sql, ", %s", text_columns[i].column);
	ktstr_str_add(&sql, ") VALUES (?, ?, ?");
	for (int i = 0; i < TEXT_COLUMNS; i++)
		ktstr_str_add(&sql, ", ?");
	ktstr_str_add(&sql, ")");
	KTSTR_TRY(prepare(index, ktstr_str_text(&sql), &statement));
	sqlite3_bind_text(statement, 1, path, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(statement, 2, text_of(sidecar, "run_id"), -1, SQLITE_TRANSIENT);
	sqlite3_bind_int64(statement, 3, json_integer_value(json_object_get(sidecar, "duration_ns")));
	for (int i = 0; i < TEXT_COLUMNS; i++)
		sqlite3_bind_text(statement, 4 + i, text_of(sidecar, text_columns[i].key), -1, SQLITE_TRANSIENT);
	if (sqlite3_step(statement) != SQLITE_DONE)
		return sql_error(index, "add a result");
	*id = sqlite3_last_insert_rowid(index->db);
	return NULL;
}

struct metric_writer {
	sqlite3_stmt *statement;
	int64_t result;
	bool failed;
};

static void insert_metric(void *context, const char *name, double value)
{
	struct metric_writer *writer = context;

	sqlite3_bind_text(writer->statement, 1, name, -1, SQLITE_TRANSIENT);
	sqlite3_bind_int64(writer->statement, 2, writer->result);
	sqlite3_bind_double(writer->statement, 3, value);
	writer->failed |= sqlite3_step(writer->statement) != SQLITE_DONE;
	sqlite3_reset(writer->statement);
}

static struct ktstr_error *insert(struct ktstr_index *index, const char *path, const json_t *sidecar)
{
	_cleanup_(cleanup_statement) sqlite3_stmt *statement = NULL;
	struct metric_writer writer = { 0 };

	KTSTR_TRY(insert_result(index, path, sidecar, &writer.result));
	KTSTR_TRY(prepare(index, "INSERT OR REPLACE INTO metric(name, result, value) VALUES (?, ?, ?)", &statement));
	writer.statement = statement;
	ktstr_sidecar_metrics(sidecar, insert_metric, &writer);
	return writer.failed ? sql_error(index, "add a metric") : NULL;
}

static struct ktstr_error *in_transaction(struct ktstr_index *index, struct ktstr_error *error)
{
	if (!error)
		return execute(index, "COMMIT", "commit");
	sqlite3_exec(index->db, "ROLLBACK", NULL, NULL, NULL);
	return error;
}

struct ktstr_error *ktstr_index_add(struct ktstr_index *index, const char *sidecar_path, const json_t *sidecar)
{
	_cleanup_free_ char *absolute = realpath(sidecar_path, NULL);

	KTSTR_TRY(execute(index, "BEGIN IMMEDIATE", "lock it"));
	return in_transaction(index, insert(index, absolute ? absolute : sidecar_path, sidecar));
}

static struct ktstr_error *open_and_add(const char *sidecar_path, const json_t *sidecar)
{
	_cleanup_(cleanup_index) struct ktstr_index *index = NULL;

	KTSTR_TRY(ktstr_index_open(NULL, &index));
	return ktstr_index_add(index, sidecar_path, sidecar);
}

/* Where many open and close the index at once SQLite may give up on one of them before its time (SQLITE_PROTOCOL). */
struct ktstr_error *ktstr_index_record(const char *sidecar_path)
{
	uint64_t deadline = ktstr_now_ns() + KTSTR_MS(BUSY_TIMEOUT_MS);
	struct ktstr_error *error;
	json_t *sidecar;

	KTSTR_TRY(ktstr_sidecar_read(sidecar_path, &sidecar));
	error = open_and_add(sidecar_path, sidecar);
	while (error && ktstr_error_code(error) == KTSTR_ERR_BUSY && ktstr_now_ns() < deadline) {
		ktstr_error_free(error);
		ktstr_sleep_ns(RETRY_NS);
		error = open_and_add(sidecar_path, sidecar);
	}
	json_decref(sidecar);
	return error;
}

static struct ktstr_error *insert_scanned(void *context, const char *path, const json_t *sidecar)
{
	_cleanup_free_ char *absolute = realpath(path, NULL);

	return insert(context, absolute ? absolute : path, sidecar);
}

/* Opens the index; one that SQLite calls damaged makes room for a new one. */
static struct ktstr_error *open_for_rebuild(const char *path, struct ktstr_index **index)
{
	static const char *const parts[] = { "", "-wal", "-shm" };
	struct ktstr_error *error = ktstr_index_open(path, index);

	if (ktstr_error_code(error) != KTSTR_ERR_CORRUPT)
		return error;
	ktstr_error_free(error);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		_cleanup_free_ char *base = path ? ktstr_xstrdup(path) : default_path();
		_cleanup_free_ char *part = ktstr_xasprintf("%s%s", base, parts[i]);

		if (unlink(part) && errno != ENOENT)
			return ktstr_error_sys(errno, "cannot remove the damaged index %s", part);
	}
	return ktstr_index_open(path, index);
}

struct ktstr_error *ktstr_index_rebuild(const char *path, const char *dir, bool forget, struct ktstr_scan *scan)
{
	_cleanup_(cleanup_index) struct ktstr_index *index = NULL;
	struct ktstr_error *error = NULL;

	KTSTR_TRY(open_for_rebuild(path, &index));
	KTSTR_TRY(execute(index, "BEGIN IMMEDIATE", "lock it"));
	if (forget)
		error = execute(index, "DELETE FROM metric; DELETE FROM result", "empty it");
	if (!error)
		error = ktstr_scan_sidecars(dir, insert_scanned, index, scan);
	return in_transaction(index, error);
}

/*
 * Reading a write-ahead log takes a file beside the index. Where that cannot be made, an index that its last writer closed
 * has no log and is all there; SQLite reads it so when told that nobody changes it.
 */
static struct ktstr_error *open_immutable(struct ktstr_index *index)
{
	_cleanup_free_ char *log = ktstr_xasprintf("%s-wal", index->path);
	_cleanup_str_ struct ktstr_str uri = { 0 };
	int version;

	if (!ktstr_path_exists(index->path))
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "there is no index of runs %s", index->path);
	if (ktstr_path_exists(log))
		return ktstr_error_new(KTSTR_ERR_BUSY, "%s is being written, or its last writer was killed", index->path);
	ktstr_str_add(&uri, "file:");
	for (const char *c = index->path; *c; c++)
		ktstr_str_addf(&uri, strchr("%?#", *c) ? "%%%02x" : "%c", *c);
	ktstr_str_add(&uri, "?immutable=1");
	if (sqlite3_open_v2(ktstr_str_text(&uri), &index->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) != SQLITE_OK)
		return sql_error(index, "open the index of runs");
	KTSTR_TRY(read_version(index, &version));
	if (version != SCHEMA_VERSION)
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED, "%s was made by another ktstr (schema %d, this one knows %d)",
				       index->path, version, SCHEMA_VERSION);
	return NULL;
}

/* What the sidecars in the index's directory tell, in memory; a directory that is not there holds none. */
static struct ktstr_error *open_in_memory(struct ktstr_index *index, size_t *sidecars)
{
	_cleanup_(ktstr_scan_deinit) struct ktstr_scan scan = { 0 };
	_cleanup_free_ char *dir = dir_of(index->path);

	*sidecars = 0;
	if (sqlite3_open(":memory:", &index->db) != SQLITE_OK)
		return sql_error(index, "index in memory");
	KTSTR_TRY(migrate(index));
	if (!ktstr_path_exists(dir))
		return NULL;
	KTSTR_TRY(execute(index, "BEGIN", "index in memory"));
	KTSTR_TRY(in_transaction(index, ktstr_scan_sidecars(dir, insert_scanned, index, &scan)));
	*sidecars = scan.valid;
	return NULL;
}

/* May we write what SQLite would: the file, if there is one, and others beside it? */
static bool can_write(const char *path)
{
	_cleanup_free_ char *dir = dir_of(path);

	return !euidaccess(dir, W_OK | X_OK) && (!euidaccess(path, W_OK) || errno == ENOENT);
}

struct ktstr_error *ktstr_index_open_to_read(const char *path, struct ktstr_index **out, char **note)
{
	_cleanup_(cleanup_index) struct ktstr_index *index = ktstr_xcalloc(1, sizeof(*index));
	_cleanup_error_ struct ktstr_error *error = NULL;
	size_t sidecars;

	*note = NULL;
	index->path = path ? ktstr_xstrdup(path) : default_path();
	if (can_write(index->path))
		return ktstr_index_open(path, out);
	error = open_immutable(index);
	if (error) {
		sqlite3_close(index->db);
		index->db = NULL;
		KTSTR_TRY(open_in_memory(index, &sidecars));
		if (sidecars || ktstr_error_code(error) != KTSTR_ERR_NOT_FOUND)
			*note = ktstr_xasprintf("%s, and nothing can be written there: shown is what the %zu sidecars beside it tell",
						ktstr_error_message(error), sidecars);
	}
	*out = ktstr_take(index);
	return NULL;
}

#define ROW_COLUMNS                                                                                \
	"r.sidecar, r.run_id, r.timestamp, r.test, r.topology, r.scheduler, r.kernel, r.project_commit, r.run_source, "      \
	"r.outcome, r.cause, r.duration_ns"
enum { ROW_VALUE = 12 };

static const struct {
	const char *name, *sql;
	size_t offset;
} conditions[] = {
	{ ":test", " AND r.test = :test", offsetof(struct ktstr_index_query, test) },
	{ ":scheduler", " AND r.scheduler = :scheduler", offsetof(struct ktstr_index_query, scheduler) },
	{ ":topology", " AND r.topology = :topology", offsetof(struct ktstr_index_query, topology) },
	{ ":kernel", " AND substr(r.kernel, 1, length(:kernel)) = :kernel", offsetof(struct ktstr_index_query, kernel) },
	{ ":commit", " AND substr(r.project_commit, 1, length(:commit)) = :commit",
	  offsetof(struct ktstr_index_query, commit) },
	{ ":run_id", " AND r.run_id = :run_id", offsetof(struct ktstr_index_query, run_id) },
	{ ":outcome", " AND r.outcome = :outcome", offsetof(struct ktstr_index_query, outcome) },
};

static const char *condition_value(const struct ktstr_index_query *query, size_t i)
{
	return *(const char *const *)((const char *)query + conditions[i].offset);
}

static void add_conditions(struct ktstr_str *sql, const struct ktstr_index_query *query)
{
	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++)
		if (condition_value(query, i))
			ktstr_str_add(sql, conditions[i].sql);
}

static void bind_text(sqlite3_stmt *statement, const char *name, const char *value)
{
	int position = sqlite3_bind_parameter_index(statement, name);

	if (position)
		sqlite3_bind_text(statement, position, value, -1, SQLITE_TRANSIENT);
}

static void bind_conditions(sqlite3_stmt *statement, const struct ktstr_index_query *query)
{
	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++)
		bind_text(statement, conditions[i].name, condition_value(query, i));
}

static const char *column(sqlite3_stmt *statement, int i)
{
	const unsigned char *text = sqlite3_column_text(statement, i);

	return text ? (const char *)text : "";
}

static struct ktstr_index_row read_row(sqlite3_stmt *statement)
{
	return (struct ktstr_index_row){
		.sidecar = column(statement, 0),
		.run_id = column(statement, 1),
		.timestamp = column(statement, 2),
		.test = column(statement, 3),
		.topology = column(statement, 4),
		.scheduler = column(statement, 5),
		.kernel = column(statement, 6),
		.commit = column(statement, 7),
		.run_source = column(statement, 8),
		.outcome = column(statement, 9),
		.cause = column(statement, 10),
		.duration_ns = (uint64_t)sqlite3_column_int64(statement, 11),
		.value = sqlite3_column_double(statement, ROW_VALUE),
	};
}

static struct ktstr_error *visit_rows(struct ktstr_index *index, const char *sql, const char *metric,
				      const struct ktstr_index_query *query, ktstr_index_row_fn visit, void *context)
{
	_cleanup_(cleanup_statement) sqlite3_stmt *statement = NULL;
	int step;

	KTSTR_TRY(prepare(index, sql, &statement));
	bind_text(statement, ":metric", metric);
	bind_conditions(statement, query);
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		struct ktstr_index_row row = read_row(statement);

		visit(context, &row);
	}
	return step == SQLITE_DONE ? NULL : sql_error(index, "query");
}

/* The zeros of a skipped result were not measured. */
#define MEASURED "metric m JOIN result r ON r.id = m.result WHERE r.outcome <> 'skip'"

/* The newest rows are chosen, then shown in the order of time. */
static struct ktstr_error *select_rows(struct ktstr_index *index, const char *from, const char *value, const char *metric,
				       const struct ktstr_index_query *query, ktstr_index_row_fn visit, void *context)
{
	_cleanup_str_ struct ktstr_str sql = { 0 };

	ktstr_str_addf(&sql, "SELECT * FROM (SELECT " ROW_COLUMNS ", %s, r.id AS id FROM %s", value, from);
	add_conditions(&sql, query);
	ktstr_str_add(&sql, " ORDER BY r.timestamp DESC, r.id DESC");
	if (query->limit)
		ktstr_str_addf(&sql, " LIMIT %u", query->limit);
	ktstr_str_add(&sql, ") ORDER BY timestamp, id");
	return visit_rows(index, ktstr_str_text(&sql), metric, query, visit, context);
}

struct ktstr_error *ktstr_index_each(struct ktstr_index *index, const struct ktstr_index_query *query,
				     ktstr_index_row_fn visit, void *context)
{
	return select_rows(index, "result r WHERE 1", "NULL", NULL, query, visit, context);
}

struct ktstr_error *ktstr_index_history(struct ktstr_index *index, const char *metric,
					const struct ktstr_index_query *query, ktstr_index_row_fn visit, void *context)
{
	return select_rows(index, MEASURED " AND m.name = :metric", "m.value", metric, query, visit, context);
}

struct ktstr_error *ktstr_index_runs(struct ktstr_index *index, const struct ktstr_index_query *query,
				     ktstr_index_run_fn visit, void *context)
{
	_cleanup_(cleanup_statement) sqlite3_stmt *statement = NULL;
	_cleanup_str_ struct ktstr_str sql = { 0 };
	int step;

	ktstr_str_add(&sql, "SELECT * FROM (SELECT r.run_id, min(r.timestamp) AS began, r.kernel, r.project_commit, r.run_source,"
			    " r.sidecar, count(*), sum(r.outcome = 'pass'), sum(r.outcome = 'fail'),"
			    " sum(r.outcome = 'inconclusive'), sum(r.outcome = 'skip'), sum(r.duration_ns)"
			    " FROM result r WHERE 1");
	add_conditions(&sql, query);
	ktstr_str_add(&sql, " GROUP BY r.run_id ORDER BY began DESC");
	if (query->limit)
		ktstr_str_addf(&sql, " LIMIT %u", query->limit);
	ktstr_str_add(&sql, ") ORDER BY began");
	KTSTR_TRY(prepare(index, ktstr_str_text(&sql), &statement));
	bind_conditions(statement, query);
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		visit(context, &(struct ktstr_index_run){
				       .run_id = column(statement, 0),
				       .timestamp = column(statement, 1),
				       .kernel = column(statement, 2),
				       .commit = column(statement, 3),
				       .run_source = column(statement, 4),
				       .sidecar = column(statement, 5),
				       .tests = (uint64_t)sqlite3_column_int64(statement, 6),
				       .passed = (uint64_t)sqlite3_column_int64(statement, 7),
				       .failed = (uint64_t)sqlite3_column_int64(statement, 8),
				       .inconclusive = (uint64_t)sqlite3_column_int64(statement, 9),
				       .skipped = (uint64_t)sqlite3_column_int64(statement, 10),
				       .duration_ns = (uint64_t)sqlite3_column_int64(statement, 11),
			       });
	}
	return step == SQLITE_DONE ? NULL : sql_error(index, "query");
}

struct ktstr_error *ktstr_index_metric_names(struct ktstr_index *index, const struct ktstr_index_query *query,
					     struct ktstr_strv *names)
{
	_cleanup_(cleanup_statement) sqlite3_stmt *statement = NULL;
	_cleanup_str_ struct ktstr_str sql = { 0 };
	int step;

	ktstr_str_add(&sql, "SELECT DISTINCT m.name FROM " MEASURED);
	add_conditions(&sql, query);
	ktstr_str_add(&sql, " ORDER BY m.name");
	KTSTR_TRY(prepare(index, ktstr_str_text(&sql), &statement));
	bind_conditions(statement, query);
	while ((step = sqlite3_step(statement)) == SQLITE_ROW)
		ktstr_strv_add(names, column(statement, 0));
	return step == SQLITE_DONE ? NULL : sql_error(index, "query");
}
