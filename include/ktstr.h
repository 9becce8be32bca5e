/* SPDX-License-Identifier: GPL-2.0-only */
/* Everything a test program needs: #include <ktstr.h> */
#ifndef KTSTR_H
#define KTSTR_H

#include <ktstr/benchmark.h>
#include <ktstr/cgroup.h>
#include <ktstr/check.h>
#include <ktstr/claim.h>
#include <ktstr/cpuset.h>
#include <ktstr/disk.h>
#include <ktstr/dump.h>
#include <ktstr/error.h>
#include <ktstr/host.h>
#include <ktstr/kernel_op.h>
#include <ktstr/live.h>
#include <ktstr/metric.h>
#include <ktstr/metric_table.h>
#include <ktstr/monitor.h>
#include <ktstr/network.h>
#include <ktstr/observe.h>
#include <ktstr/op.h>
#include <ktstr/payload.h>
#include <ktstr/phase.h>
#include <ktstr/rt_app.h>
#include <ktstr/sample.h>
#include <ktstr/scenario.h>
#include <ktstr/scenarios.h>
#include <ktstr/scheduler.h>
#include <ktstr/series.h>
#include <ktstr/snapshot.h>
#include <ktstr/snapshot_bridge.h>
#include <ktstr/stall.h>
#include <ktstr/stats.h>
#include <ktstr/stats_claims.h>
#include <ktstr/step.h>
#include <ktstr/temporal.h>
#include <ktstr/test.h>
#include <ktstr/topology.h>
#include <ktstr/units.h>
#include <ktstr/verdict.h>
#include <ktstr/vm_result.h>
#include <ktstr/work.h>

#endif
