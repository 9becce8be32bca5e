/* SPDX-License-Identifier: GPL-2.0-only */
/* A part of a dump by its path, as `ktstr show --path` takes it. */
#ifndef KTSTR_SNAPSHOT_SELECT_H
#define KTSTR_SNAPSHOT_SELECT_H

#include "ktstr/dump.h"

/*
 * *text (heap) is the part as text, or as JSON. A path is, in this order,
 *   MAP, MAP.FIELD, MAP[N].FIELD      a map, a field of its value or of its Nth entry; on per-CPU maps of each CPU's
 *                                     copy, or of one's with "@CPU" behind N
 *   VARIABLE, VARIABLE.FIELD          a global variable of the scheduler
 *   KEY.KEY[N]                        what the JSON has there
 * With "early." or "late." before it on dual dumps; without, the late one. KTSTR_ERR_NOT_FOUND says what there is.
 */
struct ktstr_error *ktstr_dump_select(const struct ktstr_failure_dump_any *dump, const char *path, bool as_json,
				      char **text) KTSTR_CHECKED;

#endif
