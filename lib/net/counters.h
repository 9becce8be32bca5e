/* SPDX-License-Identifier: GPL-2.0-only */
/* What network devices have carried, as results have it: an object for each, its `mac` first; unknown counters are null. */
#ifndef KTSTR_NET_COUNTERS_H
#define KTSTR_NET_COUNTERS_H

#include <jansson.h>

#include "ktstr/network.h"

/* New reference. */
json_t *ktstr_net_counters_to_json(const char *mac, const struct ktstr_virtio_net_counters_snapshot *counters);
/* What is missing or no count stays unset. */
struct ktstr_virtio_net_counters_snapshot ktstr_net_counters_from_json(const json_t *json);
/* A list of such objects, only what we know of in it: new reference, NULL for no list or an empty one. */
json_t *ktstr_net_counters_clean(const json_t *list);

#endif
