/* SPDX-License-Identifier: GPL-2.0-only */
/* The errors of a snapshot: made here, owned here, freed when it is closed. */
#ifndef KTSTR_SNAPSHOT_STORE_H
#define KTSTR_SNAPSHOT_STORE_H

#include "base/str.h"
#include "ktstr/snapshot.h"

struct ktstr_snapshot_store *ktstr_snapshot_store_create(void);
void ktstr_snapshot_store_destroy(struct ktstr_snapshot_store *store);

/* A copy of `wanted`, texts and lists included, with its message; lives as long as the store. */
const struct ktstr_snapshot_error *ktstr_snapshot_fail(struct ktstr_snapshot_store *store,
						       const struct ktstr_snapshot_error *wanted);

static inline struct ktstr_snapshot_field ktstr_snapshot_missing(struct ktstr_snapshot_store *store,
								 const struct ktstr_snapshot_error *error)
{
	return (struct ktstr_snapshot_field){ .store = store, .error = error };
}

static inline struct ktstr_snapshot_field ktstr_snapshot_value(struct ktstr_snapshot_store *store,
							       const struct ktstr_rendered_value *value)
{
	return (struct ktstr_snapshot_field){ .kind = KTSTR_SNAPSHOT_FIELD_VALUE, .raw = value, .store = store };
}

#endif
