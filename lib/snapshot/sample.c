// SPDX-License-Identifier: GPL-2.0-only
/* Captures in the order of time, and the phases they are in. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "snapshot/sample_series.h"

void ktstr_sample_deinit(struct ktstr_sample *sample)
{
	free(sample->tag);
	ktstr_failure_dump_free(sample->dump);
	json_decref(sample->stats);
	free(sample->stats_missing);
	memset(sample, 0, sizeof(*sample));
}

static struct ktstr_sample_series *create(size_t room, bool owner)
{
	struct ktstr_sample_series *series = ktstr_xcalloc(1, sizeof(*series));

	series->entries = ktstr_xcalloc(room + 1, sizeof(*series->entries));
	series->owner = owner;
	return series;
}

static struct ktstr_series_entry *make_entry(struct ktstr_sample *sample)
{
	struct ktstr_series_entry *entry = ktstr_xcalloc(1, sizeof(*entry));

	entry->sample = *sample;
	memset(sample, 0, sizeof(*sample));
	if (!entry->sample.dump)
		entry->sample.dump = ktstr_failure_dump_placeholder("the sample has no dump");
	if (!entry->sample.tag)
		entry->sample.tag = ktstr_xstrdup("");
	if (!entry->sample.stats && !entry->sample.stats_missing)
		entry->sample.stats_missing = ktstr_xstrdup(KTSTR_STATS_NO_SCHEDULER_BINARY);
	entry->snapshot = ktstr_snapshot_open(entry->sample.dump);
	return entry;
}

static void free_entry(struct ktstr_series_entry *entry)
{
	ktstr_snapshot_close(&entry->snapshot);
	ktstr_sample_deinit(&entry->sample);
	free(entry);
}

struct ktstr_sample_series *ktstr_sample_series_from_drained(struct ktstr_sample *samples, size_t count)
{
	struct ktstr_sample_series *series = create(count, true);

	for (size_t i = 0; i < count; i++)
		series->entries[series->count++] = make_entry(&samples[i]);
	ktstr_sample_series_by_stamped_phase(series);
	return series;
}

struct ktstr_sample_series *ktstr_sample_series_from_drained_typed(struct ktstr_sample *samples, size_t count,
								   const struct ktstr_monitor_summary *monitor)
{
	struct ktstr_sample_series *series = ktstr_sample_series_from_drained(samples, count);

	series->monitor = monitor;
	return series;
}

const struct ktstr_monitor_summary *ktstr_sample_series_monitor(const struct ktstr_sample_series *series)
{
	return series->monitor;
}

void ktstr_sample_series_destroy(struct ktstr_sample_series *series)
{
	if (!series)
		return;
	for (size_t i = 0; series->owner && i < series->count; i++)
		free_entry(series->entries[i]);
	free(series->entries);
	free(series);
}

size_t ktstr_sample_series_len(const struct ktstr_sample_series *series)
{
	return series->count;
}

const struct ktstr_sample *ktstr_sample_series_at(const struct ktstr_sample_series *series, size_t i)
{
	return i < series->count ? &series->entries[i]->sample : NULL;
}

const struct ktstr_snapshot *ktstr_sample_series_snapshot(const struct ktstr_sample_series *series, size_t i)
{
	return i < series->count ? &series->entries[i]->snapshot : NULL;
}

static bool is_periodic(const struct ktstr_series_entry *entry)
{
	return ktstr_str_starts_with(entry->sample.tag, "periodic_");
}

struct ktstr_sample_series *ktstr_sample_series_periodic_ref(const struct ktstr_sample_series *series)
{
	struct ktstr_sample_series *periodic = create(series->count, false);

	periodic->monitor = series->monitor;
	for (size_t i = 0; i < series->count; i++)
		if (is_periodic(series->entries[i]))
			periodic->entries[periodic->count++] = series->entries[i];
	return periodic;
}

struct ktstr_sample_series *ktstr_sample_series_periodic_only(struct ktstr_sample_series *series)
{
	struct ktstr_sample_series *periodic = ktstr_sample_series_periodic_ref(series);

	for (size_t i = 0; series->owner && i < series->count; i++)
		if (!is_periodic(series->entries[i]))
			free_entry(series->entries[i]);
	periodic->owner = series->owner;
	series->count = 0;
	ktstr_sample_series_destroy(series);
	return periodic;
}

void ktstr_sample_series_by_stamped_phase(struct ktstr_sample_series *series)
{
	for (size_t i = 0; i < series->count; i++)
		series->entries[i]->phase = series->entries[i]->sample.step_index;
}

void ktstr_sample_series_by_stimulus_phase(struct ktstr_sample_series *series, const struct ktstr_step_start *starts,
					   size_t count)
{
	ktstr_sample_series_by_stamped_phase(series);
	for (size_t i = 0; i < series->count; i++) {
		struct ktstr_opt_u64 due = series->entries[i]->sample.boundary_offset_ms;
		const struct ktstr_step_start *latest = NULL;

		if (!due.set)
			continue;
		for (size_t s = 0; s < count; s++)
			if (starts[s].elapsed_ms <= due.value && (!latest || starts[s].elapsed_ms >= latest->elapsed_ms))
				latest = &starts[s];
		series->entries[i]->phase = (struct ktstr_opt_u32){ true, latest ? latest->step_index : 0 };
	}
}

struct ktstr_opt_u32 ktstr_sample_series_phase(const struct ktstr_sample_series *series, size_t i)
{
	return i < series->count ? series->entries[i]->phase : (struct ktstr_opt_u32){ 0 };
}
