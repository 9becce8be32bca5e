/* SPDX-License-Identifier: GPL-2.0-only */
/* The values in plans as JSON. */
#ifndef KTSTR_SCENARIO_PLAN_VALUES_H
#define KTSTR_SCENARIO_PLAN_VALUES_H

#include <jansson.h>

#include "ktstr/scenario.h"

/* Adds "cpuset": "llc(1)" and "cpus": "2-3", what it means on the context's topology; nothing for INHERIT. */
void cpuset_to_json(const struct ktstr_ctx *ctx, const struct ktstr_cpuset_spec *spec, json_t *into);
/* Adds "workers", "work", "parameters", and what else is not the default. */
void work_to_json(const struct ktstr_work_spec *work, json_t *into);
/* "exact 0-3", "single_cpu"; NULL for INHERIT. */
json_t *affinity_to_json(const struct ktstr_affinity *affinity);

#endif
