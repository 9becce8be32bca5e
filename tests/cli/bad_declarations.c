// SPDX-License-Identifier: GPL-2.0-only
/* Declarations that compile and cannot run: each must be named, with its field, before anything boots. */
#include <ktstr.h>

KTSTR_SCHEDULER(empty_binary, .binary = "");

KTSTR_TEST(uneven_llcs, .topology = { .numa_nodes = 2, .llcs = 3 })
{
}

KTSTR_TEST(negative_rate, .checks = { .min_work_rate = KTSTR_SOME(-1.0) })
{
}

KTSTR_TEST(crossed_bounds, .constraints = { .min_llcs = 4, .max_llcs = 2 })
{
}

KTSTR_TEST(beyond_a_default, .constraints = { .min_numa_nodes = 2 })
{
}

KTSTR_SCHEDULER(few_llcs, .binary = "x", .constraints = { .max_llcs = 3 });
KTSTR_SCHEDULER(crossed_cpus, .binary = "x", .constraints = { .min_cpus = 8, .max_cpus = 4 });

KTSTR_TEST(beyond_its_scheduler, .scheduler = &few_llcs, .constraints = { .min_llcs = 4 })
{
}

KTSTR_TEST(captures_without_a_vm, .host_only = true, .num_snapshots = 1)
{
}

KTSTR_TEST(disk_without_a_vm, .host_only = true, .disk = KTSTR_DISK())
{
}

KTSTR_TEST(disk_at_no_time, .deterministic = true, .disk = KTSTR_DISK())
{
}

KTSTR_TEST(burst_below_rate, .disk = KTSTR_DISK(.throttle = { .iops = 100, .iops_burst_capacity = 50, .bytes_burst_capacity = 1 }))
{
}

KTSTR_TEST(burst_without_rate, .disk = KTSTR_DISK(.throttle = { .iops = 100, .bytes_burst_capacity = 4096 }))
{
}

KTSTR_TEST(disk_too_small, .disk = KTSTR_DISK(.filesystem = KTSTR_FILESYSTEM_BTRFS, .capacity_mib = 64))
{
}

KTSTR_TEST(disk_elsewhere, .disk = KTSTR_DISK(.filesystem = KTSTR_FILESYSTEM_BTRFS, .name = "../etc"))
{
}

KTSTR_TEST(network_without_a_vm, .host_only = true, .networks = KTSTR_NETWORKS({ 0 }))
{
}

KTSTR_TEST(network_on_virtual_time, .deterministic = true, .networks = KTSTR_NETWORKS({ 0 }))
{
}

KTSTR_TEST(one_mac_twice, .networks = KTSTR_NETWORKS({ 0 }, { 0 }))
{
}

KTSTR_TEST(multicast_mac, .networks = KTSTR_NETWORKS({ .mac = "01:00:5e:00:00:01" }))
{
}

KTSTR_TEST(two_queues, .networks = KTSTR_NETWORKS({ 0 }, { .mac = "02:00:00:00:00:02", .queue_pairs = 2 }))
{
}

KTSTR_TEST(scheduler_without_a_vm, .host_only = true, .scheduler = &few_llcs)
{
}

KTSTR_TEST(under_empty_binary, .scheduler = &empty_binary)
{
}

KTSTR_PAYLOAD(no_binary, .package = "x");
KTSTR_PAYLOAD(empty_range, .binary = "sh", .default_checks = KTSTR_METRIC_CHECKS(KTSTR_METRIC_RANGE("rate", 2, 1)));
KTSTR_PAYLOAD(hinted_twice, .binary = "sh", .metrics = KTSTR_METRIC_HINTS({ .name = "rate" }, { .name = "rate" }));
KTSTR_PAYLOAD(wrong_flag, .binary = "sh", .default_args = KTSTR_ARGS("--login"), .known_flags = KTSTR_ARGS("--posix"));
KTSTR_PAYLOAD(good_payload, .binary = "sh");

KTSTR_TEST(payload_without_binary, .payload = &no_binary)
{
}

KTSTR_TEST(payload_with_empty_range, .payload = &empty_range)
{
}

KTSTR_TEST(workload_hinted_twice, .workloads = KTSTR_WORKLOADS(&good_payload, &hinted_twice))
{
}

KTSTR_TEST(payload_with_wrong_flag, .payload = &wrong_flag)
{
}

KTSTR_TEST(payload_is_a_scheduler, .payload = &KTSTR_PAYLOAD_KERNEL_DEFAULT)
{
}

KTSTR_TEST(workload_twice, .workloads = KTSTR_WORKLOADS(&good_payload, &good_payload))
{
}

KTSTR_TEST(payload_and_workload, .payload = &good_payload, .workloads = KTSTR_WORKLOADS(&good_payload))
{
}

KTSTR_TEST(empty_include, .extra_include_files = KTSTR_ARGS(""))
{
}

KTSTR_SCHEDULER(loud, .binary = "x", .kargs = KTSTR_ARGS("loglevel=8"));
KTSTR_SCHEDULER(undotted, .binary = "x", .sysctls = KTSTR_SYSCTLS({ "sched_schedstats", "1" }));

KTSTR_TEST(staged_twice, .staged_schedulers = KTSTR_SCHEDULERS(&loud, &loud))
{
}

KTSTR_TEST(words_without_failure, .expect_scx_bpf_error_contains = "stall")
{
}

KTSTR_TEST(config_for_nobody, .config = "x")
{
}

KTSTR_TEST(storm_for_nobody, .survives_storm = true)
{
}

KTSTR_TEST(asserts_a_typo, .perf_delta_assertions = KTSTR_PERF_DELTA_ASSERTIONS({ "iteration_rat" }))
{
}

KTSTR_TEST(both_modes, .performance_mode = true, .no_perf_mode = true)
{
}

KTSTR_TEST(budget_of_nothing, .cpu_budget = 1)
{
}

KTSTR_TEST(sound)
{
}
