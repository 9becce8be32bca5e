/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work: what a worker does while it runs (work types), how many do it and where (work specs), what each one measured
 * about itself (worker reports), and doing it without a scenario (workloads).
 */
#ifndef KTSTR_WORK_H
#define KTSTR_WORK_H

#include <ktstr/work_spec.h>
#include <ktstr/work_type.h>
#include <ktstr/worker.h>
#include <ktstr/workload.h>

#endif
