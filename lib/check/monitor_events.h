/* SPDX-License-Identifier: GPL-2.0-only */
/* Event counters of a monitor sample over all CPUs. */
#ifndef KTSTR_CHECK_MONITOR_EVENTS_H
#define KTSTR_CHECK_MONITOR_EVENTS_H

#include "ktstr/monitor.h"

/* offset: of the counter in struct ktstr_scx_events. Unset when no CPU has it; saturates. */
struct ktstr_opt_i64 ktstr_monitor_sum_event(const struct ktstr_monitor_sample *sample, size_t offset);

#endif
