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

KTSTR_TEST(under_empty_binary, .scheduler = &empty_binary)
{
}

KTSTR_TEST(sound)
{
}
