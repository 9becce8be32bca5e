/* SPDX-License-Identifier: GPL-2.0-only */
/* What a series of samples is made of. */
#ifndef KTSTR_SNAPSHOT_SAMPLE_SERIES_H
#define KTSTR_SNAPSHOT_SAMPLE_SERIES_H

#include "ktstr/sample.h"
#include "snapshot/store.h"

struct ktstr_series_entry {
	struct ktstr_sample sample;
	struct ktstr_snapshot snapshot;
	struct ktstr_opt_u32 phase;
};

struct ktstr_sample_series {
	struct ktstr_series_entry **entries;
	size_t count;
	bool owner; /* else they are another series' */
	const struct ktstr_monitor_summary *monitor; /* borrowed; NULL = not known */
};

#endif
