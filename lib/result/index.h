/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The index of all runs: one SQLite file beside the run directories, made from sidecars and never the only place of
 * anything but history: a run directory holds the last run of its kernel and commit, the index remembers the earlier
 * ones too. Any number of processes may write at once.
 */
#ifndef KTSTR_RESULT_INDEX_H
#define KTSTR_RESULT_INDEX_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "ktstr/error.h"
#include "result/scan.h"

struct ktstr_index;

/* path NULL = <runs root>/index.sqlite. A file of a newer ktstr is KTSTR_ERR_UNSUPPORTED, a damaged one KTSTR_ERR_CORRUPT. */
struct ktstr_error *ktstr_index_open(const char *path, struct ktstr_index **index) KTSTR_CHECKED;
/*
 * The same to look at only, which also works where nothing can be written: from the file as it is, or in memory from the
 * sidecars beside it; *note (heap, NULL = nothing to say) tells the user of that.
 */
struct ktstr_error *ktstr_index_open_to_read(const char *path, struct ktstr_index **index, char **note) KTSTR_CHECKED;
void ktstr_index_close(struct ktstr_index *index);

/* Adds a sidecar, or replaces what it said before under the same run id. */
struct ktstr_error *ktstr_index_add(struct ktstr_index *index, const char *sidecar_path, const json_t *sidecar)
	KTSTR_CHECKED;
/* The same for the default index and a file just written. */
struct ktstr_error *ktstr_index_record(const char *sidecar_path) KTSTR_CHECKED;

/*
 * Adds every sidecar below dir in one transaction; with forget, nothing else remains. A damaged index at path (NULL = the
 * default) is replaced.
 */
struct ktstr_error *ktstr_index_rebuild(const char *path, const char *dir, bool forget, struct ktstr_scan *scan)
	KTSTR_CHECKED;

/* What to look at; NULL or 0 = any. Kernel and commit match from their beginning, the others exactly. */
struct ktstr_index_query {
	const char *test, *scheduler, *topology, *kernel, *commit, *run_id, *outcome;
	unsigned int limit; /* the newest so many */
};

/* Texts are borrowed during the call; "" where the sidecar has null. */
struct ktstr_index_row {
	const char *sidecar, *run_id, *timestamp, *test, *topology, *scheduler, *kernel, *commit, *run_source;
	const char *outcome, *cause;
	uint64_t duration_ns;
	double value; /* of the metric, in ktstr_index_history() */
};
typedef void (*ktstr_index_row_fn)(void *context, const struct ktstr_index_row *row);

/* Matching results, oldest first. */
struct ktstr_error *ktstr_index_each(struct ktstr_index *index, const struct ktstr_index_query *query,
				     ktstr_index_row_fn visit, void *context) KTSTR_CHECKED;
/* Those that have the metric and were not skipped. */
struct ktstr_error *ktstr_index_history(struct ktstr_index *index, const char *metric,
					const struct ktstr_index_query *query, ktstr_index_row_fn visit, void *context)
	KTSTR_CHECKED;

/* An invocation: its results by outcome. */
struct ktstr_index_run {
	const char *run_id, *timestamp, *kernel, *commit, *run_source, *sidecar; /* of its first result */
	uint64_t tests, passed, failed, inconclusive, skipped, duration_ns;
};
typedef void (*ktstr_index_run_fn)(void *context, const struct ktstr_index_run *run);
struct ktstr_error *ktstr_index_runs(struct ktstr_index *index, const struct ktstr_index_query *query,
				     ktstr_index_run_fn visit, void *context) KTSTR_CHECKED;

/* Every metric that matching results have which were not skipped, sorted. */
struct ktstr_error *ktstr_index_metric_names(struct ktstr_index *index, const struct ktstr_index_query *query,
					     struct ktstr_strv *names) KTSTR_CHECKED;

/*
 * Calls emit for each finite number that a sidecar measured: registry names as they are, "cgroup.<name>.<field>",
 * "payload.<metric>", "stage.<name>_ns".
 */
typedef void (*ktstr_metric_visit_fn)(void *context, const char *name, double value);
void ktstr_sidecar_metrics(const json_t *sidecar, ktstr_metric_visit_fn emit, void *context);

#endif
