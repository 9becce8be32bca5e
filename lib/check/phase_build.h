/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts that phase buckets are made of. */
#ifndef KTSTR_CHECK_PHASE_BUILD_H
#define KTSTR_CHECK_PHASE_BUILD_H

#include "check/samples.h"
#include "ktstr/check.h"
#include "ktstr/phase.h"
#include "ktstr/work.h"

/* The bucket of a phase, made when there is none; borrowed until the next one is made. */
struct ktstr_phase_bucket *ktstr_phase_buckets_get(struct ktstr_phase_buckets *buckets, uint16_t phase);
/* Takes ownership of the bucket: becomes that of its phase, or is merged into the one that is there. */
void ktstr_phase_buckets_add(struct ktstr_phase_buckets *buckets, struct ktstr_phase_bucket bucket);
/* What follows from the samples of its cgroups, and the ratios of its metrics. */
void ktstr_phase_bucket_derive(struct ktstr_phase_bucket *bucket);
/* Metrics of SAMPLES and of the best and worst cgroup, from some phase cgroups; those without a measurement are absent. */
void ktstr_phase_cgroups_metrics(const struct ktstr_phase_cgroup_stats *const *cgroups, size_t count,
				 struct ktstr_metric_set *set);

/* Adds the phase slices of one cgroup's workers; those of epoch 0 and UINT32_MAX are left out. */
void ktstr_phases_add_reports(struct ktstr_phase_buckets *buckets, const struct ktstr_judged_cgroup *scope,
			      const struct ktstr_worker_report *reports, size_t count);

/* The per-cgroup metrics of the registry from what the cgroup measured; nothing happens to a stripped one. */
void ktstr_phase_cgroup_derive(struct ktstr_phase_cgroup_stats *cgroup);
/* `from` is then empty. */
void ktstr_phase_cgroup_merge(struct ktstr_phase_cgroup_stats *into, struct ktstr_phase_cgroup_stats *from);
void ktstr_phase_cgroup_strip(struct ktstr_phase_cgroup_stats *cgroup);
void ktstr_phase_cgroup_deinit(struct ktstr_phase_cgroup_stats *cgroup);

#endif
