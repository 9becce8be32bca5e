// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest worth a capture: 20 BPF maps with 100 entries each and 500 tasks, and a thread that watches its clock while it is
 * captured. bench/observe runs it and reads its notes.
 */
#include <ktstr.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "wire/host_request.h"

enum { MAPS = 20, ENTRIES = 100, TASKS = 500, CAPTURES = 10 };

KTSTR_SCHEDULER(ktstr, .binary = "scx_ktstr");

static void make_map(int number)
{
	union bpf_attr attr = { .map_type = number % 2 ? BPF_MAP_TYPE_HASH : BPF_MAP_TYPE_ARRAY,
				.key_size = 4,
				.value_size = 64,
				.max_entries = ENTRIES };
	int fd = (int)syscall(__NR_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)); /* open until the test ends */

	for (uint32_t key = 0; key < ENTRIES; key++) {
		uint64_t value[8] = { key };
		union bpf_attr update = { .map_fd = (uint32_t)fd,
					  .key = (uint64_t)(uintptr_t)&key,
					  .value = (uint64_t)(uintptr_t)value };

		syscall(__NR_bpf, BPF_MAP_UPDATE_ELEM, &update, sizeof(update));
	}
}

static _Atomic bool done;
static uint64_t longest_gap_ns;

static void *watch_clock(void *arg)
{
	uint64_t last = ktstr_now_ns();

	(void)arg;
	while (!done) {
		uint64_t now = ktstr_now_ns();

		longest_gap_ns = now - last > longest_gap_ns ? now - last : longest_gap_ns;
		last = now;
	}
	return NULL;
}

KTSTR_TEST(worth_a_capture, .scheduler = &ktstr, .topology = { .llcs = 2, .cores_per_llc = 2 }, .duration = KTSTR_SEC(1))
{
	pthread_t thread;

	for (int i = 0; i < MAPS; i++)
		make_map(i);
	for (int i = 0; i < TASKS; i++)
		if (!fork()) {
			pause();
			_exit(0);
		}
	ktstr_sleep_ns(KTSTR_MS(500));
	pthread_create(&thread, NULL, watch_clock, NULL);
	for (int i = 0; i < CAPTURES; i++)
		ktstr_fail_error(ctx, ktstr_host_capture("capture"));
	done = true;
	pthread_join(thread, NULL);
	ktstr_note(ctx, "longest gap %llu ns", (unsigned long long)longest_gap_ns);
}
